import { unaccountedLines } from '@backfill/core/domain/balance';
import { emptyPlanted, type Planted } from '@backfill/core/generate/planted';
import { describe, expect, it } from 'vitest';
import { differences, expectedBalance } from './expected-outcome.ts';

const PLANTED: Planted = {
  ...emptyPlanted(),
  lines: 120,
  events: 100,
  duplicates: 4,
  alsoLive: 5,
  objector: 6,
  filtered: { blank: 1, outsideWindow: 2, unmapped: 3 },
  quarantined: { 'parse: not_json': 10 },
};
const DUPLICATES = { same_batch: 4, live: 5, other_batch: 0 };

describe('expectedBalance', () => {
  it('gives every planted line one end', () => {
    const balance = expectedBalance(PLANTED);
    expect(unaccountedLines(balance)).toBe(0);
    expect(balance).toMatchObject({ inserted: 89, duplicate: 9, suppressed: 6, filtered: 6, quarantined: 10 });
  });
});

describe('differences', () => {
  it('is empty when everything is where it was planted', () => {
    const batch = { balance: { ...expectedBalance(PLANTED), more: 1 }, duplicates: DUPLICATES };
    expect(differences(PLANTED, batch, { 'parse: not_json': 10 })).toEqual([]);
  });

  it('names every count that differs, reasons of quarantine too', () => {
    const batch = {
      balance: { ...expectedBalance(PLANTED), inserted: 88, filtered: 7 },
      duplicates: { ...DUPLICATES, live: 4, other_batch: 1 },
    };
    expect(differences(PLANTED, batch, { 'parse: not_json': 9, 'time: missing': 1 })).toEqual([
      'inserted: 89 planted, 88 found',
      'filtered: 6 planted, 7 found',
      'duplicate, live: 5 planted, 4 found',
      'duplicate, other_batch: 0 planted, 1 found',
      'quarantined, parse: not_json: 10 planted, 9 found',
      'quarantined, time: missing: 0 planted, 1 found',
    ]);
  });
});
