import { expect, it } from 'vitest';
import { runCli } from '../run-cli.ts';

async function transform(args: string[], env: NodeJS.ProcessEnv = {}) {
  let err = '';
  const code = await runCli(['transform', ...args], {
    env,
    stdout: { write: () => undefined },
    stderr: { write: (text) => (err += text) },
    signal: new AbortController().signal,
  });
  return { code, err };
}

it.each([
  [[], /one of --input, --dry-run and --replay/],
  [['--dry-run'], /--dry-run needs --batch-id/],
  [['--replay', '--batch-id', 'b1'], /--replay needs --output/],
  [['--dry-run', '--replay', '--batch-id', 'b1'], /one of/],
  [['--dry-run', '--batch-id', 'b1', '--output', 'x'], /--output does not go with --dry-run/],
  [['--dry-run', '--batch-id', 'b1', '--source', 'app'], /--source does not go with --dry-run/],
  [['--input', 's3://analytics-raw/b1/', '--batch-id', 'b1'], /--batch-id does not go with --input/],
  [['--input', 's3://analytics-raw/b1/', '--output', 'x'], /--input needs --source/],
  [['--input', 's3://analytics-raw/b1/', '--source', 'app'], /--input needs --output/],
  [['--input', 'b1', '--source', 'app', '--output', 'x'], /s3:\/\/bucket\/prefix\//],
  [['--input', 's3://analytics-raw/b1/', '--source', 'app', '--output', 'x', '--start', '2026-11-01'], /go together/],
])('%j is wrong usage', async (args, message) => {
  const { code, err } = await transform(args);
  expect([code, err]).toEqual([2, expect.stringMatching(message)]);
});

it('takes times with an offset only', async () => {
  const input = ['--input', 's3://analytics-raw/b1/', '--source', 'app', '--output', 'x'];
  const { code, err } = await transform([...input, '--start', '2026-11-01T00:00:00', '--end', '2026-11-02T00:00:00Z']);
  expect([code, err]).toEqual([2, expect.stringMatching(/times with an offset/)]);
});

it('names everything of the environment that is missing', async () => {
  const nowhere = { BACKFILL_STATE_DIR: '/nonexistent' };
  const { code, err } = await transform(['--dry-run', '--batch-id', 'b1'], nowhere);
  expect(code).toBe(1);
  for (const name of ['DATABASE_URL', 'S3_ENDPOINT', 'AWS_SECRET_ACCESS_KEY']) expect(err).toContain(name);
});
