import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { nodeEnv } from './node-env.ts';

const HEAP_LIMIT = 'require("node:v8").getHeapStatistics().heap_size_limit / 2 ** 20';

function heapLimit(env: NodeJS.ProcessEnv): number {
  return Number(execFileSync(process.execPath, ['-p', HEAP_LIMIT], { env: nodeEnv(env), encoding: 'utf8' }));
}

it('keeps the heap small', () => {
  expect(heapLimit({})).toBeLessThan(600);
});

it('lets the environment say otherwise', () => {
  expect(heapLimit({ NODE_OPTIONS: '--max-old-space-size=1000' })).toBeGreaterThan(1_000);
  expect(nodeEnv({ NODE_COMPILE_CACHE: '/elsewhere' }).NODE_COMPILE_CACHE).toBe('/elsewhere');
});
