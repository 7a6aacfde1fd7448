import type { EventTrace } from '../client/event-trace.ts';

/** The way of one event: its state and owner, every raw line it came from, every row it is or was stored in. */
export function formatTrace(trace: EventTrace): string[] {
  return [
    `${trace.event_id}: ${trace.state}`,
    `  owner   ${ownerText(trace)}`,
    ...trace.lines.map(
      (line) => `  line    ${line.source_file}:${line.line_no} of ${line.batch_id} (${line.batch_status})`,
    ),
    ...trace.stored.map((row) => {
      const gone = row.replaced_by ? `replaced by ${row.replaced_by}` : 'taken back';
      const until = row.deleted_at === null ? '' : `, ${gone} ${row.deleted_at}`;
      return `  stored  ${row.ingested_at} by ${row.batch_id ?? 'live ingestion'}${until}`;
    }),
  ];
}

function ownerText({ owner, owner_kind }: EventTrace): string {
  if (owner_kind === 'batch') return owner ?? 'a batch';
  return owner_kind === 'live' ? 'live ingestion' : 'none';
}
