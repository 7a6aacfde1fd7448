import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliResult, runBackfill } from '../support/cli.ts';
import { completeInShell, SHELLS } from '../support/shell-completion.ts';
import { type StackProcess, startStackProcess } from '../support/stack-process.ts';

// The command line as a person uses it: by what it prints, its exit codes, and the steps it says come next.
const ROOT = path.join(import.meta.dirname, '../..');
const DAY_MS = 86_400_000;
const DAY = new Date(Date.now() - 5 * DAY_MS).toISOString().slice(0, 10);
const NEXT_DAY = new Date(Date.parse(DAY) + DAY_MS).toISOString().slice(0, 10);
const WINDOW = ['--start', `${DAY}T00:00:00Z`, '--end', `${NEXT_DAY}T00:00:00Z`];

let stack: StackProcess;
let folder: string;
let planted: { lines: number; events: number };

const backfill = (...args: string[]) => runBackfill(stack.stateDir, args);

/** Runs what the output of an earlier command names as next steps of this kind. */
async function follow({ out }: CliResult, command: string): Promise<CliResult[]> {
  const calls = [...out.matchAll(new RegExp(`\\./backfill (${command}( \\S+)+)`, 'g'))];
  expect(calls.length).toBeGreaterThan(0);
  const results: CliResult[] = [];
  for (const [, call = ''] of calls) {
    const result = await backfill(...call.split(' '));
    expect([call, result.code, result.err]).toEqual([call, 0, '']);
    results.push(result);
  }
  return results;
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'backfill-cli-'));
  stack = await startStackProcess({});
  const logs = path.join(folder, 'logs');
  const books = ['--references', path.join(folder, 'books.json')];
  const { code, out } = await backfill('generate', logs, '--day', DAY, '--sessions', '2000', ...books, '--json');
  expect(code).toBe(0);
  planted = JSON.parse(out) as typeof planted;
});

afterAll(async () => {
  await stack.stop();
  await rm(folder, { recursive: true });
});

describe('the way of a batch', () => {
  const references = () => ['--references', path.join(folder, 'books.json')];
  const run = () =>
    backfill('run', path.join(folder, 'logs'), '--source', 'app', '--batch-id', 'cli-1', ...WINDOW, ...references());

  it('goes by the steps that each command names, to the end and back', async () => {
    const submitted = await run();
    expect([submitted.code, submitted.err]).toEqual([0, '']);
    expect(submitted.out).toContain('cli-1: awaiting_run_approval');
    expect(await follow(submitted, 'approve')).toHaveLength(3);

    const measured = await backfill('status', 'cli-1', '--watch', '--files');
    expect([measured.code, measured.err]).toEqual([0, '']);
    expect(measured.out).toContain('every line is accounted for');
    expect(measured.out).toMatch(new RegExp(`read +${planted.lines.toLocaleString('en-US')}\n`));
    expect(measured.out).toMatch(/duplicates .* passed/);
    expect(measured.out).toContain(`${DAY}T12.ndjson.gz`);
    expect(await follow(measured, 'approve')).toHaveLength(2);
    const [published] = await follow(measured, 'publish');
    expect(published?.out).toContain('cli-1: published');

    const output = path.join(folder, 'report.csv');
    expect((await backfill('report', 'cli-1', '--output', output)).code).toBe(0);
    expect(await readFile(output, 'utf8')).toMatch(/^batch_id,.*\ncli-1,app,/);

    const [taken] = await follow(published ?? submitted, 'rollback');
    expect(taken?.out).toMatch(/cli-1: rolled_back[\s\S]*left over: 0 live rows, 0 keys/);
  });

  it('is told by trace', async () => {
    const sql = new pg.Client({ connectionString: stack.env.DATABASE_URL });
    await sql.connect();
    const { rows } = await sql.query('select * from analytics.backfill_lineage order by source_file, line_no limit 1');
    await sql.end();
    const { code, out } = await backfill('trace', rows[0].event_id);
    expect(code).toBe(0);
    expect(out).toContain(`${rows[0].event_id}: tombstoned`);
    expect(out).toContain(`${rows[0].source_file}:${rows[0].line_no} of cli-1`);
  });

  it('can be said twice', async () => {
    const again = await run();
    expect(again.code).toBe(0);
    expect(again.out).toContain('cli-1 was submitted before; nothing changed.');
  });

  it('ends with 1 when the batch rests badly, and goes on by resume', async () => {
    const input = ['--input', 's3://analytics-raw/cli-1/'];
    const submitted = await backfill('submit', '--batch-id', 'cli-2', '--source', 'app', ...input, ...WINDOW);
    expect(submitted.code).toBe(0);
    expect((await backfill('status', 'cli-2', '--watch')).code).toBe(0);
    const rejected = ['--role', 'product_owner', '--reject', '--comment', 'the wrong day'];
    expect((await backfill('approve', 'cli-2', ...rejected)).code).toBe(0);
    const halted = await backfill('status', 'cli-2', '--watch');
    expect([halted.code, halted.err]).toEqual([1, 'cli-2 is halted.\n']);
    expect(halted.out).toContain('rejected by product_owner: the wrong day');
    const [resumed] = await follow(halted, 'resume');
    expect(resumed?.out).toContain('cli-2: awaiting_run_approval');
  });
});

