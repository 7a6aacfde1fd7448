import { BATCH_STATUSES } from '@backfill/core/domain/batch-status';
import { z } from 'zod';

/** Where an event came from and what became of it. */
export const EventTrace = z.object({
  event_id: z.string(),
  state: z
    .enum(['live', 'staged', 'replaced', 'tombstoned', 'released'])
    .describe('replaced: another batch took its place; released: its batch was taken back before it was published'),
  owner: z.string().nullable().describe('The batch that owns it; null for live ingestion or for none'),
  owner_kind: z.enum(['batch', 'live', 'none']),
  source_file: z.string().nullable().describe("Of the owner's first line; null when only live ingestion delivered it"),
  line_no: z.int().nullable(),
  lines: z
    .array(
      z.object({
        batch_id: z.string(),
        batch_status: z.enum(BATCH_STATUSES),
        source_file: z.string(),
        line_no: z.int(),
      }),
    )
    .describe('Every raw line that became this event, in every batch'),
  stored: z
    .array(
      z.object({
        batch_id: z.string().nullable(),
        ingested_at: z.iso.datetime(),
        deleted_at: z.iso.datetime().nullable(),
        replaced_by: z.string().nullable().describe('The batch that put it out of sight, and brings it back'),
      }),
    )
    .describe('Its stored rows: at most one that is live, and those that were tombstoned'),
});
export type EventTrace = z.infer<typeof EventTrace>;
