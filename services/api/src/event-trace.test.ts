import { describe, expect, it } from 'vitest';
import { parseEventId, toEventTrace } from './event-trace.ts';

const ID = `app:20261101100000123:\\x${'a'.repeat(64)}`;
const at = new Date('2026-11-02T00:00:00Z');
const line = (batchId: string, lineNo: number) => ({
  batch_id: batchId,
  status: 'importing' as const,
  source_file: `${batchId}.log`,
  line_no: lineNo,
});
const row = (batchId: string | null, deletedAt: Date | null, replacedBy: string | null = null) => ({
  batch_id: batchId,
  ingested_at: at,
  deleted_at: deletedAt,
  replaced_by: replacedBy,
});

describe('parseEventId', () => {
  it('reads source and time', () => {
    expect(parseEventId(ID)).toEqual({ source: 'app', eventTs: new Date('2026-11-01T10:00:00.123Z') });
  });

  it.each([
    '',
    'app',
    ID.replace('\\x', ''),
    ID.toUpperCase(),
    `${ID}a`,
    `${ID}'; drop table x`,
    ID.replace('20261101', '20261301'),
  ])('refuses %s', (text) => {
    expect(parseEventId(text)).toBeUndefined();
  });
});

describe('toEventTrace', () => {
  it.each([
    ['an import that waits for publish', [line('b', 7)], [], 'b', 'staged', 'b', 'batch', 7],
    ['a published event', [line('b', 7)], [row('b', null)], 'b', 'live', 'b', 'batch', 7],
    ['a duplicate of a published one', [line('a', 1), line('b', 7)], [row('b', null)], 'b', 'live', 'b', 'batch', 7],
    ['an event that live ingestion has as well', [line('b', 7)], [row(null, null)], undefined, 'live', null, 'live', 7],
    ['an event that only live ingestion has', [], [row(null, null)], undefined, 'live', null, 'live', null],
    ['a published event taken back', [line('b', 7)], [row('b', at)], undefined, 'tombstoned', null, 'none', 7],
    ['one taken back and imported again', [line('b', 7)], [row('b', at)], 'b', 'staged', 'b', 'batch', 7],
    ['one that another batch replaced', [line('b', 7)], [row('b', at, 'c')], 'b', 'replaced', 'b', 'batch', 7],
    ['one taken back before its publish', [line('b', 7)], [], undefined, 'released', null, 'none', 7],
  ])('tells %s', (_what, lines, stored, keyOwner, state, owner, kind, lineNo) => {
    const trace = toEventTrace(ID, { lines, stored, keyOwner });
    expect(trace).toMatchObject({ state, owner, owner_kind: kind, line_no: lineNo });
    expect(trace?.lines).toHaveLength(lines.length);
  });

  it('knows nothing of an event that nobody delivered', () => {
    expect(toEventTrace(ID, { lines: [], stored: [], keyOwner: undefined })).toBeUndefined();
  });
});
