import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runBackfill } from '../support/cli.ts';
import { startStackProcess } from '../support/stack-process.ts';

// npm run demo, but for its set-up: with a stack of its own, and again on a stack that runs.
const DEMO = path.join(import.meta.dirname, '../../infra/src/demo.ts');
const TIMEOUT_MS = 300_000;
let stateDir: string;

beforeAll(async () => {
  stateDir = await mkdtemp(path.join(tmpdir(), 'backfill-demo-'));
});
afterAll(() => rm(stateDir, { recursive: true, force: true, maxRetries: 5 }));

async function runDemo(): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [DEMO, '--state-dir', stateDir], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code: child.exitCode, out, err };
}

function expectDone(result: { code: number | null; out: string; err: string }, number: number): void {
  expect([result.code, result.err]).toEqual([0, '']);
  expect(result.out.match(/exactly what was planted/g)).toHaveLength(2);
  expect(result.out).toMatch(/None of the [\d,]+ planted addresses is in any table/);
  expect(result.out).toContain(`reports/demo-app-${number}/analytics_backfill_verification.csv`);
  const next = result.out.slice(result.out.indexOf('Try next:')).split('\n').slice(1, 4);
  expect(next).toHaveLength(3);
  expect(next[2]).toContain(`rollback demo-app-${number} --watch`);
}

describe('the demo', () => {
  it('runs the main job end to end, and stops what it started', { timeout: TIMEOUT_MS }, async () => {
    expectDone(await runDemo(), 1);
    expect(existsSync(path.join(stateDir, 'env'))).toBe(false);
  });

  it('runs again on a stack that is up, leaves it up, and its state is there', { timeout: TIMEOUT_MS }, async () => {
    const stack = await startStackProcess({ stateDir });
    try {
      expectDone(await runDemo(), 2);
      const { code, out } = await runBackfill(stateDir, ['list', '--status', 'published', '--json']);
      expect(code).toBe(0);
      const batches = JSON.parse(out) as { batch_id: string }[];
      expect(batches.map(({ batch_id }) => batch_id).sort()).toEqual([
        'demo-app-1',
        'demo-app-2',
        'demo-web-1',
        'demo-web-2',
      ]);
    } finally {
      await stack.stop();
    }
  });
});
