import { hash } from 'node:crypto';
import { Samples, type SamplesReference } from '../report/samples.ts';
import { archiveLayout } from '../storage/layout.ts';
import type { BatchToErase } from './batch-to-erase.ts';
import { type ErasureWork, readObject } from './erasure-work.ts';
import { type Objects, tryObject } from './try-object.ts';

/** Writes the samples of a verification anew without the person's; undefined when there are none of them. */
async function rewriteSamples(
  work: ErasureWork,
  batchId: string,
  key: string,
  isPerson: (subjectId: string) => boolean,
): Promise<{ reference: SamplesReference; samples: number } | undefined> {
  const { store, config, signal } = work;
  const { archiveBucket } = config.storage;
  const content = Samples.parse(JSON.parse(String(await readObject(work, archiveBucket, key))));
  const samples = content.samples.filter(({ row }) => !(row.subject_id !== null && isPerson(row.subject_id)));
  if (samples.length === content.samples.length) return undefined;
  const bytes = Buffer.from(`${JSON.stringify({ ...content, samples }, null, 2)}\n`);
  const sha256 = hash('sha256', bytes, 'hex');
  const to = archiveLayout.samples(batchId, sha256);
  await store.put(archiveBucket, to, bytes, 'application/json', signal);
  return { reference: { events: samples.length, key: to, sha256 }, samples: content.samples.length - samples.length };
}

/** Writes the samples anew that have something of the person. @returns old object → new one */
export async function rewriteAllSamples(
  work: ErasureWork,
  { batch: { batch_id: batchId }, pseudonyms }: BatchToErase,
  keys: readonly string[],
  objects: Objects,
): Promise<{ references: Map<string, SamplesReference>; samples: number }> {
  const people = new Set(pseudonyms);
  const references = new Map<string, SamplesReference>();
  let samples = 0;
  for (const key of keys) {
    const written = await tryObject(work, objects, () =>
      rewriteSamples(work, batchId, key, (subjectId) => people.has(subjectId)),
    );
    if (written === undefined) continue;
    references.set(key, written.reference);
    samples += written.samples;
    objects.moves.push({ from: key, to: null });
  }
  return { references, samples };
}
