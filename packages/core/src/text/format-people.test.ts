import { expect, it } from 'vitest';
import { exampleBatch } from '../client/example-batch.ts';
import { formatPeople } from './format-people.ts';

const INCIDENT = {
  incident_id: 7,
  kind: 'gates_failed',
  summary: 'overlap: 1 observed, 0.5 allowed',
  post_mortem_due: '2026-11-02T00:00:00.000Z',
  closed_at: null,
};
const ESCALATION = { escalation_no: 1, about: 'gates_failed', raised_by: 'olga', why: 'needed', decision: null };

it('shows nothing where there is nothing', () => {
  expect(formatPeople(exampleBatch())).toEqual([]);
  const nothing = { rehearsal: { required: false, recorded: null }, freeze: null, incidents: [], escalations: [] };
  expect(formatPeople(exampleBatch(nothing))).toEqual([]);
});

it('says what is missing, frozen, open and undecided', () => {
  const batch = exampleBatch({
    rehearsal: { required: true, recorded: null },
    freeze: { reason: 'extended: gates failed', held_by: 7 },
    incidents: [INCIDENT, { ...INCIDENT, incident_id: 8, closed_at: '2026-11-01T12:00:00.000Z' }],
    escalations: [
      ESCALATION,
      { ...ESCALATION, escalation_no: 2, decision: { role: 'product_owner', decided_by: 'otto', decision: 'give up' } },
    ],
  });
  expect(formatPeople(batch)).toEqual([
    ['Rehearsal', ['missing: the run waits for the report of a run with the same recipe elsewhere']],
    ['Freeze', ['readers must not trust the window: extended: gates failed; holds until incident 7 is closed']],
    [
      'Incidents',
      [
        '7 gates_failed, post-mortem due 2026-11-02T00:00:00.000Z: overlap: 1 observed, 0.5 allowed',
        '8 gates_failed, closed 2026-11-01T12:00:00.000Z: overlap: 1 observed, 0.5 allowed',
      ],
    ],
    [
      'Escalations',
      [
        '1 gates_failed, by olga: needed; not decided yet',
        '2 gates_failed, by olga: needed; otto (product_owner) decided: give up',
      ],
    ],
  ]);
});

it('says whose rehearsal went well', () => {
  const recorded = { rehearsed_batch_id: 'staging-1', recorded_by: 'olga' };
  expect(formatPeople(exampleBatch({ rehearsal: { required: true, recorded } }))).toEqual([
    ['Rehearsal', ['staging-1 went well, says olga']],
  ]);
});
