import { batchPath } from '@backfill/core/client/api-client';
import { APPROVER_ROLES } from '@backfill/core/domain/approvals';
import { type Command, Option } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { UsageError } from '../cli-error.ts';
import { helpExamples } from '../help-examples.ts';
import { parseCount } from '../parse-count.ts';
import { openSession } from '../session.ts';
import { showBatch } from '../show-batch.ts';

interface EscalateOptions {
  why: string;
  decide?: number;
  role?: string;
  decision?: string;
}

/** `backfill escalate BATCH --why TEXT`, and `--decide N` for what was decided. */
export function addEscalate(program: Command, context: CliContext): void {
  program
    .command('escalate')
    .summary('bring a conflict before those who decide, or record the decision')
    .description(
      'Escalates a rejection, a failed gate or a stop of a batch, or records what was decided about it: by a role that the policy names, and not by who escalated. Neither changes the batch, its gates or its signatures.',
    )
    .argument('<batch>', 'the batch id')
    .requiredOption('--why <text>', 'why')
    .option('--decide <number>', 'the escalation that was decided about', parseCount)
    .addOption(new Option('--role <role>', 'the role that decides').choices(APPROVER_ROLES))
    .option('--decision <text>', 'what was decided')
    .addHelpText(
      'after',
      helpExamples(
        'escalate my-batch --why "the day is needed for the quarter"',
        'escalate my-batch --decide 1 --role product_owner --decision "roll it back" --why "the input is wrong"',
      ),
    )
    .action(async (batchId: string, options: EscalateOptions, command: Command) => {
      const { why, decide, role, decision } = options;
      if (decide === undefined) {
        const session = openSession(context, command, 'operator');
        await session.client.post(batchPath(batchId, '/escalations'), { why });
        return showBatch(session, batchId);
      }
      if (role === undefined || decision === undefined) {
        throw new UsageError('--decide needs --role and --decision.');
      }
      const session = openSession(context, command, role);
      await session.client.post(batchPath(batchId, `/escalations/${decide}/decision`), { role, decision, why });
      return showBatch(session, batchId);
    });
}
