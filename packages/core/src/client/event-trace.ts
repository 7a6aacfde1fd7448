import { z } from 'zod';
import { BATCH_STATUSES } from '../domain/batch-status.ts';

/** Where an event came from and what became of it, as the API tells it. */
export const eventTraceSchema = z.looseObject({
  event_id: z.string(),
  state: z.string(),
  /** The batch that owns it. */
  owner: z.string().nullable(),
  owner_kind: z.enum(['batch', 'live', 'none']),
  lines: z.array(
    z.looseObject({
      batch_id: z.string(),
      batch_status: z.enum(BATCH_STATUSES),
      source_file: z.string(),
      line_no: z.number(),
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
});

export type EventTrace = z.infer<typeof eventTraceSchema>;
