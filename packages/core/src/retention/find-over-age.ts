import type { Queryable } from '../db/pool.ts';
import { listBatchInputs } from '../db/queries/retention-facts.ts';
import type { OverAge } from '../db/queries/retention-runs.ts';
import type { ObjectStore } from '../storage/object-store.ts';

/** Batches that are named; the rest is in the totals. */
const MOST_INPUTS = 50;

/** The longest prefix of a key, up to a slash, that is somebody's. */
function ownerOf(key: string, owners: ReadonlyMap<string, string>): string | undefined {
  for (let end = key.lastIndexOf('/'); end > 0; end = key.lastIndexOf('/', end - 1)) {
    const owner = owners.get(key.slice(0, end + 1));
    if (owner !== undefined) return owner;
  }
  return undefined;
}

/**
 * Counts the objects of the raw bucket that are past their limit. Their names are told nowhere: whoever put them there may
 * have named people.
 */
export async function findOverAge(
  db: Queryable,
  store: ObjectStore,
  bucket: string,
  before: Date,
  signal?: AbortSignal,
): Promise<OverAge> {
  const start = `s3://${bucket}/`;
  const inputs = await listBatchInputs(db, start);
  const owners = new Map(inputs.map(({ input, batch_id }) => [input.slice(start.length), batch_id]));
  const counts = new Map<string, { objects: number; bytes: number }>();
  const total = { objects: 0, bytes: 0 };
  let oldest: Date | null = null;
  for await (const { key, size, lastModified } of store.list(bucket, '')) {
    signal?.throwIfAborted();
    if (lastModified >= before) continue;
    total.objects += 1;
    total.bytes += size;
    if (oldest === null || lastModified < oldest) oldest = lastModified;
    const owner = ownerOf(key, owners);
    if (owner === undefined) continue;
    const own = counts.get(owner) ?? { objects: 0, bytes: 0 };
    counts.set(owner, { objects: own.objects + 1, bytes: own.bytes + size });
  }
  const named = [...counts].map(([batch_id, own]) => ({ batch_id, ...own })).sort((a, b) => b.bytes - a.bytes);
  return {
    bucket,
    before: before.toISOString(),
    ...total,
    oldest: oldest?.toISOString() ?? null,
    inputs: named.slice(0, MOST_INPUTS),
  };
}
