import { hash } from 'node:crypto';
import { listStagedSamples, STAGED_SAMPLE_SQL } from '@backfill/core/db/queries/staged-sample-list';
import type { GateResult } from '@backfill/core/domain/gate-result';
import type { KeyRing } from '@backfill/core/recipe/key-ring';
import type { Sample, Samples, SamplesReference } from '@backfill/core/report/samples';
import { archiveLayout } from '@backfill/core/storage/layout';
import { compileSampleCheck } from '../sample/check-sample.ts';
import { type MirrorAccess, placeKey, readMirrorLines } from '../sample/read-lines.ts';
import type { SampleDraw } from '../sample/sample-draw.ts';

const MAX_EXAMPLES = 20;

/** What the gate works with. */
export interface SampleContext extends MirrorAccess {
  keys: KeyRing;
  planHash: string;
  rowsDigest: string;
}

/** Traces the events drawn to their lines, transforms those again, and compares. */
async function traceSample(context: SampleContext, draw: SampleDraw, signal: AbortSignal): Promise<Sample[]> {
  const { read, batchId, recipe, keys } = context;
  const staged = await read((db) => listStagedSamples(db, batchId, draw.drawn()));
  const places = staged.flatMap(({ file_no, line_no }) => (line_no === null ? [] : [{ file_no, line_no }]));
  const lines = await readMirrorLines(context, places, signal);
  const check = compileSampleCheck(recipe, keys);
  return staged.map((row) => {
    const { file_no, line_no } = row;
    return check(row, line_no === null ? undefined : lines.get(placeKey({ file_no, line_no })));
  });
}

/** Puts the samples into an object of their own, which may expire or be erased while the report stays valid. */
async function storeSamples(context: SampleContext, samples: Sample[], signal: AbortSignal): Promise<SamplesReference> {
  const { store, bucket, batchId, planHash, rowsDigest } = context;
  const content: Samples = { version: 1, batch_id: batchId, plan_hash: planHash, rows_digest: rowsDigest, samples };
  const bytes = Buffer.from(`${JSON.stringify(content, null, 2)}\n`);
  const sha256 = hash('sha256', bytes, 'hex');
  const key = archiveLayout.samples(batchId, sha256);
  await store.put(bucket, key, bytes, 'application/json', signal);
  return { events: samples.length, key, sha256 };
}

/** The verdict over a traced sample. Pure. */
export function judgeSample(samples: readonly Sample[], draw: Pick<SampleDraw, 'asked' | 'rows'>): GateResult {
  const wrong = samples.filter(({ matches }) => !matches);
  const missing = Math.max(0, draw.asked - samples.length);
  const examples = wrong.map(({ event_id, source_file, line_no, problems }) => ({
    event_id,
    ...{ source_file, line_no, problems },
  }));
  const reasons = [
    ...(wrong.length === 0
      ? []
      : [`${wrong.length} of ${samples.length} sampled events are not what their line gives`]),
    ...(missing === 0 ? [] : [`${missing} events fewer than the ${draw.asked} asked for could be traced`]),
  ];
  return {
    gate: 'sample',
    threshold: 0,
    observed: wrong.length + missing,
    passed: wrong.length + missing === 0,
    procedure:
      `${STAGED_SAMPLE_SQL.trim()}\n-- $2: drawn by plan hash and rows, of each event type and file; each line of the mirror\n` +
      '-- transformed again by the pinned recipe, against every staged column and the taxonomy',
    detail: {
      ...{ rows: draw.rows, asked: draw.asked, sampled: samples.length, mismatches: wrong.length },
      types: new Set(samples.map(({ row }) => row.event_name)).size,
      files: new Set(samples.map(({ source_file }) => source_file)).size,
      examples: examples.slice(0, MAX_EXAMPLES),
      ...(reasons.length > 0 && { why: reasons.join('; ') }),
    },
  };
}

/**
 * The gate `sample`: events drawn from the rows to publish are traced by lineage to their raw line in the mirror, which is
 * transformed again, and must be what is staged, byte for byte. The samples are stored, masked, for people to look at.
 */
export async function measureSample(
  context: SampleContext,
  draw: SampleDraw,
  signal: AbortSignal,
): Promise<GateResult> {
  const samples = await traceSample(context, draw, signal);
  const judged = judgeSample(samples, draw);
  const stored = samples.length === 0 ? {} : { samples: await storeSamples(context, samples, signal) };
  return { ...judged, detail: { ...judged.detail, ...stored } };
}
