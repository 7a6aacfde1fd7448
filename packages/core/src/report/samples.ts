import { z } from 'zod';

/** Stands for everything that must not be seen, whatever it is and however long. */
export const MASK = '▒▒▒';

/** One event of a sample, traced to its raw line. Nothing in it but what the event may show. */
const Sample = z.object({
  event_id: z.string(),
  source_file: z.string(),
  /** Null where no line was found. */
  line_no: z.number().nullable(),
  /** How the file is written. */
  format: z.string(),
  /** The raw line as its format is read, with everything masked that the event does not show. */
  raw_line: z.string(),
  /** The staged row. A column that is not what the line gives is masked. */
  row: z.object({
    source: z.string(),
    event_name: z.string(),
    schema_version: z.string(),
    /** ISO, UTC, to the millisecond. */
    event_ts: z.string(),
    session_id: z.string().nullable(),
    subject_id: z.string().nullable(),
    /** The stored text, byte for byte. */
    payload: z.string(),
  }),
  matches: z.boolean(),
  /** What is not as it should be; empty when it matches. Never a value. */
  problems: z.array(z.string()),
});

export type Sample = z.infer<typeof Sample>;

/** The object that holds a batch's samples, apart from the report: it may expire or be erased. */
export const Samples = z.object({
  version: z.literal(1),
  batch_id: z.string(),
  plan_hash: z.string(),
  rows_digest: z.string(),
  samples: z.array(Sample),
});

export type Samples = z.infer<typeof Samples>;

/** How a report refers to its samples. */
export const SamplesReference = z.object({
  events: z.number(),
  /** In the archive bucket. */
  key: z.string(),
  /** Of the object, lower-case hex. */
  sha256: z.string(),
});

export type SamplesReference = z.infer<typeof SamplesReference>;
