import { z } from 'zod';

const overAgeSchema = z.object({
  bucket: z.string(),
  before: z.string(),
  objects: z.number(),
  bytes: z.number(),
  oldest: z.string().nullable(),
  inputs: z.array(z.object({ batch_id: z.string(), objects: z.number(), bytes: z.number() })),
});

/** One deletion, as it is on record. */
export const deletionSchema = z.object({
  deletion_id: z.number(),
  kind: z.enum(['staging', 'archive', 'snapshots', 'events', 'keys', 'records']),
  what: z.string(),
  batch_id: z.string().nullable(),
  rule: z.string(),
  cut_off: z.string().describe('What was from before this was past its time'),
  rows: z.number(),
  objects: z.number(),
  bytes: z.number(),
  actor: z.string(),
  begun_at: z.string(),
  completed_at: z.string().nullable().describe('null while it is under way, or was cut off and waits for the next run'),
});

/** A run of retention, with the receipts of what it has deleted. */
export const retentionRunSchema = z.object({
  run_id: z.number(),
  requested_by: z.string(),
  requested_at: z.string(),
  begun_at: z.string().nullable(),
  ended_at: z.string().nullable(),
  outcome: z.enum(['complete', 'incomplete']).nullable().describe('null until it has ended'),
  problems: z.array(z.string()).describe('What was left for the next run, and why'),
  over_age: overAgeSchema.nullable(),
  deletions: z.array(deletionSchema),
});
export type RetentionRunView = z.infer<typeof retentionRunSchema>;

/** What would be deleted now, and why. */
export const retentionViewSchema = z.object({
  at: z.string(),
  cut_offs: z.object({ staging: z.string(), raw: z.string(), events: z.string() }),
  due: z.array(
    z.object({
      kind: deletionSchema.shape.kind,
      what: z.string(),
      batch_id: z.string().nullable(),
      why: z.string(),
      rows: z.number().nullable(),
      objects: z.number(),
      bytes: z.number(),
      precision: z.enum(['exact', 'about', 'at least']).describe('Of the rows'),
    }),
  ),
  held: z
    .array(
      z.object({
        batch_id: z.string(),
        kinds: z.array(deletionSchema.shape.kind),
        why: z.string(),
        until: z.string().nullable(),
      }),
    )
    .describe('What is past its time and stays all the same'),
  over_age: overAgeSchema.describe('Objects of the raw bucket past their limit; they are never deleted'),
  last_run_at: z.string().nullable().describe('When a run last left nothing'),
});
export type RetentionView = z.infer<typeof retentionViewSchema>;
