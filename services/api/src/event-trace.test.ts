import { describe, expect, it } from 'vitest';
import { parseEventId, toEventTrace } from './event-trace.ts';

const ID = `app:20261101100000123:\\x${'a'.repeat(64)}`;
const at = new Date('2026-11-02T00:00:00Z');
const line = (batchId: string, lineNo: number) => ({
  batch_id: batchId,
  status: 'importing' as const,
  source_file: `${batchId}.log`,
  line_no: lineNo,
  chunk_id: 1,
  ...{
    byte_start: 0,
    byte_end: 10,
    first_line: 1,
    raw_sha256: 'r',
    mirror_sha256: 'm',
    part_key: 'k',
    part_sha256: 'p',
  },
});
const row = (batchId: string | null, deletedAt: Date | null, replacedBy: string | null = null) => ({
  batch_id: batchId,
  ...{ event_name: 'x', schema_version: '1-0-0', is_suppressed: false },
  ...{ session_id: null, subject_id: null, payload: '{}', is_authentic: true },
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
    const trace = toEventTrace(ID, { lines, stored, keyOwner, losers: [], handovers: [] }, []);
    expect(trace).toMatchObject({ state, owner, owner_kind: kind, line_no: lineNo });
    expect(trace?.lines).toHaveLength(lines.length);
  });

  it.each([
    ['that was withheld', { losers: [{ batch_id: 'b', winner_batch_id: null, withheld: true, recorded_at: at }] }],
    ['that was taken back since', { stored: [{ ...row('b', at), is_suppressed: true }] }],
    [
      'that nobody got',
      { handovers: [{ from_batch_id: 'a', to_batch_id: 'b', is_suppressed: true, handed_over_at: at }] },
    ],
    ['that its publish left out', { lines: [{ ...line('b', 7), status: 'published' as const }], keyOwner: 'b' }],
  ])('tells of a suppressed person’s event %s', (_what, change) => {
    const found = { lines: [line('b', 7)], stored: [], keyOwner: undefined, losers: [], handovers: [], ...change };
    expect(toEventTrace(ID, found, [])?.state).toBe('suppressed');
  });

  it('knows nothing of an event that nobody delivered', () => {
    const nothing = { lines: [], stored: [], keyOwner: undefined, losers: [], handovers: [] };
    expect(toEventTrace(ID, nothing, [])).toBeUndefined();
  });
});
