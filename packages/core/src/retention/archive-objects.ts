import { archiveLayout } from '../storage/layout.ts';
import type { ObjectInfo, ObjectStore } from '../storage/object-store.ts';

/** Where what expires of a batch lies in the archive, by what it is. Reports stay; they do without. */
const PREFIXES = {
  archive: {
    mirror: archiveLayout.mirrorPrefix,
    parts: archiveLayout.partsPrefix,
    samples: archiveLayout.samplesPrefix,
    erasing: archiveLayout.erasingPrefix,
  },
  snapshots: { snapshots: archiveLayout.snapshotsPrefix },
} as const;

export interface ArchiveCounts {
  objects: number;
  /** As they are stored. */
  bytes: number;
}

/** The objects of a batch that go together. */
export async function* listExpiring(
  store: ObjectStore,
  bucket: string,
  { kind, batchId }: { kind: keyof typeof PREFIXES; batchId: string },
): AsyncGenerator<ObjectInfo & { part: string }> {
  for (const [part, prefixOf] of Object.entries(PREFIXES[kind])) {
    for await (const object of store.list(bucket, prefixOf(batchId))) yield { ...object, part };
  }
}

/** Counts them, all together and by what they are. */
export async function countExpiring(
  store: ObjectStore,
  bucket: string,
  item: { kind: keyof typeof PREFIXES; batchId: string },
): Promise<ArchiveCounts & { parts: Record<string, ArchiveCounts> }> {
  const total = { objects: 0, bytes: 0 };
  const parts: Record<string, ArchiveCounts> = {};
  for await (const { part, size } of listExpiring(store, bucket, item)) {
    const counts = parts[part] ?? { objects: 0, bytes: 0 };
    parts[part] = { objects: counts.objects + 1, bytes: counts.bytes + size };
    total.objects += 1;
    total.bytes += size;
  }
  return { ...total, parts };
}
