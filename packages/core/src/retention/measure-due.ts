import type { KeyStore } from '../db/key-store.ts';
import type { Pool } from '../db/pool.ts';
import { countEventsToExpire, estimateEventPartition } from '../db/queries/event-partition-expire.ts';
import { countExpiredKeys, expiredIdBound, expiredKeyRange } from '../db/queries/expired-keys.ts';
import { countExpiredRecords } from '../db/queries/expired-records.ts';
import { countStagedUpTo } from '../db/queries/staging-purge.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { countExpiring } from './archive-objects.ts';
import { type DueItem, type EventsItem, type RetentionLimits, type RetentionPlan, ruleOf } from './retention-rules.ts';

/** Rows are counted up to here: somebody waits for the answer. */
const COUNT_UP_TO = 100_000;

export interface MeasuredItem {
  kind: DueItem['kind'];
  what: string;
  batch_id: string | null;
  why: string;
  /** Null where nobody knows without reading all of it. */
  rows: number | null;
  objects: number;
  bytes: number;
  /** Of the rows: counted, by the database's statistics, or counted so far. */
  precision: 'exact' | 'about' | 'at least';
}

interface Measuring {
  pool: Pool;
  keyStore: KeyStore;
  store: ObjectStore;
  archiveBucket: string;
  limits: RetentionLimits;
  cutoffs: RetentionPlan['cutoffs'];
}

type Size = Pick<MeasuredItem, 'rows' | 'objects' | 'bytes' | 'precision'>;

const counted = (rows: number, most = COUNT_UP_TO): Size => ({
  ...{ rows, objects: 0, bytes: 0 },
  precision: rows >= most ? 'at least' : 'exact',
});

async function sizeOfEvents({ pool, cutoffs }: Measuring, item: EventsItem): Promise<Size> {
  const bounds = { before: cutoffs.events, keep: item.keep, limit: COUNT_UP_TO };
  const size = counted(await countEventsToExpire(pool, item.leaf, bounds));
  if (item.mode !== 'drop') return size;
  const { rows, bytes } = await estimateEventPartition(pool, item.leaf);
  return size.precision === 'exact' ? { ...size, bytes } : { rows, objects: 0, bytes, precision: 'about' };
}

async function sizeOf(measuring: Measuring, item: DueItem): Promise<Size> {
  const { pool, keyStore, store, archiveBucket, cutoffs } = measuring;
  switch (item.kind) {
    case 'staging':
      return counted(await countStagedUpTo(pool, item.batchId, COUNT_UP_TO));
    case 'archive':
    case 'snapshots': {
      const { objects, bytes } = await countExpiring(store, archiveBucket, item);
      return { rows: 0, objects, bytes, precision: 'exact' };
    }
    case 'events':
      return sizeOfEvents(measuring, item);
    case 'keys': {
      const range = expiredKeyRange(item.source, cutoffs.events);
      return counted(await countExpiredKeys(keyStore.pool, range, item.keep, COUNT_UP_TO));
    }
    case 'records': {
      const bounds = { idBound: expiredIdBound(item.source, item.before), keep: item.keep, limit: COUNT_UP_TO };
      return counted(await countExpiredRecords(pool, item.batchId, bounds));
    }
  }
}

const day = (at: Date) => at.toISOString().slice(0, 10);

/** What an item is, and why it goes, for people. */
function tell({ limits, cutoffs }: Measuring, item: DueItem): Pick<MeasuredItem, 'what' | 'why'> {
  const before = `of events from before ${day(cutoffs.events)} (event_months: ${limits.event_months})`;
  switch (item.kind) {
    case 'staging':
      return {
        what: 'staged rows',
        why: `complete since ${item.since.toISOString().slice(0, 16)}Z (staging_hours: ${limits.staging_hours})`,
      };
    case 'archive':
      return {
        what: 'raw mirror, transformed parts, report samples',
        why: `mirrored on ${day(item.madeAt)} (${ruleOf(item.kind, limits)})`,
      };
    case 'snapshots':
      return { what: 'snapshots', why: `taken on ${day(item.madeAt)} (${ruleOf(item.kind, limits)})` };
    case 'events':
      return {
        what: item.mode === 'drop' ? `the partition analytics.${item.leaf}` : `rows of analytics.${item.leaf}`,
        why: before + (item.keep.length > 0 ? `; rows of ${item.keep.join(', ')} stay` : ''),
      };
    case 'keys':
      return { what: `dedup keys of ${item.source}`, why: before };
    case 'records':
      return { what: 'lineage, accepted lines, loser records', why: before };
  }
}

/** How much each item is, without deleting anything. What is nothing is left out. */
export async function measureDue(measuring: Measuring, due: readonly DueItem[]): Promise<MeasuredItem[]> {
  const measured: MeasuredItem[] = [];
  for (const item of due) {
    const size = await sizeOf(measuring, item);
    const isNothing = size.rows === 0 && size.objects === 0;
    // An empty day goes all the same.
    if (isNothing && !(item.kind === 'events' && item.mode === 'drop')) continue;
    const batchId = 'batchId' in item ? item.batchId : null;
    measured.push({ kind: item.kind, batch_id: batchId, ...tell(measuring, item), ...size });
  }
  return measured;
}
