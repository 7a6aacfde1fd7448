import type { BatchView } from '../client/batch-view.ts';
import { restsAtLimit } from '../domain/import-limit.ts';
import { formatTable } from './format-table.ts';

/** A command, and what it does. */
export type Step = [command: string, effect: string];

/** What decides what can be done next. */
export type BatchAtRest = Pick<BatchView, 'batch_id' | 'status' | 'import_limit' | 'canary_passed'> & {
  replaced_by?: string | null | undefined;
  missing_approvals: {
    run: string[];
    publish: string[];
    override?: { gate: string; role: string }[] | undefined;
  } | null;
  rehearsal?: { required: boolean; recorded: object | null } | null | undefined;
  incidents?: { incident_id: number; post_mortem_due: string; closed_at: string | null }[] | undefined;
  escalations?: { escalation_no: number; decision: object | null }[] | undefined;
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
  return [...stepsByStatus(batch), ...stepsByPeople(batch)];
}

/** What is left to people besides approvals, whatever the status. */
function stepsByPeople({ batch_id: id, rehearsal, incidents = [], escalations = [] }: BatchAtRest): Step[] {
  const isMissing = rehearsal?.required === true && rehearsal.recorded === null;
  const open = incidents.filter(({ closed_at }) => closed_at === null);
  const undecided = escalations.filter(({ decision }) => decision === null);
  return [
    ...(isMissing ? [step(`rehearsal ${id} --report FILE`, 'the report of a run elsewhere, which is missing')] : []),
    ...undecided.map(({ escalation_no }) =>
      step(
        `escalate ${id} --decide ${escalation_no} --role ROLE --decision TEXT --why TEXT`,
        'records what was decided',
      ),
    ),
    ...open.map(({ incident_id, post_mortem_due }) =>
      step(
        `incident ${id} --close ${incident_id} --note URL`,
        `once its post-mortem is written, by ${post_mortem_due}`,
      ),
    ),
  ];
}

function stepsByStatus(batch: BatchAtRest): Step[] {
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
      if (batch.replaced_by) return [report, step(`rollback ${batch.replaced_by} --watch`, 'brings its rows back')];
      return [report, step(`rollback ${id} --watch`, 'takes it back')];
    case 'gates_failed':
      return [
        report,
        ...overrideSteps(batch),
        step(`verify ${id} --watch`, 'measures again'),
        giveUp(id),
        escalate(id),
      ];
    case 'halted':
    case 'failed':
      if (restsAtLimit(batch)) return [step(`import --batch-id ${id}`, 'imports the rest'), giveUp(id)];
      return [step(`resume ${id} --watch`, 'goes on, once the cause is mended'), giveUp(id), escalate(id)];
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

function escalate(id: string): Step {
  return step(`escalate ${id} --why TEXT`, 'asks those who decide about conflicts');
}

/** One command per role that may let the median decide where a KPI has nothing better to be compared with. */
function overrideSteps({ batch_id: id, missing_approvals: missing }: BatchAtRest): Step[] {
  return (missing?.override ?? []).map(({ gate, role }) =>
    step(`approve ${id} --gate ${gate} --role ${role} --comment "…"`, 'lets the median of other weeks decide'),
  );
}

function giveUp(id: string): Step {
  return step(`rollback ${id} --watch`, 'gives it up');
}

function step(call: string, effect: string): Step {
  return [`./backfill ${call}`, effect];
}
