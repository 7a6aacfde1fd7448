import { beforeAll, expect, it } from 'vitest';
import { type HaltsResult, runHalts } from './run-halts.ts';

// The short form of `npm run test:halt`: the object is so small that the work is kept in the middle of each stage.
let result: HaltsResult;
const lines: string[] = [];
beforeAll(async () => {
  result = await runHalts({
    ...{ bytes: 25e6, traceCharacters: 0, holds: true, watchMs: 500, timeoutMs: 240_000 },
    env: { TRANSFORMER_PART_LINES: '2000', TRANSFORMER_PARTS_AHEAD: '10000' },
    report: (line) => lines.push(line),
  });
}, 300_000);

it('stops in the middle of every stage, by the API and in psql, and goes on where it was', () => {
  expect({ problems: result.problems, log: result.problems.length > 0 ? lines : [] }).toEqual({
    problems: [],
    log: [],
  });
});

it('is refused when the batch is published, with the next step', () => {
  const next = './backfill rollback big takes it back';
  expect(result.refusals).toEqual({ api: expect.stringContaining(next), psql: expect.stringContaining(next) });
});
