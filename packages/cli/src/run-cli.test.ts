import { describe, expect, it } from 'vitest';
import { runCli } from './run-cli.ts';

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

  it('has help with examples for every command', async () => {
    const commands = [...(await run(['--help'])).out.matchAll(/^ {2}([a-z]+) .*$/gm)].map(([, name]) => name ?? '');
    expect(commands).toContain('rollback');
    for (const command of commands.filter((name) => name !== 'help')) {
      const { code, out } = await run([command, '--help']);
      expect([command, code]).toEqual([command, 0]);
      expect(out).toContain(`./backfill ${command}`);
    }
  });
});
