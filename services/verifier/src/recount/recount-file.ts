import { listLedgerLines } from '@backfill/core/db/queries/ledger-line-list';
import type { MirrorObject } from '@backfill/core/db/queries/mirror-object-list';
import { listPartLines } from '@backfill/core/db/queries/part-list';
import { bookedEvent } from '../gates/booked-event.ts';
import type { MultisetHash } from '../gates/multiset-hash.ts';
import { sideBySide } from '../side-by-side.ts';
import { compareLines, type LineFindings } from './compare-lines.ts';
import { obtainReading } from './kept-reading.ts';
import { LinesDigest } from './lines-digest.ts';
import { isMirrorIntact, openMirrorLines, secondReadingOf } from './mirror-lines.ts';
import { createPartWalk } from './part-walk.ts';
import type { RecountContext } from './recount-context.ts';

/** A file of the mirror as it was found. */
export interface FileRecount extends LineFindings {
  /** The object's bytes are the planned ones. */
  isIntact: boolean;
}

const LEDGER_LINES_AT_ONCE = 10_000;

function ledgerPages({ read, batchId }: RecountContext, { source_file }: MirrorObject) {
  return (after: number) => read((db) => listLedgerLines(db, batchId, source_file, after, LEDGER_LINES_AT_ONCE));
}

/** What the ledger says of a file's lines, in the form of a reading's digest. */
async function digestLedger(
  context: RecountContext,
  file: MirrorObject,
  booked: MultisetHash,
  signal: AbortSignal,
): Promise<string> {
  const { read, batchId } = context;
  const digest = new LinesDigest();
  const partOf = createPartWalk(await read((db) => listPartLines(db, batchId, file.file_no)));
  const nextLines = ledgerPages(context, file);
  let lines = await nextLines(0);
  while (lines.length > 0) {
    signal.throwIfAborted();
    const next = nextLines(lines.at(-1)?.line_no ?? 0);
    // Told when this page is done with.
    next.catch(() => undefined);
    for (const { line_no, event_id } of lines) {
      digest.add(line_no, event_id);
      if (event_id !== null) booked.add(bookedEvent(event_id, partOf(line_no)));
    }
    lines = await next;
  }
  return digest.hex();
}

/** Reads the file once more and names the lines of which the ledger says something else. */
async function compareFile(context: RecountContext, file: MirrorObject, signal: AbortSignal): Promise<FileRecount> {
  const { lines, sha256 } = await openMirrorLines(context, file, signal);
  const found = await compareLines(lines, {
    read: secondReadingOf(context, file),
    isSuppressed: context.isSuppressed,
    nextLedgerLines: ledgerPages(context, file),
  });
  return { ...found, isIntact: sha256() === file.sha256 };
}

/**
 * Holds a mirrored file, by the second reading, against the ledger: by a digest over all lines, and where that differs
 * line by line. It may differ without a fault, where people were suppressed between the two readings.
 *
 * @param booked takes the events of the ledger's accepted lines, each with its part
 */
export async function recountFile(
  context: RecountContext,
  file: MirrorObject,
  booked: MultisetHash,
  signal: AbortSignal,
): Promise<FileRecount> {
  const [{ reading, isFresh }, ledger] = await sideBySide(signal, (watched) => [
    obtainReading(context, file, watched),
    digestLedger(context, file, booked, watched),
  ]);
  if (reading.digest !== ledger) return compareFile(context, file, signal);
  const { lines, outcomes, sha256 } = reading;
  // What was read then may have been changed since.
  const isIntact = isFresh ? sha256 === file.sha256 : await isMirrorIntact(context, file, signal);
  return { lines, outcomes, disagreements: 0, examples: [], isIntact };
}
