import { BATCH_STATUSES } from '@backfill/core/domain/batch-status';
import { z } from 'zod';
import { EXAMPLE_BATCH_DETAIL } from './batch-example.ts';
import { PeopleView } from './people-view.ts';

const count = z.int();
const instant = z.iso.datetime();

const Balance = z.object({
  read: count,
  inserted: count,
  duplicate: count,
  suppressed: count,
  expired: count,
  filtered: count,
  quarantined: count,
});

const RestoredSnapshot = z
  .object({
    publish_id: count,
    path: z.string(),
    sha256: z.string(),
    taken_at: z.string(),
    rows: count,
    kept: count.describe('Live already'),
    restored: count.describe('Live again'),
    suppressed: count.describe('Left out: of people who are suppressed by now'),
    expired: count.describe('Left out: older than events are kept'),
    replaced: count.optional().describe('Left out: another batch has replaced them'),
    taken_back: count.describe('Left out: of other batches that were taken back since'),
    own: count.describe('Left out: of the batch itself'),
    since: z.record(z.string(), count).describe('Live, not in the snapshot, and left: by batch, `(live)` for none'),
    since_examples: z.array(z.string()),
  })
  .describe('What became of the rows of the snapshot; null for other modes and where nothing had been published');

/** A batch as the API shows it. */
export const BatchView = z.object({
  batch_id: z.string(),
  source: z.string(),
  reason: z.string(),
  input: z.string(),
  status: z.enum(BATCH_STATUSES),
  status_reason: z.string().nullable(),
  resume_status: z.enum(BATCH_STATUSES).nullable().describe('Where a halted or failed batch stopped'),
  window: z.object({ start: instant, end: instant }),
  replaces: z
    .union([z.object({ batch_id: z.string() }), z.object({ live: z.literal(true) })])
    .nullable()
    .describe(
      'What its publish takes out of sight, and its rollback brings back; the gate `replaces` says what changes',
    ),
  replaced_by: z.string().nullable().describe('The published batch that has replaced it: nothing of it is live'),
  submitted_by: z.string(),
  created_at: instant,
  updated_at: instant,
  attempt: count.describe('1, and one more for each new start after a rollback'),
  plan_hash: z.string().nullable(),
  gate_set_hash: z.string().nullable(),
  checksum: z.string().nullable(),
  row_count: count.nullable(),
  canary_passed: z.boolean().nullable(),
  import_limit: count.nullable().describe('Events after which the import halts for a person'),
  progress: z.object({
    chunks_total: count,
    chunks_done: count,
    lines_read: count.describe('Lines transformed so far, imported or not'),
    files_total: count,
    files_mirrored: count,
    parts_total: count.describe('Import parts so far: each chunk yields some'),
    parts_imported: count,
  }),
  balance: Balance.describe('Lines whose outcome is final: read is the sum of the others'),
  duplicates: z
    .object({ same_batch: count, other_batch: count, live: count })
    .describe('The duplicates of the balance by kind'),
  gates: z.array(
    z.object({
      gate: z.string(),
      threshold: z.number(),
      observed: z.number().nullable(),
      passed: z.boolean(),
      procedure: z.string(),
      detail: z.record(z.string(), z.unknown()),
      measured_at: instant,
    }),
  ),
  approvals: z.array(
    z.object({
      stage: z.string(),
      role: z.string(),
      actor: z.string(),
      decision: z.enum(['approve', 'reject']),
      at: instant,
      gate: z.string().nullable().describe('The gate that an override is about'),
      comment: z.string().nullable(),
      counts: z.boolean().describe('False when it was bound to another plan or gate set, or its role decided anew'),
    }),
  ),
  missing_approvals: z
    .object({
      run: z.array(z.string()),
      publish: z.array(z.string()),
      override: z.array(z.object({ gate: z.string(), role: z.string() })),
    })
    .nullable()
    .describe('Roles that have not said yes yet, of overrides with the gate; null before the plan'),
  rollback: z
    .object({
      mode: z.string(),
      actor: z.string(),
      tombstoned: count,
      handed_over: count.describe('Of these: live all the same, of others who delivered them too'),
      keys_freed: count.nullable().describe('null while the keys, in their own database, still have to be freed'),
      live_rows_after: count,
      keys_after: count.nullable(),
      left_outside: count.describe(
        'Live rows of the batch outside of its window, which a rollback of the window leaves',
      ),
      jobs_after: count,
      others_before: z
        .string()
        .nullable()
        .describe("Number and sum of hashes of others' live ids in the window, before and after"),
      others_after: z.string().nullable(),
      others_recent: count.nullable().describe("Others' rows that were written meanwhile, not in these sums"),
      snapshot: RestoredSnapshot.nullable(),
      replaced: z
        .object({
          revived: count.describe('Live again'),
          suppressed: count.describe('Left out: of people who are suppressed by now'),
          expired: count.describe('Left out: older than events are kept'),
          live: count.describe('Live already: somebody else delivered them'),
        })
        .nullable()
        .describe('What became of the rows that the batch had replaced; null where it had replaced none'),
      at: instant,
    })
    .nullable()
    .describe('What the rollback of this attempt did, and its proof'),
});
export type BatchView = z.infer<typeof BatchView>;

/** One batch in full: with the balance of each of its files, and what people decided about it. */
export const BatchDetail = BatchView.extend({
  ...PeopleView.shape,
  next_calls: z.array(z.string()).describe('What can be called for a batch that waits for people'),
  files: z.array(
    z.object({
      source_file: z.string(),
      size: count,
      sha256: z.string(),
      compression: z.string(),
      format: z.string().describe('How its records are written: what the source says, or what was found in it'),
      lines: count,
      copy: z
        .object({ size: count, sha256: z.string() })
        .nullable()
        .describe('The pseudonymised copy that the mirror holds of a file from outside the EU, instead of the file'),
      balance: Balance,
    }),
  ),
}).meta({ id: 'BatchDetail', examples: [EXAMPLE_BATCH_DETAIL] });
export type BatchDetail = z.infer<typeof BatchDetail>;
