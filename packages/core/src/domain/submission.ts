import { hash } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';
import type { JsonObject } from './json.ts';
import type { KpiReference } from './kpi.ts';
import type { Replaces } from './replacement.ts';

/** As the contract writes it. */
export const BATCH_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

export const BATCH_REASONS = ['outage', 'schema_migration', 'reprocess'] as const;
export type BatchReason = (typeof BATCH_REASONS)[number];

/** Reasons for which there are stored events already, which the batch must name. */
export const REPLACING_REASONS: readonly BatchReason[] = ['schema_migration', 'reprocess'];

/** Longest window of one batch, in days. Longer ranges are cut into batches. */
export const MAX_WINDOW_DAYS = 800;

/** What `POST /v1/batches` takes; stored as `backfill_batches.request`. */
export interface BatchRequest {
  batch_id: string;
  source: string;
  reason: BatchReason;
  /** `s3://bucket/prefix/` */
  input: string;
  /** `[start, end)`, RFC 3339 with an offset. */
  window: { start: string; end: string };
  /** The submitter's own count of the events that are missing. */
  expected_events?: number | undefined;
  /** Share of staged rows that others may also have delivered. */
  max_overlap?: number | undefined;
  /** What KPIs were on single days, by the books of somebody else. */
  references?: KpiReference[] | undefined;
  /** What is live already and is to go when the batch is published. */
  replaces?: Replaces | undefined;
  /** Lets older objects and events in than retention allows, until the date. */
  retention_exception?: { why: string; until: string } | undefined;
  ticket?: string | undefined;
}

const DAY_MS = 86_400_000;
// Years that PostgreSQL, JavaScript and people agree on.
const EARLIEST_MS = Date.UTC(1970, 0, 1);
const LATEST_MS = Date.UTC(9999, 0, 1);

/** What is wrong with a window of two RFC 3339 times; undefined when it is good. */
export function windowProblem(window: { start: string; end: string }): string | undefined {
  const start = Date.parse(window.start);
  const end = Date.parse(window.end);
  if (!(start >= EARLIEST_MS && end <= LATEST_MS)) return 'lies outside the years 1970 to 9998';
  if (start >= end) return 'start must be before end';
  if (end - start > MAX_WINDOW_DAYS * DAY_MS) {
    return `is longer than ${MAX_WINDOW_DAYS} days; cut it into several batches`;
  }
  return undefined;
}

/** Equal for two requests that say the same, in whatever order of names. Lower-case hex. */
export function requestSha256(request: BatchRequest): string {
  // Through JSON, so that a member that is absent and one that is undefined are the same.
  return hash('sha256', canonicalJson(JSON.parse(JSON.stringify(request)) as JsonObject), 'hex');
}
