import { z } from 'zod';
import { BATCH_STATUSES } from '../domain/batch-status.ts';

/** Where an event came from and what became of it, as the API tells it. */
export const eventTraceSchema = z.looseObject({
  event_id: z.string(),
  state: z.string(),
  /** The batch that owns it. */
  owner: z.string().nullable(),
  owner_kind: z.enum(['batch', 'live', 'none']),
  schema_version: z.string().nullable(),
  raw_line: z.string().nullable(),
  raw_line_missing: z.string().nullable(),
  lines: z.array(
    z.looseObject({
      batch_id: z.string(),
      batch_status: z.enum(BATCH_STATUSES),
      source_file: z.string(),
      line_no: z.number(),
      byte_start: z.number().nullable(),
      byte_end: z.number().nullable(),
      mirror_sha256: z.string().nullable(),
    }),
  ),
  stored: z.array(
    z.looseObject({
      batch_id: z.string().nullable(),
      ingested_at: z.string(),
      deleted_at: z.string().nullable(),
      /** Absent from an older API. */
      replaced_by: z.string().nullish(),
    }),
  ),
  losers: z.array(
    z.looseObject({ batch_id: z.string().nullable(), winner_batch_id: z.string().nullable(), withheld: z.boolean() }),
  ),
  handovers: z.array(
    z.looseObject({
      from_batch_id: z.string(),
      to_batch_id: z.string().nullable(),
      is_suppressed: z.boolean(),
      handed_over_at: z.string(),
    }),
  ),
  approvals: z.array(z.looseObject({ stage: z.string(), role: z.string(), actor: z.string(), at: z.string() })),
});

export type EventTrace = z.infer<typeof eventTraceSchema>;
