import type { BatchDetail } from '@backfill/core/client/batch-view';
import { type Balance, OUTCOMES } from '@backfill/core/domain/balance';
import type { Planted } from '@backfill/core/generate/planted';
import { formatCount } from '@backfill/core/text/format-number';

/** How every planted line has to end, when the person who objected is suppressed. */
export function expectedBalance(planted: Planted): Balance {
  return {
    read: planted.lines,
    inserted: planted.events - planted.alsoLive - planted.objector,
    duplicate: planted.duplicates + planted.alsoLive,
    suppressed: planted.objector,
    expired: 0,
    filtered: sum(planted.filtered),
    quarantined: sum(planted.quarantined),
  };
}

/**
 * Where a batch differs from what was planted, one difference a line; empty when it is exact.
 *
 * @param quarantined lines in quarantine by reason
 */
export function differences(
  planted: Planted,
  batch: Pick<BatchDetail, 'balance' | 'duplicates'>,
  quarantined: Readonly<Record<string, number>>,
): string[] {
  const expected = expectedBalance(planted);
  const kinds = { same_batch: planted.duplicates, live: planted.alsoLive, other_batch: 0 };
  return [
    ...compare('', { ...expected }, pick(batch.balance, ['read', ...OUTCOMES])),
    ...compare('duplicate, ', kinds, pick(batch.duplicates, ['same_batch', 'live', 'other_batch'])),
    ...compare('quarantined, ', planted.quarantined, quarantined),
  ];
}

type Counts = Readonly<Record<string, number>>;

function compare(prefix: string, expected: Counts, actual: Counts): string[] {
  const names = [...new Set([...Object.keys(expected), ...Object.keys(actual)])];
  return names
    .map((name) => ({ name, planted: expected[name] ?? 0, found: actual[name] ?? 0 }))
    .filter(({ planted, found }) => planted !== found)
    .map(
      ({ name, planted, found }) => `${prefix}${name}: ${formatCount(planted)} planted, ${formatCount(found)} found`,
    );
}

/** Only these counts: the API may tell more than we know. */
function pick<Name extends string>(counts: Readonly<Record<Name, number>>, names: readonly Name[]): Counts {
  return Object.fromEntries(names.map((name) => [name, counts[name]]));
}

function sum(counts: Counts): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
