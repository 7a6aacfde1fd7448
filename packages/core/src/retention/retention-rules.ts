import type { BatchStatus } from '../domain/batch-status.ts';
import { retentionCutoffs } from '../plan/retention.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** `policy.retention` */
export interface RetentionLimits {
  raw_days: number;
  event_months: number;
  staging_hours: number;
}

/** The moments before which things are past their time. */
export interface RetentionCutoffs {
  /** Staged rows of batches that were complete by then. */
  staging: Date;
  /** Mirrors, snapshots, and objects of the raw bucket. */
  raw: Date;
  /** Events, and what is about them: midnight UTC, since days go as a whole. */
  events: Date;
}

/** What retention has to know about a batch. */
export interface RetentionBatch {
  batch_id: string;
  source: string;
  status: BatchStatus;
  attempt: number;
  window_start: Date;
  window_end: Date;
  /** True while the batch's rows are in the stored events. */
  rows_live: boolean;
  /** Since when it has its status. */
  since: Date;
  /** The end of the retention exception in the plan that was approved. */
  exception_until: Date | null;
  /** Whether its run was ever begun, so that there may be objects of it. */
  was_prepared: boolean;
  /** The last object of its mirror; null when none is noted. */
  mirrored_at: Date | null;
  /** Its last snapshot, or go where no snapshot was noted. */
  snapshot_at: Date | null;
  has_staging: boolean;
  /** Up to what age each was looked through the last time; see {@link DueItem}. */
  archive_mark: Date | null;
  snapshots_mark: Date | null;
  records_mark: Date | null;
}

/** A partition of the stored events. */
export interface EventPartition {
  /** Without the schema. */
  leaf: string;
  /** `[from, to)`; null for the default partition, which takes what has no other. */
  range: { from: Date; to: Date } | null;
  /** When it was last looked through for rows among others that are kept, and whose those were. */
  mark: RetentionMark | null;
}

/** That something was looked through while things of these batches stayed. */
export interface RetentionMark {
  at: Date;
  /** In order. */
  kept: readonly string[];
}

/** A partition of events that are past their time. */
export interface EventsItem {
  kind: 'events';
  leaf: string;
  range: EventPartition['range'];
  /** Batches whose rows stay. */
  keep: readonly string[];
  /** `drop` the whole, delete the other `rows` out of it, or `wait` for a batch that is changing rows of the day. */
  mode: 'drop' | 'rows' | 'wait';
}

/** Something that is past its time. */
export type DueItem =
  | { kind: 'staging'; batchId: string; since: Date }
  /** Mirror, transformed parts, report samples and kept readings; `madeAt` is what its age counts from. */
  | { kind: 'archive' | 'snapshots'; batchId: string; attempt: number; madeAt: Date }
  | EventsItem
  | { kind: 'keys'; source: string; keep: readonly string[] }
  /** Lineage, accepted lines and loser records of events that are past their time. */
  | { kind: 'records'; batchId: string; source: string; attempt: number; before: Date; keep: readonly string[] };

/** Something that is past its time and stays all the same. */
export interface HeldItem {
  batchId: string;
  kinds: DueItem['kind'][];
  why: string;
  /** When it ends by itself; null: when somebody does something. */
  until: Date | null;
}

export interface RetentionPlan {
  cutoffs: RetentionCutoffs;
  due: DueItem[];
  held: HeldItem[];
}

/** @param now ms since 1970 */
export function retentionMoments(limits: RetentionLimits, now: number): RetentionCutoffs {
  const { objects, eventsMs } = retentionCutoffs(limits, null, now);
  return {
    staging: new Date(now - limits.staging_hours * HOUR_MS),
    raw: objects ?? new Date(0),
    events: new Date(Math.floor((eventsMs ?? 0) / DAY_MS) * DAY_MS),
  };
}

const COMPLETE: readonly BatchStatus[] = ['published', 'rolled_back'];
/** A publish that has not been counted, and a rollback that has not been proven, must not find rows gone. */
const CHANGING_ROWS: readonly BatchStatus[] = ['publishing', 'rolling_back'];

/** True when nobody works for the batch any more, and nobody will but in a new attempt. */
export const isComplete = ({ status }: Pick<RetentionBatch, 'status'>): boolean => COMPLETE.includes(status);
/** What was taken back is not kept: an exception is about rows that people read. */
const isExcepted = (batch: RetentionBatch, now: number) =>
  batch.status !== 'rolled_back' && (batch.exception_until?.getTime() ?? 0) > now;

/** A mirror that nobody reads any more: also of a batch that failed so long ago that its raw data is past its time. */
function hasIdleArchive(batch: RetentionBatch, { raw }: RetentionCutoffs): boolean {
  return isComplete(batch) || (batch.status === 'failed' && batch.since <= raw);
}

/** Batches whose events, keys and records stay, whatever their age. */
function batchesToKeep(batches: readonly RetentionBatch[], now: number): RetentionBatch[] {
  return batches.filter((batch) => !isComplete(batch) || isExcepted(batch, now));
}

function archivesDue(batch: RetentionBatch, cutoffs: RetentionCutoffs): DueItem[] {
  const { batch_id: batchId, attempt } = batch;
  const mirroredAt = batch.was_prepared ? (batch.mirrored_at ?? batch.since) : null;
  const isDue = (madeAt: Date | null, mark: Date | null): madeAt is Date =>
    madeAt !== null && madeAt <= cutoffs.raw && (mark === null || mark < madeAt);
  const due: DueItem[] = [];
  if (isDue(mirroredAt, batch.archive_mark)) due.push({ kind: 'archive', batchId, attempt, madeAt: mirroredAt });
  if (isDue(batch.snapshot_at, batch.snapshots_mark)) {
    due.push({ kind: 'snapshots', batchId, attempt, madeAt: batch.snapshot_at });
  }
  return due;
}

