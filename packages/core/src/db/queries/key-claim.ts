import type { EventHolders } from '../../domain/duplicate-kind.ts';
import { DeferError } from '../../errors.ts';
import type { KeyTransaction } from '../key-transaction.ts';
import type { Queryable } from '../pool.ts';
import { hasOpenRelease } from './key-release.ts';
import type { Part } from './part-import.ts';

/** How often a claim is repeated because an owner was taken back while it was looked up. */
const MOST_CLAIMS = 5;

/** The part's accepted lines, by the primary key of the table. Parameters: batch, file, first and last line. */
const PART_LINES = 'r.batch_id = $1 and r.source_file = $2 and r.line_no between $3 and $4';

function partLines(part: Part): unknown[] {
  return [part.batch_id, part.source_file, part.first_line, part.first_line + part.line_count - 1];
}

/** The event ids of a part's rows, in their order. */
export async function listPartEvents(db: Queryable, part: Part): Promise<string[]> {
  const { rows } = await db.query<{ event_id: string }>(
    `select r.event_id from analytics.backfill_event_checkpoint_raw r where ${PART_LINES} order by r.line_no`,
    partLines(part),
  );
  return rows.map((row) => row.event_id);
}

/**
 * Which of the part's events are live already, and who wrote them; keeps them so until the transaction ends: their
 * writer cannot be taken back in between. The part's own time range, as constants, spares the other days the look.
 */
export async function findLiveEvents(db: Queryable, part: Part): Promise<Map<string, string | null>> {
  const { rows } = await db.query<{ event_id: string; batch_id: string | null }>(
    `select l.event_id, l.batch_id
       from analytics.events_log l
      where l.event_ts between $5 and $6 and l.deleted_at is null
        and l.event_id in (select r.event_id from analytics.backfill_event_checkpoint_raw r where ${PART_LINES})
      order by l.event_id
        for share`,
    [...partLines(part), part.first_event_ts, part.last_event_ts],
  );
  return new Map(rows.map(({ event_id, batch_id }) => [event_id, batch_id]));
}

/** The keys of a part's events, in the dedup store. */
interface PartKeys {
  /**
   * One round of claims, in key order, so that two importers with the same events wait instead of deadlocking.
   *
   * @param live events that are not claimed
   * @returns how many keys were free
   */
  claimFree(live: readonly string[]): Promise<number>;
  /**
   * Looks up who owns the keys that were not to be had, and holds them. In a statement after the claim, because a key
   * that was committed while the claim waited is invisible to the claim's own snapshot.
   */
  findOwners(): Promise<Map<string, string>>;
}

interface OwnedKey {
  event_id: string;
  batch_id: string;
}

function ownersOf(rows: readonly OwnedKey[]): Map<string, string> {
  return new Map(rows.map(({ event_id, batch_id }) => [event_id, batch_id]));
}

/** Keys in the events' database, where the ledger has the ids. */
function keysOfLedger(db: Queryable, part: Part): PartKeys {
  return {
    async claimFree(live) {
      const { rowCount } = await db.query(
        `insert into analytics.backfill_event_checkpoint (event_id, batch_id, part_id)
         select distinct r.event_id, $1, $5::bigint
           from analytics.backfill_event_checkpoint_raw r
          where ${PART_LINES} and r.event_id <> all ($6::text[])
          order by r.event_id
         on conflict do nothing`,
        [...partLines(part), part.part_id, live],
      );
      return rowCount ?? 0;
    },
    async findOwners() {
      const { rows } = await db.query<OwnedKey>(
        `select c.event_id, c.batch_id
           from analytics.backfill_event_checkpoint c
          where c.event_id in (select r.event_id from analytics.backfill_event_checkpoint_raw r where ${PART_LINES})
            and c.part_id is distinct from $5
          order by c.event_id
            for key share`,
        [...partLines(part), part.part_id],
      );
      return ownersOf(rows);
    },
  };
}

