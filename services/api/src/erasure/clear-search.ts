import { crashPoint } from '@backfill/core/crash-point';
import { getBatch } from '@backfill/core/db/queries/batch-get';
import {
  endSearch,
  listMirroredBatches,
  markErasureBatch,
  noteClearLines,
  renewSearch,
  requestErasure,
} from '@backfill/core/db/queries/erasures';
import { listMirrorObjects, type MirrorObject } from '@backfill/core/db/queries/mirror-object-list';
import { getPlan } from '@backfill/core/db/queries/plan-get';
import { withTransaction } from '@backfill/core/db/transaction';
import { compilePersonFinder, type PersonFinder } from '@backfill/core/erasure/find-person';
import { compileMentions } from '@backfill/core/erasure/mentions';
import { readMirrorFile } from '@backfill/core/erasure/mirror-file';
import { pseudonymsUnder, subjectScheme } from '@backfill/core/erasure/subject-pseudonyms';
import { BackfillError, describeError } from '@backfill/core/errors';
import type { KeyRing } from '@backfill/core/recipe/key-ring';
import type { Recipe } from '@backfill/core/recipe/recipe';
import { archiveLayout } from '@backfill/core/storage/layout';
import type { ApiContext } from '../context.ts';

const ACTOR = 'erasure';
const SIGN_OF_LIFE_MS = 5_000;
/** Lines that are noted at once. */
const LINES_AT_ONCE = 1_000;
/** Ids that may be held in memory at once. */
const MOST_SEARCHES = 20;

/** An id to search by. It is held here, and nowhere else. */
interface Search {
  erasureId: number;
  /** Tells this search from one for an id that was submitted again. */
  search: string;
  subject: string;
  keys: KeyRing;
  /** The erasure's. */
  pseudonyms: readonly string[];
  /** Who submitted it. */
  actor: string;
}

/** A source that passes ids through has stored this one. */
class PassedThrough extends BackfillError {
  override name = 'PassedThrough';
}

/** Searches by clear ids, one after the other, in the memory of this process. */
export interface ClearSearches {
  /** False when so many are waiting that this one would be held for long. */
  hasRoom(): boolean;
  start(search: Search): void;
  /** Resolves when nothing is searched any more. */
  rest(): Promise<void>;
}

/** A batch to be searched, and how its lines are read. */
interface SearchedFile {
  batch: { batch_id: string; attempt: number };
  recipe: Recipe;
  file: MirrorObject;
}

/**
 * Tells records that have the id for their subject, where their source passes it through; undefined where no record of
 * the file can, or the id is among the pseudonyms already.
 */
function compilePassesThrough(
  { erasureId, subject, keys, pseudonyms }: Search,
  { recipe, file }: SearchedFile,
): PersonFinder | undefined {
  const scheme = subjectScheme(recipe.source);
  if (scheme?.mode !== 'passthrough' || pseudonyms.includes(subject)) return undefined;
  if (!pseudonymsUnder(scheme, keys, subject).includes(subject)) return undefined;
  return compilePersonFinder(recipe, keys, new Map([[subject, erasureId]]), file);
}

/**
 * Searches a file for lines that are nobody's by what can be read of them, and hold the id.
 *
 * @throws {PassedThrough} when a record has the id for its pseudonym
 */
async function searchFile(
  { store, config, pool }: ApiContext,
  search: Search,
  searched: SearchedFile,
  signal: AbortSignal,
): Promise<void> {
  const { erasureId, subject, keys } = search;
  const { batch, recipe, file } = searched;
  const mentions = compileMentions(subject);
  const personOf = compilePersonFinder(recipe, keys, new Map(), file);
  const passesThrough = compilePassesThrough(search, searched);
  const key = archiveLayout.mirrorObject(batch.batch_id, file.source_file);
  let found: number[] = [];
  const note = async () => {
    const lines = found;
    found = [];
    if (lines.length === 0) return;
    await withTransaction(pool, ACTOR, (client) =>
      noteClearLines(client, erasureId, batch, { fileNo: file.file_no, lines }),
    );
  };
  for await (const lines of readMirrorFile({ store, bucket: config.storage.archiveBucket, key }, file, signal)) {
    for (const line of lines) {
      const isMentioned = line.bytes !== undefined && mentions(line.bytes);
      // Escapes may hide a subject from a look at the bytes.
      if (!isMentioned && passesThrough === undefined) continue;
      const isNobodys = personOf(line) === 'unknown';
      if (!isNobodys && passesThrough?.(line) === erasureId) throw new PassedThrough('the id is stored as it is');
      if (isNobodys && isMentioned) found.push(line.lineNo);
    }
    if (found.length >= LINES_AT_ONCE) await note();
  }
  await note();
}

