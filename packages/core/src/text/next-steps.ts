import type { BatchView } from '../client/batch-view.ts';
import { restsAtLimit } from '../domain/import-limit.ts';
import { formatTable } from './format-table.ts';

/** A command, and what it does. */
export type Step = [command: string, effect: string];

/** What decides what can be done next. */
export type BatchAtRest = Pick<BatchView, 'batch_id' | 'status' | 'import_limit' | 'canary_passed'> & {
  missing_approvals: { run: string[]; publish: string[] } | null;
};

/** What a person can do with a batch that rests: one command a line, each with what it does. */
export function nextSteps(batch: BatchView): string[] {
  return formatTable(
    [
      { heading: '', align: 'left' },
      { heading: '', align: 'left' },
    ],
    stepsOf(batch),
  );
}

/** The same, not laid out yet. */
export function stepsOf(batch: BatchAtRest): Step[] {
  const id = batch.batch_id;
  const report = step(`report ${id}`, 'what was measured');
  switch (batch.status) {
    case 'awaiting_run_approval':
      return approvalSteps(id, batch.missing_approvals?.run ?? []);
    case 'awaiting_publish_approval': {
      const missing = batch.missing_approvals?.publish ?? [];
      return [report, ...approvalSteps(id, missing), step(`publish ${id} --watch`, 'once all have signed')];
    }
    case 'published':
      return [report, step(`rollback ${id} --watch`, 'takes it back')];
    case 'gates_failed':
      return [report, step(`verify ${id} --watch`, 'measures again'), giveUp(id)];
    case 'halted':
    case 'failed':
      if (restsAtLimit(batch)) return [step(`import --batch-id ${id}`, 'imports the rest'), giveUp(id)];
      return [step(`resume ${id} --watch`, 'goes on, once the cause is mended'), giveUp(id)];
    case 'rolled_back':
      return [step(`resume ${id} --watch`, 'starts anew; wants its run approvals again')];
    default:
      return [step(`status ${id} --watch`, 'follows it')];
  }
}

/** One command per role that has not signed what is to be signed now. */
function approvalSteps(id: string, roles: readonly string[]): Step[] {
  return roles.map((role) => step(`approve ${id} --role ${role}`, 'signs'));
}

function giveUp(id: string): Step {
  return step(`rollback ${id} --watch`, 'gives it up');
}

function step(call: string, effect: string): Step {
  return [`./backfill ${call}`, effect];
}