function touches(batch: RetentionBatch, range: EventPartition['range']): boolean {
  return range === null || (batch.window_start < range.to && batch.window_end > range.from);
}

const ids = (batches: readonly RetentionBatch[]) => batches.map(({ batch_id }) => batch_id).sort();

/** How often rows that are kept are looked through for others. */
const LOOK_AGAIN_MS = DAY_MS;

/** True when nothing can have come since the mark but what somebody has written with an old time. */
export function isFresh(mark: RetentionMark | null, keep: readonly string[], now: number): boolean {
  return mark !== null && now - mark.at.getTime() < LOOK_AGAIN_MS && mark.kept.join() === keep.join();
}

/**
 * What is to be done with a partition that is past its time, or that may hold events that are; undefined for nothing, now
 * or for a while.
 */
export function eventsDue(
  { leaf, range, mark }: EventPartition,
  batches: readonly RetentionBatch[],
  cutoffs: RetentionCutoffs,
  now: number,
): EventsItem | undefined {
  if (range !== null && range.to > cutoffs.events) return undefined;
  const near = batches.filter((batch) => touches(batch, range));
  const kept = batchesToKeep(near, now).filter((batch) => batch.rows_live || isExcepted(batch, now));
  const item = { kind: 'events', leaf, range, keep: ids(kept) } as const;
  if (near.some(({ status }) => CHANGING_ROWS.includes(status))) return { ...item, mode: 'wait' };
  if (range !== null && kept.length === 0) return { ...item, mode: 'drop' };
  return isFresh(mark, item.keep, now) ? undefined : { ...item, mode: 'rows' };
}

/** Midnight UTC at or after. */
const dayEnd = (at: Date) => new Date(Math.ceil(at.getTime() / DAY_MS) * DAY_MS);

function recordsDue(batch: RetentionBatch, events: Date, keep: readonly string[]): DueItem[] {
  const end = dayEnd(batch.window_end);
  const before = end < events ? end : events;
  if (batch.window_start >= before || (batch.records_mark !== null && batch.records_mark >= before)) return [];
  const { batch_id: batchId, source, attempt } = batch;
  return [{ kind: 'records', batchId, source, attempt, before, keep }];
}

/**
 * What is about events goes with them.
 *
 * @param before events from before this are gone; midnight UTC
 */
export function aboutEventsDue(batches: readonly RetentionBatch[], before: Date, now: number): DueItem[] {
  const kept = batchesToKeep(batches, now);
  const keep = ids(kept);
  const sources = [...new Set(batches.filter((batch) => batch.window_start < before).map(({ source }) => source))];
  return [
    ...sources.sort().map((source): DueItem => ({ kind: 'keys', source, keep })),
    ...batches.filter((batch) => !kept.includes(batch)).flatMap((batch) => recordsDue(batch, before, keep)),
  ];
}

/** Why a batch's things stay that are past their time; undefined when none do. */
function holdOf(batch: RetentionBatch, cutoffs: RetentionCutoffs, now: number): HeldItem | undefined {
  const archives = hasIdleArchive(batch, cutoffs) ? [] : archivesDue(batch, cutoffs).map(({ kind }) => kind);
  const isUnderWay = !isComplete(batch);
  const aboutEvents: DueItem['kind'][] = [...(batch.rows_live ? ['events' as const] : []), 'keys', 'records'];
  const staysWithEvents =
    batch.window_start < cutoffs.events && (isUnderWay || (batch.status === 'published' && isExcepted(batch, now)));
  const kinds = [...archives, ...(staysWithEvents ? aboutEvents : [])];
  if (kinds.length === 0) return undefined;
  const { batch_id: batchId, status, exception_until: until } = batch;
  if (!isUnderWay) return { batchId, kinds, why: 'a retention exception', until };
  const since = batch.since.toISOString().slice(0, 10);
  const why = `the batch is under way (${status} since ${since}): let it go on, or roll it back`;
  return { batchId, kinds, why, until: null };
}

/**
 * What has to go now, and what stays although it is past its time, with the reason. Pure.
 *
 * @param now ms since 1970
 */
export function planRetention(
  facts: { batches: readonly RetentionBatch[]; partitions: readonly EventPartition[] },
  limits: RetentionLimits,
  now: number,
): RetentionPlan {
  const cutoffs = retentionMoments(limits, now);
  const { batches, partitions } = facts;
  const staging = batches.filter((b) => isComplete(b) && b.has_staging && b.since <= cutoffs.staging);
  return {
    cutoffs,
    due: [
      ...staging.map(({ batch_id: batchId, since }): DueItem => ({ kind: 'staging', batchId, since })),
      ...batches.filter((batch) => hasIdleArchive(batch, cutoffs)).flatMap((batch) => archivesDue(batch, cutoffs)),
      ...partitions
        .flatMap((partition) => eventsDue(partition, batches, cutoffs, now) ?? [])
        .filter(({ mode }) => mode !== 'wait'),
      ...aboutEventsDue(batches, cutoffs.events, now),
    ],
    held: batches.flatMap((batch) => holdOf(batch, cutoffs, now) ?? []),
  };
}

/** The policy's setting that something goes by, as receipts have it. */
export function ruleOf(kind: Exclude<DueItem['kind'], 'staging'>, limits: RetentionLimits): string {
  return kind === 'archive' || kind === 'snapshots'
    ? `raw_days: ${limits.raw_days}`
    : `event_months: ${limits.event_months}`;
}
