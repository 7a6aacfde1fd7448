import { KPI_NAMES } from '@backfill/core/domain/kpi';
import { referenceProblems } from '@backfill/core/domain/kpi-references';
import { SOURCE_NAME } from '@backfill/core/domain/source-name';
import {
  BATCH_ID,
  BATCH_REASONS,
  type BatchReason,
  REPLACING_REASONS,
  windowProblem,
} from '@backfill/core/domain/submission';
import { personalDataInName } from '@backfill/core/recipe/detectors/personal-name';
import { parseS3Prefix } from '@backfill/core/storage/layout';
import { z } from 'zod';
import { isPlainText, plainText } from './text.ts';

const MAX_REFERENCES = 1_000;

const instant = z.iso.datetime({ offset: true, error: 'is not an RFC 3339 time with an offset' });
const isDate = (text: string) => z.iso.date().safeParse(text).success;

const window = z
  .strictObject({ start: instant, end: instant })
  .superRefine((value, context) => {
    const problem = windowProblem(value);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  })
  .describe('[start, end)');

const reference = z.strictObject({
  kpi: z.enum(KPI_NAMES, `is no KPI; there are: ${KPI_NAMES.join(', ')}`),
  day: z.iso.date(),
  value: z.number(),
  source: plainText(200),
});

const references = z
  .array(reference)
  .max(MAX_REFERENCES)
  .superRefine((given, context) => {
    for (const { index, field, message } of referenceProblems(given)) {
      context.addIssue({ code: 'custom', path: [index, field], message });
    }
  });

const replaces = z
  .union([z.strictObject({ batch_id: z.string().regex(BATCH_ID) }), z.strictObject({ live: z.literal(true) })], {
    error: 'is neither {batch_id} nor {live: true}',
  })
  .describe('Goes when the batch is published, and comes back with its rollback: a published batch, or live events');

const retentionException = z.strictObject({
  why: plainText(1_000),
  until: z
    .string()
    .refine(
      (until) => isDate(until) || instant.safeParse(until).success,
      'is neither a date nor an RFC 3339 time with an offset',
    )
    // Stored as one form: a date lasts until its end, in UTC.
    .transform((until) => (isDate(until) ? `${until}T23:59:59Z` : until)),
});

function inputProblem(input: string, rawBucket: string): string | undefined {
  const place = parseS3Prefix(input);
  if (place === undefined || !isPlainText(input)) return `is not of the form s3://${rawBucket}/prefix/`;
  if (place.bucket !== rawBucket) return `must lie in the raw bucket, s3://${rawBucket}/`;
  const kinds = personalDataInName(place.prefix);
  return kinds.length === 0
    ? undefined
    : `looks like personal data (${kinds.join(', ')}), and is stored with the batch`;
}

function inputSchema(rawBucket: string) {
  return z
    .string()
    .max(1_024)
    .superRefine((input, context) => {
      const problem = inputProblem(input, rawBucket);
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
    })
    .describe('s3://bucket/prefix/ in the raw bucket');
}

/** False when the reason means that there are stored events already, and the body does not name them. */
function namesWhatItReplaces(body: { reason?: unknown; replaces?: unknown } | null): boolean {
  return !REPLACING_REASONS.includes(body?.reason as BatchReason) || body?.replaces !== undefined;
}

/**
 * The body of `POST /v1/batches`. A body with several mistakes has all of them named, those between fields as well.
 *
 * @param rawBucket the only bucket that batches are read from
 */
export function submissionBody(rawBucket: string) {
  return z
    .strictObject({
      batch_id: z.string().regex(BATCH_ID, `does not match ${BATCH_ID.source}`),
      source: z.string().regex(SOURCE_NAME, 'is not the name of a source'),
      reason: z.enum(BATCH_REASONS),
      input: inputSchema(rawBucket),
      window,
      expected_events: z.int().min(0).optional(),
      max_overlap: z.number().min(0).max(1).optional(),
      references: references.optional(),
      replaces: replaces.optional(),
      retention_exception: retentionException.optional(),
      ticket: plainText(200).optional(),
    })
    .refine(namesWhatItReplaces, {
      path: ['replaces'],
      message: 'is needed for this reason: the batch or the live events to replace',
      // Also when single fields are wrong, so that one answer names everything.
      when: () => true,
    });
}
