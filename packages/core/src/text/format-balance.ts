import { type Balance, OUTCOMES, unaccountedLines } from '../domain/balance.ts';
import { formatCount } from './format-number.ts';
import { formatTable } from './format-table.ts';

/**
 * A batch's balance sheet: what was read, how each line ended, and whether the two agree.
 * One outcome a line.
 */
export function formatBalance(balance: Balance): string[] {
  const rows = [
    ['', 'read', formatCount(balance.read)],
    ...OUTCOMES.map((outcome, index) => [index === 0 ? '=' : '+', outcome, formatCount(balance[outcome])]),
  ];
  const table = formatTable(
    [
      { heading: '', align: 'left' },
      { heading: '', align: 'left' },
      { heading: '', align: 'right' },
    ],
    rows,
  );
  return [...table, balanceVerdict(balance)];
}

/** The balance sheet of each file, one file a line, in the order given. */
export function formatFileBalances(files: readonly { source_file: string; balance: Balance }[]): string[] {
  return formatTable(
    [
      { heading: 'file', align: 'left' },
      { heading: 'read', align: 'right' },
      ...OUTCOMES.map((outcome) => ({ heading: outcome, align: 'right' as const })),
      { heading: '', align: 'left' },
    ],
    files.map(({ source_file, balance }) => [
      source_file,
      formatCount(balance.read),
      ...OUTCOMES.map((outcome) => formatCount(balance[outcome])),
      unaccountedLines(balance) === 0 ? '' : 'DOES NOT BALANCE',
    ]),
  );
}

function balanceVerdict(balance: Balance): string {
  const missing = unaccountedLines(balance);
  if (missing === 0) return 'every line is accounted for';
  const what = missing > 0 ? 'lines are not accounted for' : 'lines are counted twice';
  return `DOES NOT BALANCE: ${formatCount(Math.abs(missing))} ${what}`;
}
