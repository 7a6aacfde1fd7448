import { describe, expect, it } from 'vitest';
import {
  changesByType,
  findReplacement,
  foldChanges,
  type ReplacementChange,
  sumChanges,
} from './replacement-change.ts';

const change = (event_name: string, day: string, changed: number): ReplacementChange => ({
  ...{ event_name, day, changed, replaced: changed + 3, proposed: changed + 2, identical: 1, added: 1, gone: 2 },
});
const changes = [
  change('page_viewed', '2026-10-31', 1),
  change('page_viewed', '2026-11-01', 10),
  change('page_viewed', '2026-11-02', 100),
  change('search_performed', '2026-11-02', 5),
];

describe('replacement changes', () => {
  it('are told by day as long as there are not too many', () => {
    expect(foldChanges(changes, 4)).toEqual(changes);
    expect(foldChanges(changes, 3).map(({ event_name, day, changed }) => [event_name, day, changed])).toEqual([
      ['page_viewed', '2026-10', 1],
      ['page_viewed', '2026-11', 110],
      ['search_performed', '2026-11', 5],
    ]);
  });

  it('add up', () => {
    const total = { replaced: 128, proposed: 124, identical: 4, changed: 116, added: 4, gone: 8 };
    expect(sumChanges(changes)).toEqual(total);
    expect(sumChanges(foldChanges(changes, 3))).toEqual(total);
    expect(changesByType(changes).map(({ event_name, changed }) => [event_name, changed])).toEqual([
      ['page_viewed', 111],
      ['search_performed', 5],
    ]);
  });

  it('are found in the gate that measured them', () => {
    const detail = { replaces: { live: true }, rows: 128, fingerprint: '128:7', changes };
    expect(findReplacement([{ gate: 'balance' }, { gate: 'replaces', detail }])).toEqual(detail);
    expect(findReplacement([{ gate: 'replaces', detail: { error: 'timeout' } }])).toBeUndefined();
    expect(findReplacement([])).toBeUndefined();
  });
});