describe('data', () => {
  it.each([
    [['list'], [{ batch_id: 'cli-2' }, { batch_id: 'cli-1', status: 'rolled_back' }]],
    [['status', 'cli-1'], { batch_id: 'cli-1', source: 'app' }],
    [['report', 'cli-1'], { batch_id: 'cli-1' }],
  ])('of %j is JSON with --json', async (args, expected) => {
    const { code, out } = await backfill(...args, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject(expected);
  });
});

describe.each(SHELLS)('completion in %s', (shell) => {
  const offered = (...words: string[]) =>
    completeInShell(shell, words, { cwd: ROOT, env: { ...process.env, BACKFILL_STATE_DIR: stack.stateDir } });

  it.each([
    [['rollb'], ['rollback']],
    [['approve', 'b1', '--role', 'product_o'], ['product_owner']],
    [
      ['status', 'cli-'],
      ['cli-2', 'cli-1'],
    ],
    [['status', 'nobody'], []],
  ])('%j', async (words, expected) => {
    expect((await offered(...words)).sort()).toEqual([...expected].sort());
  });

  it('of what cannot be run as a command', async () => {
    expect(await offered('status', '$(touch', '/tmp/never)')).toEqual([]);
  });

  it('leaves paths to the shell', async () => {
    expect(await offered('run', './READM')).toEqual(shell === 'fish' ? ['./README.md'] : ['a', 'path']);
  });
});

it('the doctor finds nothing on a stack that has been at work', async () => {
  const { code, out, err } = await backfill('doctor');
  expect([code, err]).toEqual([0, '']);
  expect(out.split('\n').filter((line) => !line.endsWith(': in order'))).toEqual(['']);
});

describe('mistakes', () => {
  it.each<[string, string[], number, RegExp]>([
    ['an unknown batch', ['status', 'nobody'], 1, /There is no batch with this id[\s\S]*\.\/backfill list/],
    ['the wrong role', ['halt', 'cli-2', '--as', 'viewer'], 1, /role operator[\s\S]*--as ROLE/],
    ['a step out of turn', ['publish', 'cli-1'], 1, /The batch is rolled_back/],
    ['a signature nobody waits for', ['approve', 'cli-1', '--role', 'product_owner'], 1, /waits for no approval/],
    ['an empty folder', ['run', '/dev/null', '--source', 'app', ...WINDOW], 1, /is not a folder/],
    ['an unknown option', ['status', '--nonsense'], 2, /unknown option/],
    ['a missing option', ['submit'], 2, /required option/],
  ])('%s: %j', async (_what, args, code, text) => {
    const result = await backfill(...args);
    expect([result.code, result.out]).toEqual([code, '']);
    expect(result.err).toMatch(text);
  });

  it('of a submission are all named at once', async () => {
    const wrong = ['--source', 'nobody', '--input', 's3://elsewhere/x/', '--reason', 'boredom'];
    const { code, err } = await backfill('submit', '--batch-id', 'cli-3', ...wrong, ...WINDOW);
    expect(code).toBe(2);
    for (const field of ['source', 'input', 'reason']) expect(err).toMatch(new RegExp(`^ {2}${field}: `, 'm'));
  });

  it('a missing stack says how to start one', async () => {
    const { code, err } = await runBackfill(path.join(folder, 'none'), ['list']);
    expect(code).toBe(1);
    expect(err).toContain('npm start');
  });
});
