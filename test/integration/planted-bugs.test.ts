import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { eventLine, WINDOW } from '../support/app-events.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

// Bugs planted in the services' own code while everything else is real: each must turn a named gate red.
const { bug } = vi.hoisted(() => ({ bug: { planted: 'none' } }));

vi.mock(import('@backfill/core/recipe/read-path'), async (importOriginal) => {
  const real = await importOriginal();
  // A mapping that reads another field than it was told.
  const wrong = (path: string) => (bug.planted === 'mapping' && path === 'user.id' ? 'session.id' : path);
  return { ...real, compilePath: (path) => real.compilePath(wrong(path)) };
});

vi.mock(import('@backfill/core/recipe/payload-text'), async (importOriginal) => {
  const real = await importOriginal();
  // A payload that forgets a property.
  return {
    ...real,
    payloadText: (...given) => {
      const text = real.payloadText(...given);
      return bug.planted === 'payload' ? text?.replace(/"path":"[^"]*"/, '"path":"https://app.example.com/"') : text;
    },
  };
});

vi.mock(import('@backfill/core/domain/duplicate-kind'), async (importOriginal) => {
  const real = await importOriginal();
  // Deduplication that takes every repeat for new.
  return { ...real, judgeRows: (...given) => (bug.planted === 'dedup' ? new Map() : real.judgeRows(...given)) };
});

vi.mock(import('@backfill/core/db/queries/staging-insert'), async (importOriginal) => {
  const real = await importOriginal();
  return {
    ...real,
    // Lineage that is off by one line, and comes round.
    recordLineage: async (db, part) => {
      if (bug.planted !== 'lineage') return real.recordLineage(db, part);
      const { rowCount } = await db.query(
        `insert into analytics.backfill_lineage (batch_id, event_id, source_file, line_no)
         select batch_id, event_id, source_file, 1 + line_no % $2
           from analytics.backfill_event_checkpoint_raw where batch_id = $1`,
        [part.batch_id, part.line_count],
      );
      return rowCount ?? 0;
    },
    // Books that count a duplicate as inserted.
    setPartCounts: (db, partId, counts) =>
      real.setPartCounts(
        db,
        partId,
        bug.planted === 'count' ? { ...counts, inserted: counts.inserted + counts.same_batch, same_batch: 0 } : counts,
      ),
  };
});

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline();
  await pipeline.config.editPolicy((policy) => {
    Object.assign(policy.gates.default, { duplicate_ratio: 1, max_overlap: 1, schema: 0 });
  });
});
afterAll(() => pipeline.dispose());

async function gatesOf(batchId: string, first: number): Promise<Record<string, boolean>> {
  const lines = [...Array.from({ length: 10 }, (_, at) => eventLine(first + at)), eventLine(first)];
  await pipeline.upload(batchId, { 'a.ndjson': lines.map((line) => `${line}\n`).join('') });
  await pipeline.submit({ batchId, source: 'app', window: WINDOW });
  await pipeline.rest(batchId, ['awaiting_publish_approval', 'gates_failed']);
  const { rows } = await pipeline.sql.query<{ gate: string; passed: boolean }>(
    'select gate, passed from analytics.backfill_gate_results where batch_id = $1',
    [batchId],
  );
  return Object.fromEntries(rows.map(({ gate, passed }) => [gate, passed]));
}

describe('a bug', () => {
  it('turns no gate red when there is none', async () => {
    bug.planted = 'none';
    expect(Object.values(await gatesOf('none', 0))).not.toContain(false);
  });

  it.each([
    ['mapping', 'recount'],
    ['payload', 'recount'],
    ['dedup', 'identity'],
    ['lineage', 'balance'],
    ['count', 'balance'],
  ])('in %s turns the gate %s red', async (planted, gate) => {
    bug.planted = planted;
    expect(await gatesOf(planted, planted.length * 1_000 + planted.charCodeAt(0))).toMatchObject({ [gate]: false });
  });
});
