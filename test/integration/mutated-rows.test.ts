import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { setImportLimit } from '@backfill/core/db/queries/batch-set-canary';
import { withTransaction } from '@backfill/core/db/transaction';
import { resumeBatch } from '@backfill/core/dispatch/resume-batch';
import { testRecipe } from '@backfill/core/recipe/recipe-fixture';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { damage } from '../support/bad-input/damage.ts';
import { MAX_LINE_BYTES } from '../support/bad-input/hostile-values.ts';
import { BAD_INPUT_SOURCES } from '../support/bad-input/sources.ts';
import { createFileTransform } from '../support/bad-input/transform-file.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

const WINDOW = { start: '2026-01-01T00:00:00Z', end: '2027-01-01T00:00:00Z' };
/** The same files each time. */
const SEED = 42;
const FILES = 150;
const foreign = fc.oneof(...Object.values(BAD_INPUT_SOURCES).map(({ file }) => file));

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline({ env: { TRANSFORMER_CHUNK_BYTES: '100000' } });
  await pipeline.config.editPolicy((policy) => {
    policy.limits.max_line_bytes = MAX_LINE_BYTES;
  });
  const folder = path.join(pipeline.config.dir, 'taxonomy/events/purchased');
  await mkdir(folder, { recursive: true });
  const { version, schema } = testRecipe().taxonomy.purchased as { version: string; schema: object };
  await writeFile(path.join(folder, `${version}.schema.json`), JSON.stringify(schema));
});
afterAll(() => pipeline.dispose());

async function rows(sql: string, batchId: string): Promise<Record<string, unknown>[]> {
  return (await pipeline.sql.query(sql, [batchId])).rows;
}

/** Many files in one, each damaged in its own way, if at all; but the first, whose header may be the one that counts. */
function damagedFile(file: fc.Arbitrary<Buffer>): Buffer {
  const one = fc.tuple(file, damage(foreign)).map(([bytes, change]) => change(bytes));
  const files = [...fc.sample(file, { seed: SEED, numRuns: 1 }), ...fc.sample(one, { seed: SEED, numRuns: FILES })];
  return Buffer.concat(files.flatMap((bytes) => [bytes, Buffer.from('\n')]));
}

const sources = Object.entries(BAD_INPUT_SOURCES).filter(([, { source }]) => !('format' in source && !source.format));

describe.each(sources.map(([name, sample], index) => ({ name, ...sample, id: `damaged-${index}` })))(
  'damaged $name',
  ({ id, source, file }) => {
    it('ends line by line as the rules say, and PostgreSQL takes every event', async () => {
      const whole = { ...testRecipe({}, source).source, source: id };
      await writeFile(path.join(pipeline.config.dir, 'sources', `${id}.yaml`), stringify(whole));
      const bytes = damagedFile(file);
      await pipeline.upload(id, { 'plain.log': bytes, 'packed.gz': gzipSync(bytes) });
      await pipeline.submit({ batchId: id, source: id, window: WINDOW });
      // The canary wants to see few repeats: a single event has none.
      await withTransaction(pipeline.runtime.pool, 'test', (client) => setImportLimit(client, id, 1));
      const halted = await pipeline.rest(id, ['halted', 'failed']);
      expect([halted.status, halted.canary_passed]).toEqual(['halted', true]);
      await withTransaction(pipeline.runtime.pool, 'test', (client) => resumeBatch(client, id));
      // Many records are alike, or the same twice: whether that is too many is the gates' business.
      const batch = await pipeline.rest(id, ['awaiting_publish_approval', 'gates_failed', 'halted', 'failed']);
      expect(`${batch.status}: ${batch.status_reason}`).toMatch(
        /^gates_failed: duplicates: [\d.]+ observed, 0.001 allowed$/,
      );

      const recipe = testRecipe({ limits: { maxLineBytes: MAX_LINE_BYTES } }, source);
      const cut = { blockBytes: 1 << 16, chunkBytes: 1 << 30, partLines: 1_000 };
      const { lines } = await createFileTransform(recipe)(bytes, cut);
      const quarantine = lines.flatMap(({ lineNo, outcome }) =>
        outcome.outcome === 'quarantined' ? [{ line_no: lineNo, reason: outcome.reason }] : [],
      );
      const accepted = lines.flatMap(({ lineNo, outcome }) => (outcome.outcome === 'accepted' ? [lineNo] : []));
      expect(accepted.length).toBeGreaterThan(100);
      for (const name of ['plain.log', 'packed.gz']) {
        expect(
          await rows(
            `select line_no::int, reason from analytics.backfill_quarantine
              where batch_id = $1 and source_file = '${name}' order by 1`,
            id,
          ),
        ).toEqual(quarantine);
        const lineage = await rows(
          `select line_no::int from analytics.backfill_lineage
            where batch_id = $1 and source_file = '${name}' order by 1`,
          id,
        );
        expect(lineage.map(({ line_no }) => line_no)).toEqual(accepted);
      }
      const [staged] = await rows(
        `select count(*)::int as rows,
                count(*) filter (where event_id = concat_ws(':', source,
                  to_char(event_ts at time zone 'UTC', 'YYYYMMDDHH24MISSMS'),
                  '\\x' || encode(sha256(convert_to(payload::text, 'UTF8')), 'hex')))::int as identified,
                count(*) filter (where payload::jsonb -> 'properties' ? 'amount')::int as readable
           from analytics.events_backfill_staging where batch_id = $1`,
        id,
      );
      const count = accepted.length * 2;
      expect(staged).toEqual({ rows: count, identified: count, readable: count });
    });
  },
);
