import type { EventTrace } from '../client/event-trace.ts';

const LIVE = 'live ingestion';

/**
 * The way of one event: its state and owner, every raw line it came from, every row it is or was stored in, who else had
 * it, and who has signed for it.
 */
export function formatTrace(trace: EventTrace): string[] {
  return [
    `${trace.event_id}: ${trace.state}`,
    `  owner    ${ownerText(trace)}`,
    ...(trace.schema_version === null ? [] : [`  schema   ${trace.schema_version}`]),
    ...trace.lines.flatMap(lineTexts),
    `  raw line ${trace.raw_line ?? `not shown: ${trace.raw_line_missing}`}`,
    ...trace.stored.map((row) => {
      const gone = row.replaced_by ? `replaced by ${row.replaced_by}` : 'taken back';
      const until = row.deleted_at === null ? '' : `, ${gone} ${row.deleted_at}`;
      return `  stored   ${row.ingested_at} by ${row.batch_id ?? LIVE}${until}`;
    }),
    ...trace.losers.map(loserText),
    ...trace.handovers.map(({ from_batch_id: from, to_batch_id: to, is_suppressed, handed_over_at: at }) =>
      is_suppressed
        ? `  handover ${at} from ${from} to nobody: the person is suppressed`
        : `  handover ${at} from ${from} to ${to ?? LIVE}`,
    ),
    ...trace.approvals.map(({ stage, role, actor, at }) => `  signed   ${at} ${stage} by ${actor} (${role})`),
  ];
}

function lineTexts(line: EventTrace['lines'][number]): string[] {
  const { byte_start: start, byte_end: end, mirror_sha256: sha256 } = line;
  const bytes =
    start === null || end === null ? [] : [`           within bytes ${start} to ${end} of the mirrored object`];
  const mirror = sha256 === null ? [] : [`           sha256 ${sha256}`];
  return [
    `  line     ${line.source_file}:${line.line_no} of ${line.batch_id} (${line.batch_status})`,
    ...bytes,
    ...mirror,
  ];
}

function loserText({ batch_id: loser, winner_batch_id: winner, withheld }: EventTrace['losers'][number]): string {
  if (withheld) return `  left out by ${loser ?? LIVE}: the person was suppressed`;
  return loser === null ? `  lost     ${LIVE}, to a batch` : `  lost     ${loser}, to ${winner ?? LIVE}`;
}

function ownerText({ owner, owner_kind }: EventTrace): string {
  if (owner_kind === 'batch') return owner ?? 'a batch';
  return owner_kind === 'live' ? LIVE : 'none';
}
