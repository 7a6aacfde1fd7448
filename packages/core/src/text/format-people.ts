import type { BatchDetail } from '../client/batch-view.ts';

type Block = [title: string, lines: string[]];

/** What people decided about a batch besides its approvals, and what readers must know: a block for each that there is. */
export function formatPeople(batch: BatchDetail): Block[] {
  const { rehearsal, freeze, incidents = [], escalations = [] } = batch;
  const blocks: Block[] = [
    ['Rehearsal', formatRehearsal(rehearsal)],
    ['Freeze', freeze == null ? [] : [formatFreeze(freeze)]],
    ['Incidents', incidents.map(formatIncident)],
    ['Escalations', escalations.map(formatEscalation)],
  ];
  return blocks.filter(([, lines]) => lines.length > 0);
}

function formatRehearsal(rehearsal: BatchDetail['rehearsal']): string[] {
  if (rehearsal == null) return [];
  const { required, recorded } = rehearsal;
  if (recorded !== null) return [`${recorded.rehearsed_batch_id} went well, says ${recorded.recorded_by}`];
  return required ? ['missing: the run waits for the report of a run with the same recipe elsewhere'] : [];
}

function formatFreeze({ reason, held_by }: NonNullable<BatchDetail['freeze']>): string {
  const held = held_by === null ? '' : `; holds until incident ${held_by} is closed`;
  return `readers must not trust the window: ${reason}${held}`;
}

function formatIncident(incident: NonNullable<BatchDetail['incidents']>[number]): string {
  const { incident_id, kind, summary, post_mortem_due, closed_at } = incident;
  const state = closed_at === null ? `post-mortem due ${post_mortem_due}` : `closed ${closed_at}`;
  return `${incident_id} ${kind}, ${state}: ${summary}`;
}

function formatEscalation(escalation: NonNullable<BatchDetail['escalations']>[number]): string {
  const { escalation_no, about, raised_by, why, decision } = escalation;
  const decided =
    decision === null ? 'not decided yet' : `${decision.decided_by} (${decision.role}) decided: ${decision.decision}`;
  return `${escalation_no} ${about}, by ${raised_by}: ${why}; ${decided}`;
}
