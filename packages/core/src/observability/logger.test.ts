import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { withRequestId } from '../request-scope.ts';
import { withJobScope } from './job-scope.ts';
import { createLogger } from './logger.ts';

/** The lines that are written meanwhile. */
async function linesOf(write: (logger: ReturnType<typeof createLogger>) => void | Promise<void>): Promise<object[]> {
  const stream = new PassThrough();
  await write(createLogger('importer', 'info', stream));
  stream.end();
  return (await text(stream))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
}

it('writes a line of JSON with time and service', async () => {
  const [line] = await linesOf((logger) => logger.info({ rows: 3 }, 'staging purged'));
  expect(line).toMatchObject({ level: 30, service: 'importer', rows: 3, msg: 'staging purged' });
  expect(line).toHaveProperty('time', expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/));
  expect(line).not.toHaveProperty('jobId');
});

it('binds every line of a job to its batch, chunk, part and request, and nothing else of its payload', async () => {
  const job = { queue: 'transformed-events', jobId: 'import_7_1', kind: 'import', attempt: 2 };
  const payload = { v: 1, batch_id: 'b', part_id: 7, epoch: 1, raw: 'anna@example.org' };
  const lines = await linesOf(async (logger) => {
    await withRequestId('r-1', () =>
      withJobScope(job, payload, async () => {
        await Promise.resolve();
        logger.info({ inserted: 5 }, 'part imported');
      }),
    );
    logger.info('service stopping');
  });
  expect(lines[0]).toMatchObject({ ...job, batch: 'b', part: 7, request_id: 'r-1', inserted: 5 });
  expect(JSON.stringify(lines[0])).not.toContain('anna');
  expect(lines[1]).not.toHaveProperty('batch');
});

it('keeps what a line says itself', async () => {
  const job = { queue: 'maintenance', jobId: 'purge-staging', kind: 'purge-staging', attempt: 1 };
  const [line] = await linesOf((logger) =>
    withJobScope(job, { v: 1 }, () => logger.info({ batch: 'c' }, 'staging purged')),
  );
  expect(line).toMatchObject({ batch: 'c', kind: 'purge-staging' });
});
