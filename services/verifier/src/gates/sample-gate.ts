import { hash } from 'node:crypto';
import { listFiles } from '@backfill/core/db/queries/file-list';
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

/** Which types and files have an event in the sample, of those that the rows to publish are of. */
function coverage(samples: readonly Sample[], draw: Pick<SampleDraw, 'present' | 'maxEvents'>, files: FileNames) {
  const { present, maxEvents } = draw;
  // A type that is masked is not what its line gives, which is told elsewhere.
  const types = new Set(samples.map(({ row }) => row.event_name).filter((type) => present.types.includes(type)));
  const drawnFiles = new Set(samples.map(({ source_file }) => source_file));
  const pairs = new Set(samples.map(({ source_file, row }) => JSON.stringify([source_file, row.event_name])));
  const presentFiles = present.files.map((fileNo) => files.get(fileNo) ?? `file ${fileNo}`);
  const of = (drawn: number, there: number, what: string) => `${drawn} of ${there} ${what}`;
  return {
    note: `drawn: ${[
      of(types.size, present.types.length, 'event types'),
      of(drawnFiles.size, presentFiles.length, 'files'),
      of(Math.min(pairs.size, present.pairs), present.pairs, 'types in files'),
    ].join(', ')}`,
    types: types.size,
    types_present: present.types.length,
    files: drawnFiles.size,
    files_present: presentFiles.length,
    strata: Math.min(pairs.size, present.pairs),
    strata_present: present.pairs,
    max_events: maxEvents,
    undrawn_types: present.types.filter((type) => !types.has(type)).slice(0, MAX_EXAMPLES),
    undrawn_files: presentFiles.filter((file) => !drawnFiles.has(file)).slice(0, MAX_EXAMPLES),
  };
}

/** Names by file number. */
type FileNames = ReadonlyMap<number, string>;

/**
 * The verdict over a traced sample. Pure.
 *
 * @param files names by file number
 */
export function judgeSample(
  samples: readonly Sample[],
  draw: Pick<SampleDraw, 'asked' | 'rows' | 'present' | 'maxEvents'>,
  files: FileNames,
): GateResult {
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
    ...(missing === 0 ? [] : [`${missing} of the ${draw.asked} events drawn could not be traced`]),
  ];
  return {
    gate: 'sample',
    threshold: 0,
    observed: wrong.length + missing,
    passed: wrong.length + missing === 0,
    procedure:
      `${STAGED_SAMPLE_SQL.trim()}\n-- $2: drawn by plan hash and rows, of each event type, file and pair; each line of the mirror\n` +
      '-- transformed again by the pinned recipe, against every staged column and the taxonomy',
    detail: {
      ...{ rows: draw.rows, asked: draw.asked, sampled: samples.length, mismatches: wrong.length },
      ...coverage(samples, draw, files),
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
  const files = await context.read((db) => listFiles(db, context.batchId));
  const judged = judgeSample(samples, draw, new Map(files.map(({ file_no, source_file }) => [file_no, source_file])));
  const stored = samples.length === 0 ? {} : { samples: await storeSamples(context, samples, signal) };
  return { ...judged, detail: { ...judged.detail, ...stored } };
}
