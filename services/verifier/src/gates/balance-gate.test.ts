import { describe, expect, it } from 'vitest';
import { fileDiscrepancies } from './balance-gate.ts';

const counts = {
  source_file: 'a.log',
  read: 10,
  inserted: 5,
  duplicate: 2,
  suppressed: 0,
  expired: 0,
  filtered: 1,
  quarantined: 2,
  accepted_rows: 7,
  lineage_rows: 7,
  quarantine_rows: 2,
};
const mirror = { lines: 10, intact: true };

describe('fileDiscrepancies', () => {
  it('finds none when the books balance', () => {
    expect(fileDiscrepancies(counts, mirror)).toEqual([]);
  });

  it.each([
    ['a line more in the mirror', counts, { ...mirror, lines: 11 }, 'lines read'],
    ['a changed mirror', counts, { ...mirror, intact: false }, 'sha256'],
    ['an edited counter', { ...counts, filtered: 2 }, mirror, 'without an outcome'],
    ['a lost accepted line', { ...counts, accepted_rows: 6 }, mirror, 'accepted lines'],
    ['a lost lineage row', { ...counts, lineage_rows: 6 }, mirror, 'lineage rows'],
    ['a lost quarantine row', { ...counts, quarantine_rows: 1 }, mirror, 'quarantine rows'],
  ])('names %s', (_name, given, against, expected) => {
    expect(fileDiscrepancies(given, against)).toEqual([expect.stringContaining(expected)]);
  });
});
