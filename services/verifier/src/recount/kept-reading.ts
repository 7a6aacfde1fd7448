import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MirrorObject } from '@backfill/core/db/queries/mirror-object-list';
import {
  claimRecount,
  deleteSealedReading,
  getSealedReading,
  keepReading,
  releaseRecountClaim,
  renewRecountClaim,
} from '@backfill/core/db/queries/recounts';
import { type FileReading, openReading, type ReadFile, sealReading } from '@backfill/core/domain/recount-seal';
import { readFile } from './read-file.ts';
import type { RecountContext } from './recount-context.ts';

const SIGN_OF_LIFE_MS = 2_000;
const LOOK_EVERY_MS = 250;

/** A reading of the planned bytes under the plan, and whether it was made just now. */
export interface ObtainedReading {
  reading: FileReading;
  isFresh: boolean;
}

async function findKept(context: RecountContext, file: MirrorObject, of: ReadFile): Promise<FileReading | undefined> {
  const sealed = await context.read((db) => getSealedReading(db, of));
  if (sealed === undefined) return undefined;
  const reading = openReading(context.auditKey, of, sealed);
  if (reading?.plan_hash === context.planHash && reading.sha256 === file.sha256) return reading;
  // Of another plan or another mirror, or not ours: made anew.
  await context.change((db) => deleteSealedReading(db, of, sealed.seal));
  return undefined;
}

/** Keeps a claim alive while the work lasts; aborts the work when the claim was lost to another. */
async function whileClaimed<T>(
  context: RecountContext,
  of: ReadFile,
  claim: string,
  { signal, work }: { signal: AbortSignal; work: (signal: AbortSignal) => Promise<T> },
): Promise<T | undefined> {
  const lost = new AbortController();
  const timer = setInterval(() => {
    context
      .change((db) => renewRecountClaim(db, of, claim))
      .then((isRenewed) => {
        if (!isRenewed) lost.abort();
      })
      // The next one may come through; if the batch was stopped, the signal says so.
      .catch(() => undefined);
  }, SIGN_OF_LIFE_MS);
  try {
    return await work(AbortSignal.any([signal, lost.signal]));
  } catch (error) {
    if (lost.signal.aborted && !signal.aborted) return undefined;
    // So that the next one need not wait for the claim to grow old.
    await context.change((db) => releaseRecountClaim(db, of, claim)).catch(() => undefined);
    throw error;
  } finally {
    clearInterval(timer);
  }
}

async function readUnderClaim(
  context: RecountContext,
  file: MirrorObject,
  of: ReadFile,
  signal: AbortSignal,
): Promise<FileReading | undefined> {
  const claim = randomUUID();
  const { epoch } = context;
  if (!(await context.change((db) => claimRecount(db, of, { claim, epoch })))) return undefined;
  return whileClaimed(context, of, claim, {
    signal,
    work: async (watched) => {
      const reading = await readFile(context, file, watched);
      const isPlanned = reading.sha256 === file.sha256;
      const sealed = sealReading(context.auditKey, of, reading);
      await context.change<unknown>((db) =>
        isPlanned ? keepReading(db, of, claim, sealed) : releaseRecountClaim(db, of, claim),
      );
      return reading;
    },
  });
}

/**
 * The second reading of a mirrored file: the one that is kept, the one that somebody is making now, or one made here.
 * Several may ask at once: one of them reads, and when it dies, another.
 */
export async function obtainReading(
  context: RecountContext,
  file: MirrorObject,
  signal: AbortSignal,
): Promise<ObtainedReading> {
  const of = { batchId: context.batchId, fileNo: file.file_no };
  for (;;) {
    const kept = await findKept(context, file, of);
    if (kept !== undefined) return { reading: kept, isFresh: false };
    const made = await readUnderClaim(context, file, of, signal);
    if (made !== undefined) return { reading: made, isFresh: true };
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}
