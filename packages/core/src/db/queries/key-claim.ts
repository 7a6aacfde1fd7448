import type { EventHolders } from '../../domain/duplicate-kind.ts';
import { DeferError } from '../../errors.ts';
import type { Queryable } from '../pool.ts';
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

/**
 * One round of claims, in key order, so that two importers with the same events wait instead of deadlocking.
 *
 * @returns how many keys were free
 */
async function claimFreeKeys(db: Queryable, part: Part, live: readonly string[]): Promise<number> {
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
}

/**
 * Looks up who owns the keys that were not to be had, and holds them. In a statement after the claim, because a key
 * that was committed while the claim waited is invisible to the claim's own snapshot.
 */
async function findOwners(db: Queryable, part: Part): Promise<Map<string, string>> {
  const { rows } = await db.query<{ event_id: string; batch_id: string }>(
    `select c.event_id, c.batch_id
       from analytics.backfill_event_checkpoint c
      where c.event_id in (select r.event_id from analytics.backfill_event_checkpoint_raw r where ${PART_LINES})
        and c.part_id is distinct from $5
      order by c.event_id
        for key share`,
    [...partLines(part), part.part_id],
  );
  return new Map(rows.map(({ event_id, batch_id }) => [event_id, batch_id]));
}

/** Who has the part's events; without the ids when all of them are its own. */
export type PartClaims = { allNew: true } | { allNew: false; eventIds: string[]; holders: EventHolders };

/**
 * Claims the keys of the part's events that nobody has. Nobody who has one of the others can go before the transaction
 * ends.
 *
 * @throws {DeferError} when owners kept going; nothing is lost, the part comes back.
 */
export async function claimKeys(db: Queryable, part: Part): Promise<PartClaims> {
  const live = await findLiveEvents(db, part);
  const liveIds = [...live.keys()];
  let claimed = await claimFreeKeys(db, part, liveIds);
  if (claimed === part.event_count) return { allNew: true };
  const eventIds = await listPartEvents(db, part);
  const distinct = new Set(eventIds).size;
  for (let round = 1; ; round += 1) {
    const owners = await findOwners(db, part);
    if (claimed + live.size + [...owners.keys()].filter((id) => !live.has(id)).length === distinct) {
      return { allNew: false, eventIds, holders: { live, owners } };
    }
    if (round === MOST_CLAIMS) throw new DeferError(`the owners of part ${part.part_id}'s events keep changing`, 1_000);
    claimed += await claimFreeKeys(db, part, liveIds);
  }
}
