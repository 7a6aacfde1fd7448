import type { TracedLine } from '@backfill/core/db/queries/event-trace-line-list';
import type { StoredRow } from '@backfill/core/db/queries/event-trace-stored-list';
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

function traceState(live: StoredRow | undefined, owner: string | undefined, stored: readonly StoredRow[]) {
  if (live !== undefined) return 'live';
  if (stored.some((row) => row.replaced_by !== null)) return 'replaced';
  if (owner !== undefined) return 'staged';
  return stored.length > 0 ? 'tombstoned' : 'released';
}

/**
 * What is known about an event, from what was found.
 *
 * @param keyOwner the batch that holds its key in the dedup store
 * @returns undefined when nothing was found
 */
export function toEventTrace(
  eventId: string,
  found: { lines: readonly TracedLine[]; stored: readonly StoredRow[]; keyOwner: string | undefined },
): EventTrace | undefined {
  const { lines, stored, keyOwner } = found;
  if (lines.length === 0 && stored.length === 0 && keyOwner === undefined) return undefined;
  const live = stored.find((row) => row.deleted_at === null);
  const owner = live === undefined ? keyOwner : (live.batch_id ?? undefined);
  const origin = lines.find((line) => line.batch_id === owner) ?? lines[0];
  return {
    event_id: eventId,
    state: traceState(live, owner, stored),
    owner: owner ?? null,
    owner_kind: live?.batch_id === null ? 'live' : owner === undefined ? 'none' : 'batch',
    source_file: origin?.source_file ?? null,
    line_no: origin?.line_no ?? null,
    lines: lines.map((line) => ({
      batch_id: line.batch_id,
      batch_status: line.status,
      source_file: line.source_file,
      line_no: line.line_no,
    })),
    stored: stored.map((row) => ({
      batch_id: row.batch_id,
      ingested_at: row.ingested_at.toISOString(),
      deleted_at: row.deleted_at?.toISOString() ?? null,
      replaced_by: row.replaced_by,
    })),
  };
}
