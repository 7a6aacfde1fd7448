import type { TracedHandover } from '@backfill/core/db/queries/event-trace-handover-list';
import type { TracedLine } from '@backfill/core/db/queries/event-trace-line-list';
import type { TracedLoser } from '@backfill/core/db/queries/event-trace-loser-list';
import type { StoredRow } from '@backfill/core/db/queries/event-trace-stored-list';
import type { TransformedEvent } from '@backfill/core/recipe/line-outcome';
import type { EventTrace } from './schemas/event-trace.ts';

const EVENT_ID = /^([a-z0-9][a-z0-9_-]{0,62}):(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d{3}):\\x[0-9a-f]{64}$/;

/** The source and the time in an event id; undefined when the text is none. */
export function parseEventId(eventId: string): { source: string; eventTs: Date } | undefined {
  const match = EVENT_ID.exec(eventId);
  if (match === null) return undefined;
  const [, source = '', year, month, day, hour, minute, second, millisecond] = match;
  const eventTs = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}.${millisecond}Z`);
  return Number.isNaN(eventTs.getTime()) ? undefined : { source, eventTs };
}

/** What was found about an event. */
export interface FoundEvent {
  lines: readonly TracedLine[];
  stored: readonly StoredRow[];
  losers: readonly TracedLoser[];
  handovers: readonly TracedHandover[];
  /** The batch that holds its key in the dedup store. */
  keyOwner: string | undefined;
}

function isLeftOut({ lines, stored, losers, handovers, keyOwner }: FoundEvent): boolean {
  if (stored.some((row) => row.is_suppressed) || losers.some(({ withheld }) => withheld)) return true;
  if (handovers.at(-1)?.is_suppressed === true) return true;
  // Nothing else can keep a published batch's own event from being stored.
  const owner = lines.find((line) => line.batch_id === keyOwner);
  return owner?.status === 'published' && stored.length === 0;
}

function traceState(found: FoundEvent, live: StoredRow | undefined, owner: string | undefined): EventTrace['state'] {
  if (live !== undefined) return 'live';
  if (isLeftOut(found)) return 'suppressed';
  if (found.stored.some((row) => row.replaced_by !== null)) return 'replaced';
  if (owner !== undefined) return 'staged';
  return found.stored.length > 0 ? 'tombstoned' : 'released';
}

/** The batch that has the event, or undefined; of one that is live, who has stored it. */
export function ownerOf({ stored, keyOwner }: FoundEvent): string | undefined {
  const live = stored.find((row) => row.deleted_at === null);
  return live === undefined ? keyOwner : (live.batch_id ?? undefined);
}

/** The line that an event is told to come from: the first one of its owner. */
export function originOf(found: FoundEvent): TracedLine | undefined {
  const owner = ownerOf(found);
  return found.lines.find((line) => line.batch_id === owner) ?? found.lines[0];
}

/** The event as it is or was stored, where its id says that it is itself. */
export function storedEvent(eventId: string, eventTs: Date, { stored }: FoundEvent): TransformedEvent | undefined {
  const row = stored.find(({ is_authentic, is_suppressed }) => is_authentic && !is_suppressed);
  if (row === undefined) return undefined;
  const { event_name, schema_version, session_id, subject_id, payload } = row;
  return {
    ...{ eventId, eventTsMs: eventTs.getTime(), eventName: event_name, schemaVersion: schema_version },
    ...{ sessionId: session_id, subjectId: subject_id, payload },
  };
}

/**
 * What is known about an event, from what was found.
 *
 * @param approvals those of its batch that count
 * @returns undefined when nothing was found
 */
export function toEventTrace(
  eventId: string,
  found: FoundEvent,
  approvals: EventTrace['approvals'],
): Omit<EventTrace, 'raw_line' | 'raw_line_missing'> | undefined {
  const { lines, stored, losers, handovers, keyOwner } = found;
  if (lines.length === 0 && stored.length === 0 && keyOwner === undefined) return undefined;
  const live = stored.find((row) => row.deleted_at === null);
  const owner = ownerOf(found);
  const origin = originOf(found);
  const latest = stored[0];
  return {
    event_id: eventId,
    state: traceState(found, live, owner),
    owner: owner ?? null,
    owner_kind: live?.batch_id === null ? 'live' : owner === undefined ? 'none' : 'batch',
    event_name: latest?.event_name ?? null,
    schema_version: latest?.schema_version ?? null,
    source_file: origin?.source_file ?? null,
    line_no: origin?.line_no ?? null,
    lines: lines.map(({ status, chunk_id: _, ...line }) => ({ ...line, batch_status: status })),
    stored: stored.map((row) => ({
      batch_id: row.batch_id,
      schema_version: row.schema_version,
      ingested_at: row.ingested_at.toISOString(),
      deleted_at: row.deleted_at?.toISOString() ?? null,
      replaced_by: row.replaced_by,
    })),
    losers: losers.map(({ recorded_at, ...loser }) => ({ ...loser, recorded_at: recorded_at.toISOString() })),
    handovers: handovers.map(({ handed_over_at, ...handover }) => ({
      ...handover,
      handed_over_at: handed_over_at.toISOString(),
    })),
    approvals,
  };
}
