import { BATCH_STATUSES } from '@backfill/core/domain/batch-status';
import { z } from 'zod';

/** Where an event came from and what became of it. */
export const EventTrace = z.object({
  event_id: z.string(),
  state: z
    .enum(['live', 'staged', 'suppressed', 'replaced', 'tombstoned', 'released'])
    .describe(
      'suppressed: not live, because the person objected or was erased; replaced: another batch took its place; released: its batch was taken back before it was published',
    ),
  owner: z.string().nullable().describe('The batch that owns it; null for live ingestion or for none'),
  owner_kind: z.enum(['batch', 'live', 'none']),
  event_name: z.string().nullable().describe('Of its latest stored row; null when it never was stored'),
  schema_version: z.string().nullable(),
  source_file: z.string().nullable().describe("Of the owner's first line; null when only live ingestion delivered it"),
  line_no: z.int().nullable(),
  raw_line: z
    .string()
    .nullable()
    .describe('That line as its format is read, with everything masked that the stored event does not show'),
  raw_line_missing: z.string().nullable().describe('Why it is not there'),
  lines: z
    .array(
      z.object({
        batch_id: z.string(),
        batch_status: z.enum(BATCH_STATUSES),
        source_file: z.string(),
        line_no: z.int(),
        byte_start: z
          .int()
          .nullable()
          .describe('The stretch of the object that holds the line: all of a compressed one'),
        byte_end: z.int().nullable().describe('Behind its last byte'),
        first_line: z.int().nullable().describe("Number of the stretch's first line"),
        raw_sha256: z.string().nullable().describe('Of the raw object as it was pinned'),
        mirror_sha256: z.string().nullable().describe('Of the object in the mirror'),
        part_key: z.string().nullable().describe('What its part of the lines became, in the archive'),
        part_sha256: z.string().nullable(),
      }),
    )
    .describe('Every raw line that became this event, in every batch'),
  stored: z
    .array(
      z.object({
        batch_id: z.string().nullable(),
        schema_version: z.string(),
        ingested_at: z.iso.datetime(),
        deleted_at: z.iso.datetime().nullable(),
        replaced_by: z.string().nullable().describe('The batch that put it out of sight, and brings it back'),
      }),
    )
    .describe('Its stored rows: at most one that is live, and those that were tombstoned'),
  losers: z
    .array(
      z.object({
        batch_id: z.string().nullable().describe('null: live ingestion'),
        winner_batch_id: z.string().nullable().describe('null: live ingestion; for live ingestion itself: a batch'),
        withheld: z.boolean().describe('Left out by the batch, since the person was suppressed'),
        recorded_at: z.iso.datetime(),
      }),
    )
    .describe('Who delivered it too and did not get it, or left it out'),
  handovers: z
    .array(
      z.object({
        from_batch_id: z.string(),
        to_batch_id: z.string().nullable().describe('null: live ingestion'),
        is_suppressed: z.boolean().describe('Nobody got it: the person is suppressed'),
        handed_over_at: z.iso.datetime(),
      }),
    )
    .describe('How it went on when a batch was taken back'),
  approvals: z
    .array(
      z.object({
        stage: z.string(),
        role: z.string(),
        actor: z.string(),
        bound_hash: z.string(),
        at: z.iso.datetime(),
      }),
    )
    .describe('By whom the batch that owns it was approved'),
});
export type EventTrace = z.infer<typeof EventTrace>;
