import type { RetentionRunView, RetentionView } from '../client/retention-view.ts';
import { formatCount, formatQuantity } from './format-number.ts';
import { formatTable, type TableColumn } from './format-table.ts';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `3.4 MiB` */
function formatBytes(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  return power === 0 ? `${bytes} B` : `${(bytes / 1_024 ** power).toFixed(1)} ${UNITS[power]}`;
}

const orNothing = (count: number, text: string) => (count === 0 ? '' : text);

function formatRows({ rows, precision }: RetentionView['due'][number]): string {
  if (rows === null) return 'unknown';
  return orNothing(rows, precision === 'exact' ? formatCount(rows) : `${precision} ${formatCount(rows)}`);
}

const COLUMNS: TableColumn[] = [
  { heading: 'batch', align: 'left' },
  { heading: 'what', align: 'left' },
  { heading: 'rows', align: 'right' },
  { heading: 'objects', align: 'right' },
  { heading: 'size', align: 'right' },
];

function overAgeLines(over: RetentionView['over_age'] | null): string[] {
  if (over === null || over.objects === 0) return [];
  const size = `${formatQuantity(over.objects, 'object')}, ${formatBytes(over.bytes)}`;
  return [
    `In the raw bucket ${over.bucket}, past its limit (${size}; the oldest of ${over.oldest?.slice(0, 10)}), and not this system's to delete:`,
    ...over.inputs.map(
      (own) => `  input of ${own.batch_id}: ${formatQuantity(own.objects, 'object')}, ${formatBytes(own.bytes)}`,
    ),
  ];
}

/** What would go and why, what stays all the same, and what somebody else has to look after. */
export function formatRetention(view: RetentionView): string[] {
  const due = formatTable(
    [...COLUMNS, { heading: 'why', align: 'left' }],
    view.due.map((item) => [
      item.batch_id ?? '',
      item.what,
      formatRows(item),
      orNothing(item.objects, formatCount(item.objects)),
      orNothing(item.bytes, formatBytes(item.bytes)),
      item.why,
    ]),
  );
  const held = view.held.map(({ batch_id, kinds, why, until }) => {
    const end = until === null ? '' : ` until ${until.slice(0, 16)}Z`;
    return `  ${batch_id}: ${kinds.join(', ')}; ${why}${end}`;
  });
  return [
    ...(view.due.length === 0 ? ['Nothing is past its time that would go.'] : ['Would go now:', ...due]),
    ...(held.length === 0 ? [] : ['Past its time, and stays:', ...held]),
    ...overAgeLines(view.over_age),
    view.last_run_at === null ? 'No run has been complete yet.' : `Last complete run: ${view.last_run_at}.`,
  ];
}

/** What a run has deleted, by its receipts, and what it left. */
export function formatRetentionRun(run: RetentionRunView): string[] {
  const receipts = formatTable(
    [{ heading: 'receipt', align: 'right' }, ...COLUMNS, { heading: 'rule', align: 'left' }],
    run.deletions.map((deletion) => [
      String(deletion.deletion_id),
      deletion.batch_id ?? '',
      deletion.what + (deletion.completed_at === null ? ' (not ended)' : ''),
      orNothing(deletion.rows, formatCount(deletion.rows)),
      orNothing(deletion.objects, formatCount(deletion.objects)),
      orNothing(deletion.bytes, formatBytes(deletion.bytes)),
      deletion.rule,
    ]),
  );
  return [
    ...(run.deletions.length === 0 ? ['Nothing was deleted.'] : ['Deleted:', ...receipts]),
    ...overAgeLines(run.over_age),
    ...run.problems.map((problem) => `Left for the next run: ${problem}`),
  ];
}
