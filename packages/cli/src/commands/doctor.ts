import type { ServiceConfig } from '@backfill/core/config/environment';
import { loadPolicy } from '@backfill/core/config/load-policy';
import type { Finding } from '@backfill/core/domain/finding';
import { BackfillError, describeError, isDependencyUnavailable } from '@backfill/core/errors';
import { findAuditProblems } from '@backfill/core/runtime/check-audit';
import { findResidencyProblems } from '@backfill/core/runtime/check-residency';
import { findKeyStoreProblems } from '@backfill/core/runtime/prepare-databases';
import { createObjectStore } from '@backfill/core/storage/object-store';
import { formatFindings } from '@backfill/core/text/format-findings';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { CliError } from '../cli-error.ts';
import { helpExamples } from '../help-examples.ts';
import type { GlobalOptions } from '../session.ts';
import { readSettings } from '../settings.ts';
import { withKeyStore } from '../tool-pools.ts';

/** `backfill doctor` */
export function addDoctor(program: Command, context: CliContext): void {
  program
    .command('doctor')
    .summary('find what is wrong with the set-up')
    .description(
      'Checks what the services check before they start, in the environment of a service, and tells how to mend each finding: whether the database, the queue, the object store and its buckets are where the residency policy lets data be, whether the dedup store can be worked with, and whether every entry of the audit log is as it was sealed. Exit code 1 if there is a finding.',
    )
    .addHelpText('after', helpExamples('doctor', 'doctor --json'))
    .action(async (_options: unknown, command: Command) => {
      const { stateDir, json } = command.optsWithGlobals<GlobalOptions>();
      const checks = await runChecks(readSettings(context.env, stateDir).transformer);
      const data = { checks: checks.map((check) => ({ ...check, passed: check.findings.length === 0 })) };
      const lines = json
        ? [JSON.stringify(data, null, 2)]
        : checks.flatMap(({ check, findings }) => formatFindings(check, findings));
      context.stdout.write(`${lines.join('\n')}\n`);
      const failed = data.checks.filter(({ passed }) => !passed).map(({ check }) => check);
      if (failed.includes(AUDIT)) throw new CliError('The audit log is not in order.');
      if (failed.length > 0) throw new CliError('The services would not start like this.');
    });
}

const AUDIT = 'audit log';

interface Check {
  check: string;
  findings: Finding[];
}

async function runChecks(readConfig: () => ServiceConfig): Promise<Check[]> {
  try {
    const config = readConfig();
    const residency = await findResidency(config);
    // Nothing is sent to a place that is not allowed.
    if (residency.some(({ subject }) => subject.endsWith('DATABASE_URL')))
      return [{ check: 'residency', findings: residency }];
    const checks = [
      { check: 'residency', findings: residency },
      { check: 'dedup store', findings: await findKeyStore(config) },
    ];
    // Its heads are in the archive.
    if (residency.some(({ subject }) => subject === 'S3_ENDPOINT')) return checks;
    return [...checks, { check: AUDIT, findings: await findAudit(config) }];
  } catch (error) {
    if (error instanceof BackfillError) throw new CliError(error.message, [], { cause: error });
    throw error;
  }
}

async function findResidency(config: ServiceConfig): Promise<Finding[]> {
  const { residency } = await loadPolicy(config.configDir);
  const store = createObjectStore(config.storage);
  try {
    return await findResidencyProblems(config, store, residency);
  } catch (error) {
    if (!isDependencyUnavailable(error)) throw error;
    const problem = `the object store cannot be reached, so nobody can say where its buckets are (${describeError(error)})`;
    return [{ subject: 'S3_ENDPOINT', problem, remedy: 'start it (npm start), or point S3_ENDPOINT to where it is' }];
  } finally {
    store.close();
  }
}

async function findAudit(config: ServiceConfig): Promise<Finding[]> {
  const store = createObjectStore(config.storage);
  try {
    return await withKeyStore(config, (pool) =>
      findAuditProblems(pool, store, config.storage.archiveBucket, config.auditKey),
    );
  } catch (error) {
    const problem = `the audit log cannot be verified (${describeError(error)})`;
    return [{ subject: 'DATABASE_URL', problem, remedy: 'start the database and the object store, and look again' }];
  } finally {
    store.close();
  }
}

async function findKeyStore(config: ServiceConfig): Promise<Finding[]> {
  try {
    return await withKeyStore(config, findKeyStoreProblems);
  } catch (error) {
    const names =
      config.checkpointDatabaseUrl === undefined ? 'DATABASE_URL' : 'DATABASE_URL or CHECKPOINT_DATABASE_URL';
    const problem = `the database cannot be worked with (${describeError(error)})`;
    return [{ subject: names, problem, remedy: `start it (npm start), or point ${names} to where it is` }];
  }
}
