import { setTimeout as pause } from 'node:timers/promises';
import { type RetentionRunView, retentionRunSchema, retentionViewSchema } from '@backfill/core/client/retention-view';
import { formatRetention, formatRetentionRun } from '@backfill/core/text/format-retention';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { CliError } from '../cli-error.ts';
import { helpExamples } from '../help-examples.ts';
import { openSession, type Session } from '../session.ts';

const LOOK_EVERY_MS = 500;
/** A service that is there begins a run within seconds. */
const TELL_AFTER_MS = 15_000;

/** `backfill retention` */
export function addRetention(program: Command, context: CliContext): void {
  program
    .command('retention')
    .summary('delete what is past its time')
    .description(
      'Has the rollback service delete now what is past its time by the policy, as it does every hour: staged rows, raw mirrors with snapshots, parts and samples, stored events by whole days, and the keys and records about them. Shows the receipts. Exit code 1 if something had to be left for the next run.',
    )
    .option('--dry-run', 'only list what would go and why, and what stays all the same')
    .addHelpText('after', helpExamples('retention --dry-run', 'retention --json'))
    .action(async (options: { dryRun?: true }, command: Command) => {
      if (options.dryRun) await showDue(openSession(context, command, 'viewer'));
      else await run(openSession(context, command, 'operator'));
    });
}

async function showDue(session: Session): Promise<void> {
  const { body } = await session.client.get('/v1/retention');
  if (session.json) session.printJson(body);
  else session.print(formatRetention(retentionViewSchema.parse(body)));
}

async function run(session: Session): Promise<void> {
  const { body } = await session.client.post('/v1/retention/runs', {});
  const ended = await waitForEnd(session, retentionRunSchema.parse(body));
  if (session.json) session.printJson(ended);
  else session.print(formatRetentionRun(ended));
  if (ended.outcome !== 'complete') throw new CliError('Something was left for the next run.');
}

/** Looks until the run has ended; the run goes on without whoever looks. */
async function waitForEnd(session: Session, asked: RetentionRunView): Promise<RetentionRunView> {
  const { signal, stderr } = session.context;
  const tellAt = Date.now() + TELL_AFTER_MS;
  let isTold = false;
  let seen = asked;
  while (seen.ended_at === null) {
    if (!isTold && seen.begun_at === null && Date.now() > tellAt) {
      stderr.write('No rollback service has begun it yet. It stays asked for; Ctrl-C only ends the waiting.\n');
      isTold = true;
    }
    await pause(LOOK_EVERY_MS, undefined, { signal });
    const { body } = await session.client.get(`/v1/retention/runs/${seen.run_id}`);
    seen = retentionRunSchema.parse(body);
  }
  return seen;
}
