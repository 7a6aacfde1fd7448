import { readEnvironment } from '@backfill/core/config/environment';
import { createRuntime, type Runtime } from '@backfill/core/runtime/runtime';
import { inRetentionOffice } from '@backfill/rollback/retention/retention-work';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestEnvironment, type TestEnvironment } from '../support/environment.ts';

let environment: TestEnvironment;
let runtime: Runtime;
beforeAll(async () => {
  environment = await createTestEnvironment();
  runtime = createRuntime(readEnvironment('rollback', { ...environment.env, BACKFILL_CONFIG_DIR: '.' }));
});
afterAll(async () => {
  await runtime?.close();
  await environment?.dispose();
});

it('is free as soon as its owner has left it, also after a failure', async () => {
  const { pool } = runtime;
  // On a busy machine the end of a session is seen late, and asked for soon by one that is open already.
  const load = [1, 2, 3, 4].map(() => environment.sql.query('select count(*) from generate_series(1, 10000000)'));
  for (let round = 0; round < 30; round += 1) {
    await Promise.all([1, 2, 3].map(() => pool.query('select pg_sleep(0.005)')));
    const failing = inRetentionOffice(pool, () => Promise.reject(new Error('failed')));
    await expect(failing, `round ${round}`).rejects.toThrow('failed');
    expect(await inRetentionOffice(pool, async () => round)).toEqual({ result: round });
  }
  await Promise.all(load);
});

it('has one owner at a time, who is not sent away by those that ask for it', async () => {
  const { pool } = runtime;
  const held = await inRetentionOffice(pool, async (check) => {
    expect(await inRetentionOffice(pool, async () => 'two')).toBeUndefined();
    expect(await inRetentionOffice(pool, async () => 'three')).toBeUndefined();
    await check();
    return 'one';
  });
  expect(held).toEqual({ result: 'one' });
});
