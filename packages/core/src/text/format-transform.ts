import type { DryRun } from '../transform/dry-run.ts';
import type { Replay } from '../transform/replay.ts';
import type { QuarantineReason, TransformSummary } from '../transform/transform-counts.ts';
import { formatBalance } from './format-balance.ts';
import { formatCount, formatQuantity } from './format-number.ts';
import { formatTable, type TableColumn } from './format-table.ts';

/** Line numbers of one quarantine reason that are printed; `--json` has more. */
const MAX_PLACES = 10;
const MAX_DIFFERENCES = 20;

const left = (heading: string): TableColumn => ({ heading, align: 'left' });
const right = (heading: string): TableColumn => ({ heading, align: 'right' });

function section(heading: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', heading, ...lines.map((line) => `  ${line}`)];
}

function formatPlaces({ lines, places }: QuarantineReason): string {
  const shown = places.slice(0, MAX_PLACES).map(({ source_file, line_no }) => `${source_file}:${line_no}`);
  const more = lines - shown.length;
  return more > 0 ? `${shown.join(' ')} and ${formatCount(more)} more` : shown.join(' ');
}

function formatDetails({ events, pii_hits, dropped_fields, unknown_fields, quarantine }: TransformSummary): string[] {
  const eventRows = events.map((row) => [row.event_name, row.day, formatCount(row.events)]);
  const hitRows = pii_hits.map((row) => [row.field, row.detector, formatCount(row.hits)]);
  const droppedRows = dropped_fields.map((row) => [row.field, formatCount(row.values)]);
  const reasonRows = quarantine.map((row) => [row.reason, formatCount(row.lines), formatPlaces(row)]);
  const orNone = (columns: TableColumn[], rows: string[][]) => (rows.length === 0 ? [] : formatTable(columns, rows));
  return [
    ...section('Events by type and UTC day', orNone([left('event'), left('day'), right('events')], eventRows)),
    ...section('Personal data found', orNone([left('field'), left('detector'), right('hits')], hitRows)),
    ...section('Fields that the taxonomy drops', [
      ...orNone([left('field'), right('values')], droppedRows),
      ...(unknown_fields > 0 ? [`${formatQuantity(unknown_fields, 'value')} of fields that it does not know`] : []),
    ]),
    ...section('Quarantine', orNone([left('reason'), right('lines'), left('file:line')], reasonRows)),
  ];
}

/** What a dry run found, for a person. */
export function formatDryRun(run: DryRun): string[] {
  const { same_batch, other_batch, live } = run.duplicates;
  const duplicates = [
    `${formatCount(same_batch)} same_batch`,
    `${formatCount(other_batch)} other_batch`,
    `${formatCount(live)} live`,
  ];
  const recipe = run.recipe === 'pinned' ? "under the plan's recipe" : 'under the configuration as it is now';
  return [
    `Dry run of ${run.batch_id} (${run.source}), read from the ${run.read_from}, ${recipe}. Nothing was stored.`,
    '',
    ...formatBalance(run.balance),
    `duplicates: ${duplicates.join(', ')}`,
    ...formatDetails(run.summary),
  ];
}

/** What a transform of raw input made of it, for a person. */
export function formatTransformSummary(summary: TransformSummary): string[] {
  const outcomes = (['suppressed', 'expired', 'filtered', 'quarantined'] as const).map(
    (outcome) => `${formatCount(summary[outcome])} ${outcome}`,
  );
  const events = formatQuantity(summary.accepted, 'event');
  return [`${formatQuantity(summary.read, 'line')}: ${events}, ${outcomes.join(', ')}`, ...formatDetails(summary)];
}

/** How a replay compares with the first run, for a person. */
export function formatReplay(replay: Replay): string[] {
  const differences = replay.differences.map(({ source_file, first_line, line_count, what, before, after }) => {
    const lines = `lines ${first_line} to ${first_line + line_count - 1}`;
    return `${source_file}, ${lines}: ${what} was ${before ?? 'none'}, is ${after ?? 'none'}`;
  });
  const since = replay.suppressed_since.map(
    ({ subject_id, events }) => `${subject_id}  ${formatQuantity(events, 'event')}`,
  );
  const beyond = replay.lines_beyond_ledger;
  const { suppression_lifted: lifted } = replay;
  return [
    `Replayed ${replay.batch_id}: ${formatQuantity(replay.lines, 'line')}, ${formatQuantity(replay.events, 'event')}`,
    differences.length === 0
      ? `every part is byte-identical to the first run's (${formatCount(replay.parts)} by sha256)`
      : `DIFFERS: ${formatCount(replay.parts - replay.parts_identical)} of ${formatQuantity(replay.parts, 'part')}`,
    ...differences.slice(0, MAX_DIFFERENCES).map((line) => `  ${line}`),
    ...(differences.length > MAX_DIFFERENCES
      ? [`  and ${formatCount(differences.length - MAX_DIFFERENCES)} more`]
      : []),
    ...(beyond > 0 ? [`${formatQuantity(beyond, 'line')} were not transformed before: nothing to compare`] : []),
    ...(lifted > 0 ? [`${formatQuantity(lifted, 'line')} of persons who are not suppressed any more stayed out`] : []),
    ...section('Left out, suppressed since', since),
  ];
}
