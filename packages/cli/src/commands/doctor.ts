import type { ServiceConfig } from '@backfill/core/config/environment';
import { loadPolicy } from '@backfill/core/config/load-policy';
import { createToolConnection } from '@backfill/core/queue/connection';
import { createObjectStore } from '@backfill/core/storage/object-store';
import { formatFindings } from '@backfill/core/text/format-findings';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { CliError } from '../cli-error.ts';
import { type Result, runChecks } from '../doctor/run-checks.ts';
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
      'Looks, in the environment of a service, at everything that has to be in order before and while the services run, and tells how to mend each finding: where data may be, versions, schema, settings of PostgreSQL and Redis, buckets, clocks, the dedup store and what is in doubt there, the audit log, queues and their workers, retention, and overdue incidents. Changes nothing, but for an object that it writes into the archive bucket and deletes again. Exit code 1 if there is a finding.',
    )
    .addHelpText('after', helpExamples('doctor', 'doctor --json'))
    .action(async (_options: unknown, command: Command) => {
      const { stateDir, json } = command.optsWithGlobals<GlobalOptions>();
      const results = await examine(readSettings(context.env, stateDir).services());
      const lines = json ? [JSON.stringify({ checks: results }, null, 2)] : results.flatMap(formatResult);
      context.stdout.write(`${lines.join('\n')}\n`);
      const failed = results.filter(({ passed }) => !passed).map(({ check }) => check);
      if (failed.length > 0) throw new CliError(`Not in order: ${failed.join(', ')}.`);
    });
}

function formatResult({ check, findings, blocked_by: blocked }: Result): string[] {
  return blocked === undefined ? formatFindings(check, findings) : [`${check}: not looked at (${blocked.join(', ')})`];
}

async function examine(services: readonly ServiceConfig[]): Promise<Result[]> {
  const [config] = services;
  if (config === undefined) throw new Error('there are no services');
  const policy = await loadPolicy(config.configDir);
  const store = createObjectStore(config.storage);
  const redis = createToolConnection(config.redisUrl);
  try {
    return await withKeyStore(config, (pool, keyStore) =>
      runChecks({ config, services, policy, pool, keyStore, store, redis }),
    );
  } finally {
    redis.disconnect();
    store.close();
  }
}
