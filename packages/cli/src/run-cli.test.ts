import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createProgram } from './program.ts';
import { runCli } from './run-cli.ts';

const FILE = import.meta.filename;
const WINDOW = ['--source', 'app', '--start', '2026-08-01T00:00:00Z', '--end', '2026-08-02T00:00:00Z'];

const silent = () => ({
  env: {},
  stdout: { write: () => undefined },
  stderr: { write: () => undefined },
  signal: new AbortController().signal,
});

/** Every command that a person can find, with those below it: `taxonomy lint`. */
function listCommands(command: Command, before = ''): string[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((one) => one.name() !== 'help')
    .flatMap((one) => [`${before}${one.name()}`, ...listCommands(one, `${before}${one.name()} `)]);
}

/** A port that nothing listens on. */
const NOWHERE = { BACKFILL_API_URL: 'http://127.0.0.1:1', BACKFILL_TOKEN: 't' };

async function run(args: string[], env: NodeJS.ProcessEnv = NOWHERE) {
  const printed = { out: '', err: '' };
  const code = await runCli(args, {
    env,
    stdout: { write: (text) => (printed.out += text) },
    stderr: { write: (text) => (printed.err += text) },
    signal: new AbortController().signal,
  });
  return { code, ...printed };
}

describe('runCli', () => {
  it.each([[['--help']], [['help', 'run']], [['status', '--help']]])('prints help for %j', async (args) => {
    const { code, out, err } = await run(args);
    expect(code).toBe(0);
    expect(out).toContain('Examples:');
    expect(err).toBe('');
  });

  it.each([
    [[]],
    [['nonsense']],
    [['status', '--nonsense']],
    [['approve', 'b1']],
    [['approve', 'b1', '--role', 'king']],
    [['list', '--limit', '0']],
    [['list', '--as', 'king']],
    [['submit', '--batch-id', "'; drop", '--input', 'x', '--source', 'a', '--start', '1', '--end', '2']],
  ])('exits with 2 for %j', async (args) => {
    const { code, err, out } = await run(args);
    expect(code).toBe(2);
    expect(err).not.toBe('');
    expect(out).toBe('');
  });

  it('says how to start what does not answer', async () => {
    const { code, err } = await run(['list']);
    expect(code).toBe(1);
    expect(err).toContain('npm start');
  });

  it('has help with a summary, a description and examples for every command', async () => {
    const paths = listCommands(createProgram(silent()));
    expect(paths).toContain('taxonomy lint');
    for (const path of paths) {
      const { code, out, err } = await run([...path.split(' '), '--help']);
      expect([path, code, err]).toEqual([path, 0, '']);
      expect(out).toMatch(new RegExp(`Examples:\n(.*\n)*.*\\./backfill ${path}`));
      expect(out).toMatch(/^Usage: .*\n\n\S.{20}/);
      expect(out).toContain('Global Options:');
    }
  });

  it.each<[string, string[], RegExp]>([
    ['a folder that is not there', ['run', '/nowhere', ...WINDOW], /There is no folder \/nowhere/],
    [
      'a state directory that is a file',
      ['list', '--state-dir', FILE],
      /\/run-cli.test.ts\/env: a part of the path is not/,
    ],
    ['a report that is not there', ['rehearsal', 'b1', '--report', '/nowhere/x'], /\/nowhere\/x cannot be read/],
    ['a folder to draft from', ['init', '--from', '/nowhere', '--config', '/tmp'], /There is no folder/],
    [
      'a file in the place of a folder',
      ['generate', FILE, '--day', '2026-08-01'],
      /EEXIST|is there already|not a folder/,
    ],
    ['an address that is none', ['list'], /nonsense.* does not answer[\s\S]*npm start/],
  ])('tells %s in a line, without a stack', async (_what, args, text) => {
    const { code, err, out } = await run(args, { ...NOWHERE, BACKFILL_API_URL: 'nonsense' });
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(text);
    expect(err).not.toMatch(/\n +at |node:internal/);
  });
});

describe('an API that answers', () => {
  const answer = { status: 200, body: '', type: 'application/problem+json' };
  const server = http.createServer((_request, response) => {
    response.writeHead(answer.status, { 'content-type': answer.type });
    response.end(answer.body);
  });
  let env: NodeJS.ProcessEnv;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    env = { BACKFILL_API_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, BACKFILL_TOKEN: 't' };
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const problem = (title: string) => JSON.stringify({ title, detail: 'why' });

  it.each<[number, string, number, RegExp]>([
    [401, problem('The token has expired'), 1, /The token has expired[\s\S]*why[\s\S]*BACKFILL_TOKEN/],
    [403, problem('Not for you'), 1, /--as ROLE/],
    [404, problem('No such batch'), 1, /backfill list/],
    [409, problem('Not now'), 1, /backfill status BATCH/],
    [422, problem('Wrong'), 2, /Wrong/],
    [429, problem('Too many'), 1, /Wait a minute/],
    [500, problem('Oops'), 1, /the log of the API/],
    [502, '<html>Bad Gateway</html>', 1, /HTTP 502[\s\S]*proxy/],
    [503, problem('Not ready'), 1, /backfill doctor/],
    [200, '<html>Welcome to nginx</html>', 1, /is not the API of this software[\s\S]*BACKFILL_API_URL/],
    [200, '{"batches": 7}', 1, /answer of an unknown form[\s\S]*BACKFILL_API_URL/],
  ])('%d %s: exit code %d, and what to do next', async (status, body, expected, text) => {
    Object.assign(answer, { status, body });
    const { code, err, out } = await run(['list'], env);
    expect([code, out]).toEqual([expected, '']);
    expect(err).toMatch(text);
    expect(err).not.toMatch(/\n +at /);
  });

  it('shows the stack on demand only', async () => {
    Object.assign(answer, { status: 200, body: '{"batches": 7}' });
    expect((await run(['list'], { ...env, BACKFILL_DEBUG: '1' })).err).toMatch(/\n +at /);
  });
});
