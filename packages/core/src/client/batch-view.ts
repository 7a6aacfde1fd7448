import { z } from 'zod';
import { BATCH_STATUSES } from '../domain/batch-status.ts';

const count = z.number();

const balanceSchema = z.looseObject({
  read: count,
  inserted: count,
  duplicate: count,
  suppressed: count,
  expired: count,
  filtered: count,
  quarantined: count,
});

const gateSchema = z.looseObject({
  gate: z.string(),
  threshold: z.number(),
  observed: z.number().nullable(),
  passed: z.boolean(),
  /** With the policy's reason where the source cannot have such a gate. */
  detail: z.looseObject({ not_applicable: z.string().optional() }).optional(),
});

const approvalSchema = z.looseObject({
  stage: z.string(),
  role: z.string(),
  actor: z.string(),
  decision: z.enum(['approve', 'reject']),
  at: z.string(),
  /** False when it was for another plan or other figures, or its role decided anew. */
  counts: z.boolean(),
});

const incidentSchema = z.looseObject({
  incident_id: count,
  kind: z.string(),
  summary: z.string(),
  post_mortem_due: z.string(),
  closed_at: z.string().nullable(),
});

const escalationSchema = z.looseObject({
  escalation_no: count,
  about: z.string(),
  raised_by: z.string(),
  why: z.string(),
  decision: z.looseObject({ role: z.string(), decided_by: z.string(), decision: z.string() }).nullable(),
});

/** What people decided about a batch besides its approvals; only shown of a single one. */
const peopleSchema = z.looseObject({
  rehearsal: z
    .looseObject({
      required: z.boolean(),
      recorded: z.looseObject({ rehearsed_batch_id: z.string(), recorded_by: z.string() }).nullable(),
    })
    .nullable(),
  freeze: z.looseObject({ reason: z.string(), held_by: count.nullable() }).nullable(),
  incidents: z.array(incidentSchema),
  escalations: z.array(escalationSchema),
  publish: z.looseObject({ step: z.string(), outcome: z.string().nullable() }).nullable(),
});

/** What became of the rows of a snapshot; see RestoredSnapshot. */
const restoredSnapshotSchema = z.looseObject({
  publish_id: count,
  path: z.string(),
  sha256: z.string(),
  taken_at: z.string(),
  rows: count,
  kept: count,
  restored: count,
  suppressed: count,
  expired: count,
  replaced: count.optional(),
  taken_back: count,
  own: count,
  since: z.record(z.string(), count),
  since_examples: z.array(z.string()),
});

/**
 * A batch as the API shows it (contract, section 4). Fields that we do not know are kept, so that a newer API can
 * be used with an older command line.
 */
export const batchViewSchema = z.looseObject({
  ...peopleSchema.partial().shape,
  batch_id: z.string(),
  source: z.string(),
  status: z.enum(BATCH_STATUSES),
  status_reason: z.string().nullable(),
  /** Absent from an older API, as is the next one. */
  replaces: z.union([z.looseObject({ batch_id: z.string() }), z.looseObject({ live: z.literal(true) })]).nullish(),
  /** The batch that has replaced it. */
  replaced_by: z.string().nullish(),
  plan_hash: z.string().nullable(),
  window: z.looseObject({ start: z.string(), end: z.string() }),
  created_at: z.string(),
  progress: z.looseObject({ chunks_total: count, chunks_done: count, lines_read: count }),
  balance: balanceSchema,
  /** The duplicates of the balance by kind. */
  duplicates: z.looseObject({ same_batch: count, other_batch: count, live: count }),
  canary_passed: z.boolean().nullable(),
  /** Events after which the import halts for a person. */
  import_limit: count.nullable(),
  gates: z.array(gateSchema),
  approvals: z.array(approvalSchema),
  /** Roles that have not said yes; null before there is a plan. */
  missing_approvals: z
    .looseObject({
      run: z.array(z.string()),
      publish: z.array(z.string()),
      /** Absent from an older API. */
      override: z.array(z.looseObject({ gate: z.string(), role: z.string() })).optional(),
    })
    .nullable(),
  /** Of a batch that was taken back: what that did, and its proof. */
  rollback: z
    .looseObject({
      mode: z.string(),
      tombstoned: count,
      handed_over: count,
      keys_freed: count.nullable(),
      live_rows_after: count,
      keys_after: count.nullable(),
      left_outside: count,
      jobs_after: count,
      others_before: z.string().nullable(),
      others_after: z.string().nullable(),
      others_recent: count.nullable(),
      snapshot: restoredSnapshotSchema.nullable(),
      replaced: z
        .looseObject({ revived: count, suppressed: count, expired: count, live: count })
        .nullable()
        // Absent from an older API.
        .default(null),
    })
    .nullable(),
});

/** One batch in full: with the balance of each of its pinned files. */
export const batchDetailSchema = batchViewSchema.extend({
  files: z.array(z.looseObject({ source_file: z.string(), format: z.string(), lines: count, balance: balanceSchema })),
});

/** One page of batches, newest first. */
export const batchPageSchema = z.looseObject({
  batches: z.array(batchViewSchema),
  next_cursor: z.string().nullable(),
});

export type BatchView = z.infer<typeof batchViewSchema>;
export type BatchDetail = z.infer<typeof batchDetailSchema>;
export type GateView = z.infer<typeof gateSchema>;
