import { batchPath } from '@backfill/core/client/api-client';
import type { BatchView } from '@backfill/core/client/batch-view';
import { getBatch } from '@backfill/core/client/follow-batch';
import { APPROVER_ROLES, type ApprovalStage } from '@backfill/core/domain/approvals';
import { type Command, Option } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { CliError } from '../cli-error.ts';
import { helpExamples } from '../help-examples.ts';
import { openSession } from '../session.ts';
import { showBatch } from '../show-batch.ts';

interface ApproveOptions {
  role: string;
  stage?: ApprovalStage;
  gate?: string;
  reject?: true;
  comment?: string;
  seen?: string;
}

/** `backfill approve BATCH --role ROLE` */
export function addApprove(program: Command, context: CliContext): void {
  program
    .command('approve')
    .summary('sign, or refuse, a run, a publish or an override')
    .description(
      'Signs what a batch waits for: its plan before the run, its measured figures before the publish. A rejection halts the batch with its reason. With --gate: lets the median of other weeks decide about a KPI that has nothing better to be compared with; the gates are measured again then.',
    )
    .argument('<batch>', 'the batch id')
    .addOption(new Option('--role <role>', 'the role to speak for').choices(APPROVER_ROLES).makeOptionMandatory())
    .addOption(
      new Option('--stage <stage>', 'what to sign (default: what the batch waits for)').choices([
        'run',
        'publish',
        'override',
      ]),
    )
    .option('--gate <gate>', 'the KPI gate that the median of other weeks may decide (stage override)')
    .option('--reject', 'say no')
    .option('--comment <text>', 'why; with a rejection, the reason of the halt; needed with --gate')
    .option('--seen <hash>', 'the plan or gate-set hash that was looked at (default: the one of now)')
    .addHelpText(
      'after',
      helpExamples(
        'approve my-batch --role data_privacy_officer',
        'approve my-batch --role product_owner --reject --comment "wrong day"',
        'approve my-batch --gate daily_active_sessions --role product_analytics_manager --comment "no campaign that week"',
      ),
    )
    .action(async (batchId: string, options: ApproveOptions, command: Command) => {
      const session = openSession(context, command, options.role);
      const batch = await getBatch(session.client, batchId);
      const stage = options.stage ?? (options.gate === undefined ? awaitedStage(batch) : 'override');
      await session.client.post(batchPath(batchId, '/approvals'), {
        stage,
        role: options.role,
        decision: options.reject ? 'reject' : 'approve',
        ...(options.gate !== undefined && { gate: options.gate }),
        ...(options.comment !== undefined && { comment: options.comment }),
        ...seenHash(stage, options.seen ?? (stage === 'run' ? batch.plan_hash : batch.gate_set_hash)),
      });
      await showBatch(session, batchId);
    });
}

/** What is signed, by its hash: the API refuses when it has changed meanwhile, and says what has. */
function seenHash(stage: ApprovalStage, hash: unknown): object {
  if (typeof hash !== 'string') return {};
  return stage === 'run' ? { plan_hash: hash } : { gate_set_hash: hash };
}

function awaitedStage({ batch_id, status }: BatchView): ApprovalStage {
  if (status === 'awaiting_run_approval') return 'run';
  if (status === 'awaiting_publish_approval') return 'publish';
  throw new CliError(`${batch_id} is ${status} and waits for no approval.`, [
    `See where it stands: ./backfill status ${batch_id}`,
  ]);
}
