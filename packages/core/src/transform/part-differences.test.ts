import { expect, it } from 'vitest';
import type { LedgerPart } from '../db/queries/part-list.ts';
import { PartBuilder } from './part-builder.ts';
import { partDifferences } from './part-differences.ts';

const line = (lineNo: number) => ({ lineNo, bytes: Buffer.from('x'), byteLength: 2 });

function build() {
  const builder = new PartBuilder('b', 'a.log', 11);
  builder.add(line(11), { outcome: 'filtered' });
  builder.add(line(12), {
    outcome: 'accepted',
    event: {
      ...{ eventId: 'id', eventName: 'n', schemaVersion: '1-0-0', eventTsMs: 0, sessionId: null, subjectId: null },
      payload: '{}',
    },
  });
  return builder.build();
}

const again = build();
const LEDGER: LedgerPart = {
  ...{ part_no: 0, first_line: 11, line_count: 2, object_sha256: again.sha256, event_count: 1 },
  ...{ suppressed: 0, expired: 0, filtered: 1, quarantined: 0 },
};

it('finds none in the same part', () => {
  expect(partDifferences('a.log', LEDGER, again)).toEqual([]);
});

it.each([
  [{ object_sha256: '00' }, ['sha256']],
  [{ object_sha256: null, event_count: 0, filtered: 2 }, ['sha256', 'event_count', 'filtered']],
  [{ suppressed: 1, filtered: 0 }, ['suppressed', 'filtered']],
])('finds %j', (changes, what) => {
  const differences = partDifferences('a.log', { ...LEDGER, ...changes }, again);
  expect(differences.map((difference) => difference.what)).toEqual(what);
  expect(differences[0]).toMatchObject({ source_file: 'a.log', first_line: 11, line_count: 2 });
});
