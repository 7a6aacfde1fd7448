import { listFiles } from '../db/queries/file-list.ts';
import { listPartObjects } from '../db/queries/part-object-list.ts';
import { listNotedSnapshots } from '../db/queries/snapshot-noted-list.ts';
import { archiveLayout, isManifest } from '../storage/layout.ts';
import type { ErasureWork } from './erasure-work.ts';

/** Lists every object of a batch in the archive that may hold something of people, but for the reports' own. */
async function* listObjects({ store, config }: ErasureWork, batchId: string) {
  const { archiveBucket } = config.storage;
  const prefixes = {
    mirror: archiveLayout.mirrorPrefix(batchId),
    part: archiveLayout.partsPrefix(batchId),
    snapshot: archiveLayout.snapshotsPrefix(batchId),
    samples: archiveLayout.samplesPrefix(batchId),
    erasing: archiveLayout.erasingPrefix(batchId),
  };
  for (const [kind, prefix] of Object.entries(prefixes) as [keyof typeof prefixes, string][]) {
    for await (const { key } of store.list(archiveBucket, prefix)) yield { kind, key, name: key.slice(prefix.length) };
  }
}

/** Objects that no ledger knows of: left by a crash, or of an attempt before. Nobody reads them, and nobody books them. */
export async function findStrays(work: ErasureWork, batchId: string): Promise<{ strays: string[]; samples: string[] }> {
  const { pool, config } = work;
  const files = new Set(
    (await listFiles(pool, batchId)).filter((f) => f.mirrored_at !== null).map((f) => f.source_file),
  );
  const root = `s3://${config.storage.archiveBucket}/`;
  const noted = (await listNotedSnapshots(pool, batchId)).map((one) => one.snapshot_path.slice(root.length));
  const known = new Set([...(await listPartObjects(pool, batchId)), ...noted, ...noted.map((key) => `${key}.json`)]);
  const strays: string[] = [];
  const samples: string[] = [];
  for await (const { kind, key, name } of listObjects(work, batchId)) {
    if (kind === 'samples') samples.push(key);
    else if (kind === 'mirror') {
      if (!files.has(name) && !isManifest(name)) strays.push(key);
    } else if (!known.has(key)) strays.push(key);
  }
  return { strays, samples };
}
