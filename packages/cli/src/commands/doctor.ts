import type { ServiceConfig } from '@backfill/core/config/environment';
import { loadPolicy } from '@backfill/core/config/load-policy';
import { BackfillError, describeError, isDependencyUnavailable } from '@backfill/core/errors';
import type { ResidencyFinding } from '@backfill/core/residency/residency-facts';
import { findResidencyProblems } from '@backfill/core/runtime/check-residency';
import { createObjectStore } from '@backfill/core/storage/object-store';
import { formatFindings } from '@backfill/core/text/format-findings';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { CliError } from '../cli-error.ts';
import { helpExamples } from '../help-examples.ts';
import type { GlobalOptions } from '../session.ts';
import { readSettings } from '../settings.ts';

/** `backfill doctor` */
export function addDoctor(program: Command, context: CliContext): void {
  program
    .command('doctor')
    .summary('find what is wrong with the set-up')
    .description(
      'Checks what the services check before they start, in the environment of a service, and tells how to mend each finding: whether the database, the queue, the object store and its buckets are where the residency policy lets data be. Exit code 1 if there is a finding.',
    )
    .addHelpText('after', helpExamples('doctor', 'doctor --json'))
    .action(async (_options: unknown, command: Command) => {
      const { stateDir, json } = command.optsWithGlobals<GlobalOptions>();
      const findings = await findProblems(readSettings(context.env, stateDir).transformer);
      const data = { checks: [{ check: 'residency', passed: findings.length === 0, findings }] };
      const lines = json ? [JSON.stringify(data, null, 2)] : formatFindings('residency', findings);
      context.stdout.write(`${lines.join('\n')}\n`);
      if (findings.length > 0) throw new CliError('The services would not start like this.');
    });
}

async function findProblems(readConfig: () => ServiceConfig): Promise<ResidencyFinding[]> {
  try {
    const config = readConfig();
    const { residency } = await loadPolicy(config.configDir);
    const store = createObjectStore(config.storage);
    try {
      return await findResidencyProblems(config, store, residency);
    } finally {
      store.close();
    }
  } catch (error) {
    if (error instanceof BackfillError) throw new CliError(error.message, [], { cause: error });
    if (!isDependencyUnavailable(error)) throw error;
    const problem = `the object store cannot be reached, so nobody can say where its buckets are (${describeError(error)})`;
    return [{ subject: 'S3_ENDPOINT', problem, remedy: 'start it (npm start), or point S3_ENDPOINT to where it is' }];
  }
}
