import { hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { copyIn } from '../db/copy-in.ts';
import { copyTextRow } from '../db/copy-text.ts';
import type { Client } from '../db/pool.ts';
import { FILE_EVENTS_COPY, numberFileEvents } from '../db/queries/occurrences.ts';
import type { KeyRing } from '../recipe/key-ring.ts';
import { compilePinnedRecipe } from './compile-pinned-recipe.ts';
import { perFile, transformAll } from './transform-all.ts';
import type { TransformWork } from './transform-work.ts';

/** Events that are sent to the database at once. */
const ROWS_PER_COPY = 10_000;

/**
 * Numbers equal events within each file, by reading and transforming every line once more, and leaves the numbers in
 * the session's temporary table. They depend on the file and the recipe alone: not on chunks, and not on who is
 * suppressed, since equal events are one person's.
 *
 * @param work its lines must not be numbered yet
 */
export async function numberOccurrences(
  db: Client,
  work: TransformWork,
  { keys, signal }: { keys: KeyRing; signal: AbortSignal },
): Promise<void> {
  const runtime = { keys, isSuppressed: () => false };
  let rows: string[] = [];
  const send = async () => {
    await copyIn(db, FILE_EVENTS_COPY, Readable.from([rows.join('')]));
    rows = [];
  };
  await transformAll(
    work,
    perFile((chunk) => compilePinnedRecipe(work.recipe, runtime, chunk)),
    {
      add({ file_no: fileNo }, { lineNo }, outcome) {
        if (outcome.outcome !== 'accepted') return;
        rows.push(copyTextRow([String(fileNo), eventKey(outcome.event.eventId), String(lineNo)]));
      },
      flush: async () => (rows.length >= ROWS_PER_COPY ? send() : undefined),
    },
    signal,
  );
  await send();
  await numberFileEvents(db);
}

/** 128 bits of an id's sha256, as a UUID: enough to tell any number of events apart, and small to sort. */
function eventKey(eventId: string): string {
  return hash('sha256', eventId, 'hex').slice(0, 32);
}
