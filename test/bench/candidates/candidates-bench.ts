import { Readable } from 'node:stream';
import { copyIn } from '@backfill/core/db/copy-in';
import { withTransaction } from '@backfill/core/db/transaction';
import type { Bench, BenchOptions, BenchTable } from '../bench.ts';
import { BATCH } from '../import/bench-batch.ts';
import { type CopyDatabase, createCopyDatabase } from '../import/copy-database.ts';
import { blocks } from '../import/finished-rows.ts';
import { type PartRows, readParts } from '../import/part-objects.ts';
import { transformBatch } from '../import/time-import.ts';
import { type BenchStack, startBenchStack } from '../memory/bench-stack.ts';
import { putBigObject } from '../memory/big-object.ts';
import { CANDIDATES, type Candidate } from './candidates.ts';

/** Parts that are loaded by each candidate before it is the next one's turn. */
const PARTS_PER_TURN = 4;

interface Contender {
  candidate: Candidate;
  database: CopyDatabase;
  ms: number;
}

/** The accepted lines of a part, which the transformer commits with it. */
async function putLedgerLines({ database }: Contender, { lineage }: PartRows): Promise<void> {
  await withTransaction(database.pool, 'bench', (client) =>
    copyIn(
      client,
      'copy analytics.backfill_event_checkpoint_raw (batch_id, event_id, source_file, line_no) from stdin',
      Readable.from(blocks(lineage), { objectMode: false }),
    ),
  );
}

/** Loads some parts by one candidate, on one connection, in as many transactions as it wants. */
async function takeTurn(contender: Contender, parts: readonly PartRows[]): Promise<void> {
  const { candidate, database } = contender;
  const prepared = parts.map((part) => candidate.prepare(part));
  for (const part of parts) await putLedgerLines(contender, part);
  await database.pool.query('checkpoint');
  const start = performance.now();
  for (let first = 0; first < parts.length; first += candidate.parts) {
    await withTransaction(database.pool, 'bench', async (client) => {
      for (const [index, part] of parts.slice(first, first + candidate.parts).entries()) {
        await candidate.load(client, database.leaf, part, prepared[first + index] ?? Buffer.alloc(0));
      }
    });
  }
  contender.ms += performance.now() - start;
}

async function compare(stack: BenchStack, say: BenchOptions['say']): Promise<BenchTable> {
  await transformBatch(stack);
  const contenders: Contender[] = [];
  for (const [index, candidate] of CANDIDATES.entries()) {
    const database = await createCopyDatabase(stack.runtime, `candidate_${index}`, BATCH);
    contenders.push({ candidate, database, ms: 0 });
  }
  let events = 0;
  let turn: PartRows[] = [];
  const takeTurns = async () => {
    for (const contender of contenders) await takeTurn(contender, turn);
    events += turn.reduce((sum, part) => sum + part.events, 0);
    say(`${events} events by each`);
    turn = [];
  };
  for await (const part of readParts(stack.runtime, BATCH.batchId)) {
    turn.push(part);
    if (turn.length === PARTS_PER_TURN) await takeTurns();
  }
  if (turn.length > 0) await takeTurns();
  await Promise.all(contenders.map(({ database }) => database.close()));
  const limit = contenders[0]?.ms ?? 0;
  return {
    title: 'Ways to import parts, one connection, taking turns, against COPY of finished rows',
    rows: contenders.map(({ candidate, ms }) => ({
      way: candidate.what,
      'µs/event': Number(((ms * 1000) / events).toFixed(2)),
      'of the limit': Number((limit / ms).toFixed(2)),
    })),
  };
}

/** The candidates of ADR 16, side by side. */
export const candidatesBench: Bench = {
  summary: 'ways to load a part into the tables, side by side',
  async run({ sizes, say }) {
    const tables: BenchTable[] = [];
    for (const bytes of sizes) {
      const stack = await startBenchStack(say);
      try {
        await putBigObject(stack.runtime, `${BATCH.batchId}/events`, { bytes, compression: 'gzip' });
        tables.push(await compare(stack, say));
      } finally {
        await stack.stop();
      }
    }
    return tables;
  },
};