/** Keys in another database, which is told the ids. One text is cheaper to send and to read than an array of them. */
function keysOfEvents(db: Queryable, part: Part, eventIds: readonly string[]): PartKeys {
  return {
    async claimFree(live) {
      const liveIds = new Set(live);
      const others = new Set(eventIds.filter((id) => !liveIds.has(id)));
      const { rowCount } = await db.query(
        `insert into analytics.backfill_event_checkpoint (event_id, batch_id, part_id)
         select event_id, $2, $3::bigint
           from string_to_table($1, e'\\n') as event_id
          order by event_id collate "C"
         on conflict do nothing`,
        [[...others].join('\n'), part.batch_id, part.part_id],
      );
      return rowCount ?? 0;
    },
    async findOwners() {
      const { rows } = await db.query<OwnedKey>(
        `select c.event_id, c.batch_id
           from analytics.backfill_event_checkpoint c
          where c.event_id in (select string_to_table($1, e'\\n')) and c.part_id is distinct from $2::bigint
          order by c.event_id
            for key share`,
        [eventIds.join('\n'), part.part_id],
      );
      return ownersOf(rows);
    },
  };
}

/**
 * Keeps the owners of keys from being taken back until the transaction ends, as a lock on their keys does where these
 * are in the same database: who rolls an owner back sees who lost to it.
 *
 * @throws {DeferError} when one was taken back and its keys, or the part's own batch's, are about to be freed.
 */
async function holdOwners(db: Queryable, batchIds: readonly string[]): Promise<void> {
  await db.query(`select 1 from analytics.backfill_batches where batch_id = any ($1) order by batch_id for key share`, [
    batchIds,
  ]);
  if (await hasOpenRelease(db, batchIds)) throw new DeferError('the keys of a batch are being freed', 1_000);
}

/**
 * Who of these holders has nothing live when the batch is published: what it replaces, and batches that another one has
 * replaced.
 */
async function listGivingWay(db: Queryable, batchId: string, holders: Iterable<string | null>) {
  const { rows } = await db.query<{ batch_id: string | null }>(
    `select h.batch_id
       from analytics.backfill_batches b, analytics.backfill_batches h
      where b.batch_id = $1 and h.batch_id = any ($2)
        and (h.batch_id = b.replaces_batch_id or h.replaced_by is not null)
     union all
     select null from analytics.backfill_batches where batch_id = $1 and replaces_live`,
    [batchId, [...new Set(holders)].filter((holder) => holder !== null)],
  );
  return new Set(rows.map(({ batch_id }) => batch_id));
}

/** Who has the part's events; without the ids when all of them are its own. */
export type PartClaims = { allNew: true } | { allNew: false; eventIds: string[]; holders: EventHolders };

/**
 * Claims the keys of the part's events that nobody has. Nobody who has one of the others can go before the transaction
 * ends.
 *
 * @throws {DeferError} when owners kept going, or their keys are about to; nothing is lost, the part comes back.
 */
export async function claimKeys(db: Queryable, keys: KeyTransaction, part: Part): Promise<PartClaims> {
  if (keys.isSeparate) await holdOwners(db, [part.batch_id]);
  const live = await findLiveEvents(db, part);
  const liveIds = [...live.keys()];
  const sentIds = keys.isSeparate ? await listPartEvents(db, part) : undefined;
  const store = sentIds === undefined ? keysOfLedger(db, part) : keysOfEvents(await keys.open(), part, sentIds);
  let claimed = await store.claimFree(liveIds);
  if (claimed === part.event_count) return { allNew: true };
  const eventIds = sentIds ?? (await listPartEvents(db, part));
  const distinct = new Set(eventIds).size;
  for (let round = 1; ; round += 1) {
    const owners = await store.findOwners();
    if (claimed + live.size + [...owners.keys()].filter((id) => !live.has(id)).length === distinct) {
      if (keys.isSeparate) await holdOwners(db, [...new Set(owners.values())]);
      const givingWay = await listGivingWay(db, part.batch_id, [...live.values(), ...owners.values()]);
      return { allNew: false, eventIds, holders: { live, owners, givingWay } };
    }
    if (round === MOST_CLAIMS) throw new DeferError(`the owners of part ${part.part_id}'s events keep changing`, 1_000);
    claimed += await store.claimFree(liveIds);
  }
}