async function searchBatch(
  context: ApiContext,
  search: Search,
  batch: SearchedFile['batch'],
  signal: AbortSignal,
): Promise<void> {
  const { pool, store, config } = context;
  const plan = await getPlan(pool, batch.batch_id);
  if (plan === undefined) return;
  for (const file of await listMirrorObjects(pool, batch.batch_id)) {
    const key = archiveLayout.mirrorObject(batch.batch_id, file.source_file);
    // Its time may be over.
    if (!(await store.exists(config.storage.archiveBucket, key, signal))) continue;
    await searchFile(context, search, { batch, recipe: plan.recipe, file }, signal);
  }
  if ((await getBatch(pool, batch.batch_id))?.attempt !== batch.attempt) return;
  await markErasureBatch(pool, search.erasureId, batch, 'searched_at');
}

/** Searches all mirrors. @throws {PassedThrough} */
async function searchBatches(context: ApiContext, search: Search, signal: AbortSignal): Promise<void> {
  const { pool, logger } = context;
  for (const batch of await listMirroredBatches(pool)) {
    signal.throwIfAborted();
    try {
      await searchBatch(context, search, batch, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof PassedThrough) throw error;
      // Also a mirror that is being written anew: it is searched when the id is submitted again.
      const why = describeError(error);
      logger.warn({ erasure: search.erasureId, batch: batch.batch_id, error: why }, 'not searched');
    }
  }
}

/**
 * Searches all mirrors. Where a source that passes ids through turns out to have this one stored, which the stored events
 * did not tell, it is a pseudonym like the others: suppressed from now on, and everything is looked at once more.
 */
async function searchEverywhere(context: ApiContext, search: Search, signal: AbortSignal): Promise<void> {
  try {
    await searchBatches(context, search, signal);
  } catch (error) {
    if (!(error instanceof PassedThrough)) throw error;
    const pseudonyms = [...search.pseudonyms, search.subject];
    const request = { actor: search.actor, pseudonyms, search: search.search };
    await withTransaction(context.pool, search.actor, (client) => requestErasure(client, request));
    await searchBatches(context, { ...search, pseudonyms }, signal);
  }
}

async function searchAll(context: ApiContext, search: Search, stopping: AbortSignal): Promise<void> {
  const { pool, logger } = context;
  const { erasureId, search: id } = search;
  const superseded = new AbortController();
  const signal = AbortSignal.any([stopping, superseded.signal]);
  const timer = setInterval(() => {
    renewSearch(pool, erasureId, id)
      .then((isOurs) => {
        if (!isOurs) superseded.abort();
      })
      // The next one may come through.
      .catch(() => undefined);
  }, SIGN_OF_LIFE_MS);
  let isDone = true;
  crashPoint('erase:search-begun');
  try {
    await searchEverywhere(context, search, signal);
  } catch (error) {
    isDone = false;
    if (!signal.aborted) logger.warn({ erasure: erasureId, error: describeError(error) }, 'the search was given up');
  } finally {
    clearInterval(timer);
  }
  await endSearch(pool, erasureId, id, isDone).catch(() => undefined);
}

/**
 * Searches mirrors for lines that only a clear id can find, in this process, which was given it. What it finds is written
 * down as numbers of lines; the id goes when the search ends or the process does.
 */
export function createClearSearches(context: ApiContext, stopping: AbortSignal): ClearSearches {
  let waiting = 0;
  let last: Promise<void> = Promise.resolve();
  return {
    hasRoom: () => waiting < MOST_SEARCHES,
    start(search) {
      waiting += 1;
      last = last
        .then(() => searchAll(context, search, stopping))
        .catch(() => undefined)
        .finally(() => {
          waiting -= 1;
        });
    },
    rest: () => last,
  };
}
