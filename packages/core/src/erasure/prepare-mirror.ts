import { listChunks } from '../db/queries/chunk-list.ts';
import type { ErasedLine } from '../db/queries/erased-collect.ts';
import type { AmendedFile } from '../db/queries/file-amend.ts';
import type { MirrorObject } from '../db/queries/mirror-object-list.ts';
import { archiveLayout } from '../storage/layout.ts';
import type { ErasureAttempt } from './batch-to-erase.ts';
import type { ErasureWork } from './erasure-work.ts';
import { rewriteMirrorFile } from './mirror-file.ts';
import { rewriteManifest } from './rewrite-manifest.ts';
import { type Objects, tryObject } from './try-object.ts';

/** Writes the mirror's files anew beside the old ones, and what is to be said of them. */
async function rewriteMirror(
  work: ErasureWork,
  { batch, name }: ErasureAttempt,
  files: readonly MirrorObject[],
  lines: readonly ErasedLine[],
  objects: Objects,
): Promise<AmendedFile[]> {
  const { pool, store, config, signal } = work;
  const { batch_id: batchId } = batch;
  const chunks = await listChunks(pool, batchId);
  const amended: AmendedFile[] = [];
  for (const file of files) {
    const erased = new Set(lines.filter((line) => line.file_no === file.file_no).map((line) => line.line_no));
    if (erased.size === 0) continue;
    const ofFile = chunks.filter((chunk) => chunk.file_no === file.file_no);
    const from = {
      store,
      bucket: config.storage.archiveBucket,
      key: archiveLayout.mirrorObject(batchId, file.source_file),
    };
    const to = archiveLayout.erasing(batchId, name, String(file.file_no));
    const chunkStarts = ofFile.map((chunk) => chunk.first_line);
    const options = { erased, chunkStarts, signal };
    const written = await tryObject(work, objects, () => rewriteMirrorFile(from, to, file, options));
    if (written === undefined) continue;
    const { size, sha256, starts, textBytes } = written;
    amended.push({
      ...{ file_no: file.file_no, size, sha256 },
      // A compressed file is one chunk of all of its bytes.
      chunks: ofFile.map(({ chunk_id }, index) => ({
        chunk_id,
        byte_start: file.compression === 'none' ? (starts.get(chunkStarts[index] ?? 0) ?? 0) : 0,
        byte_end: file.compression === 'none' ? (starts.get(chunkStarts[index + 1] ?? 0) ?? textBytes) : size,
      })),
    });
    objects.moves.push({ from: to, to: from.key });
  }
  return amended;
}

/** Prepares the mirror's files and its manifest: those that could be written anew, and their lines. */
export async function prepareMirror(
  work: ErasureWork,
  target: ErasureAttempt,
  files: readonly MirrorObject[],
  found: readonly ErasedLine[],
  { moves, failures }: Objects,
): Promise<{ amended: AmendedFile[]; lines: ErasedLine[] }> {
  const mirror: Objects = { moves: [], failures };
  const amended = await rewriteMirror(work, target, files, found, mirror);
  const lines = found.filter((line) => amended.some((file) => file.file_no === line.file_no));
  const isListed = await tryObject(work, mirror, async () => {
    await rewriteManifest(work, target, { files, amended, lines }, mirror);
    return true;
  });
  // Files are never other than their manifest says.
  if (isListed === undefined) return { amended: [], lines: [] };
  moves.push(...mirror.moves);
  return { amended, lines };
}
