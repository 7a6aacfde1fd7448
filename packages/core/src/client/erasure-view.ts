import { z } from 'zod';

/** An erasure, with the receipts of what has gone. Nothing in it says who it is about. */
export const erasureSchema = z.object({
  erasure_id: z.number(),
  requested_by: z.string(),
  requested_at: z.string(),
  submitted_at: z.string().describe('When the id was submitted last'),
  pseudonyms: z.number().describe('Under how many pseudonyms the person was known'),
  state: z.enum(['running', 'waiting', 'complete', 'incomplete']),
  waiting_for: z.array(z.string()).describe('Batches that something works for; they are looked at when they rest'),
  search: z
    .enum(['running', 'done', 'lost'])
    .describe('For lines that only the id itself can find. lost: the process that held the id ended; submit it again'),
  ended_at: z.string().nullable(),
  problems: z.array(z.string()).describe('What was left, and what to do'),
  receipts: z.array(
    z.object({
      store: z.string(),
      batch_id: z.string().nullable(),
      rows: z.number().describe('Rows, or lines of files'),
      objects: z.number().describe('Objects that were written anew, or went'),
      first_at: z.string(),
      last_at: z.string(),
    }),
  ),
});
export type ErasureView = z.infer<typeof erasureSchema>;
