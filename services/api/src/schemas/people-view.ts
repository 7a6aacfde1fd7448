import { z } from 'zod';

const count = z.int();
const instant = z.iso.datetime();

export const Incident = z.object({
  incident_id: count,
  kind: z.string(),
  summary: z.string(),
  raised_at: instant,
  post_mortem_due: instant.describe('24 hours after it was raised'),
  closed_at: instant.nullable(),
  closed_by: z.string().nullable(),
  note: z.string().nullable().describe('Where the post-mortem is'),
});

export const Escalation = z.object({
  escalation_no: count,
  about: z.string().describe('rejected, gates_failed, halted or failed'),
  status_reason: z.string().nullable().describe('What stood in the batch then'),
  raised_by: z.string(),
  why: z.string(),
  raised_at: instant,
  decision: z
    .object({ role: z.string(), decided_by: z.string(), decision: z.string(), why: z.string(), decided_at: instant })
    .nullable(),
});

const Rehearsal = z.object({
  recipe_hash: z.string().describe('Of the plan: the run elsewhere must have had the same'),
  required: z.boolean(),
  recorded: z
    .object({
      report_sha256: z.string(),
      report_path: z.string(),
      rehearsed_batch_id: z.string(),
      rehearsed_gate_set_hash: z.string(),
      recorded_by: z.string(),
      recorded_at: instant,
    })
    .nullable(),
});

const Freeze = z.object({
  reason: z.string(),
  frozen_at: instant,
  extended_at: instant.nullable(),
  held_by: count.nullable().describe('The incident that has to be closed before the freeze is lifted'),
});

const Publish = z.object({
  step: z.enum(['snapshot', 'rows', 'count', 'done']).describe('What is to be done next'),
  outcome: z.enum(['published', 'sent_back', 'miscounted', 'taken_back']).nullable(),
  go_by: z.string(),
  go_at: instant,
  visible_due: instant,
  visible_at: instant.nullable(),
  visible_seconds: z.number().nullable().describe('From the go until readers saw the rows'),
  snapshot: z
    .object({ path: z.string(), sha256: z.string(), bytes: count, rows: count, mark: z.string(), at: instant })
    .nullable(),
  published: count.nullable(),
  taken_over: count.nullable(),
  newly_suppressed: count.nullable().describe('Signed rows left out: their person was suppressed since'),
  newly_live: count.nullable().describe('Signed rows left out: somebody else has delivered them since'),
  withheld: count.nullable().describe('Rows of people who were suppressed before the signing: not part of it'),
  counted: count.nullable().describe('Rows found live after the transaction'),
});

/** What people decided about a batch besides its approvals, and what follows from it. */
export const PeopleView = z.object({
  rehearsal: Rehearsal.nullable().describe('null before the plan'),
  freeze: Freeze.nullable().describe('Set while readers must not trust the window'),
  incidents: z.array(Incident),
  escalations: z.array(Escalation),
  publish: Publish.nullable().describe('The last publish of this attempt, from the go'),
});
export type PeopleView = z.infer<typeof PeopleView>;
