import { hash } from 'node:crypto';
import type { ErasedLine } from '../db/queries/erased-collect.ts';
import type { AmendedFile } from '../db/queries/file-amend.ts';
import type { MirrorObject } from '../db/queries/mirror-object-list.ts';
import { type MirrorManifest, nextManifest } from '../plan/mirror-manifest.ts';
import { archiveLayout, MANIFEST_NAME } from '../storage/layout.ts';
import type { ErasureAttempt } from './batch-to-erase.ts';
import { type ErasureWork, readObject } from './erasure-work.ts';
import type { Objects } from './try-object.ts';

/** Writes the manifest that names the one before it as its parent. */
export async function rewriteManifest(
  work: ErasureWork,
  { batch: { batch_id: batchId }, name }: ErasureAttempt,
  {
    files,
    amended,
    lines,
  }: { files: readonly MirrorObject[]; amended: readonly AmendedFile[]; lines: readonly ErasedLine[] },
  { moves }: Objects,
): Promise<void> {
  const { pool, store, config, signal } = work;
  const { archiveBucket } = config.storage;
  const key = archiveLayout.manifest(batchId);
  if (amended.length === 0 || !(await store.exists(archiveBucket, key, signal))) return;
  const { rows } = await pool.query<{ file_no: number; n: number }>(
    'select file_no, count(*) as n from analytics.backfill_erased_lines where batch_id = $1 group by file_no',
    [batchId],
  );
  const before = new Map(rows.map(({ file_no, n }) => [file_no, n]));
  const erased = new Map(
    amended.map(({ file_no, size, sha256 }) => [
      files.find((file) => file.file_no === file_no)?.source_file ?? '',
      {
        ...{ size, sha256 },
        erasedLines: (before.get(file_no) ?? 0) + lines.filter((line) => line.file_no === file_no).length,
      },
    ]),
  );
  const bytes = await readObject(work, archiveBucket, key);
  const manifest = JSON.parse(bytes.toString('utf8')) as MirrorManifest;
  const parent = archiveLayout.oldManifest(batchId, manifest.manifest_version ?? 1);
  await store.put(archiveBucket, parent, bytes, 'application/json', signal);
  const sha256 = hash('sha256', bytes, 'hex');
  const next = nextManifest(
    { manifest, key: parent.slice(archiveLayout.mirrorPrefix(batchId).length), sha256 },
    erased,
  );
  const to = archiveLayout.erasing(batchId, name, MANIFEST_NAME);
  await store.put(archiveBucket, to, Buffer.from(`${JSON.stringify(next, null, 2)}\n`), 'application/json', signal);
  moves.push({ from: to, to: key });
}
