import { readEnvironment } from '@backfill/core/config/environment';
import { withKeyTransaction } from '@backfill/core/db/key-transaction';
import { checkBatchFence, enterBatchFence } from '@backfill/core/db/queries/batch-fence';
import { listPreparedKeys } from '@backfill/core/db/queries/prepared-keys';
import { withTransaction } from '@backfill/core/db/transaction';
import { freeReleasedKeys } from '@backfill/core/dispatch/free-keys';
import { resumeBatch } from '@backfill/core/dispatch/resume-batch';
import { prepareDatabases } from '@backfill/core/runtime/prepare-databases';
import { createRuntime } from '@backfill/core/runtime/runtime';
import { startTemporaryServers } from '@backfill/infra/servers';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ACCESS_WINDOW, accessLog } from '../support/access-log.ts';
import { startApi } from '../support/api.ts';
import { runCommandLine } from '../support/command-line.ts';
import { batchDigest } from '../support/digest.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { keysFreed, nothingInDoubt } from '../support/keys-freed.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { runPsqlScript } from '../support/psql.ts';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import { waitFor } from '../support/wait-for.ts';

/** The canary's ten parts, and three more. */
const LINES = 1_250;
const PART_LINES = 100;
const PARTS = 13;

// The dedup store in a database of its own, and what can go wrong between the two. Importers are processes here.
let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline({
    layout: 'in a database of its own',
    importers: 0,
    env: { TRANSFORMER_PART_LINES: String(PART_LINES) },
  });
});
afterAll(() => pipeline.dispose());

const running = new Set<ServiceProcess>();
afterEach(async () => {
  for (const importer of running) await importer.end('SIGTERM');
  running.clear();
});

function startImporter(crashAt?: string): ServiceProcess {
  const importer = startServiceProcess('importer', pipeline.env, crashAt);
  running.add(importer);
  return importer;
}

async function submit(batchId: string, from: number, to: number): Promise<void> {
  await pipeline.upload(batchId, { 'a.log': accessLog(from, to) });
  await pipeline.submit({ batchId, source: 'web-access', window: ACCESS_WINDOW });
}

const digest = (batchId: string) => batchDigest(pipeline.sql, batchId, pipeline.keys);

async function number(db: pg.Pool, sql: string, ...parameters: unknown[]): Promise<number> {
  const { rows } = await db.query<{ n: number }>(`select (${sql})::int as n`, parameters);
  return rows[0]?.n ?? Number.NaN;
}
const keysOf = (batchId: string) =>
  number(pipeline.keys, 'select count(*) from analytics.backfill_event_checkpoint where batch_id = $1', batchId);

const importedBy = (batchId: string) =>
  number(
    pipeline.sql,
    `select coalesce(sum(event_count), 0) from analytics.backfill_import_parts where batch_id = $1 and state = 'imported'`,
    batchId,
  );

async function decisions(batchId: string): Promise<string[]> {
  const { rows } = await pipeline.sql.query<{ decision: string }>(
    `select decision from analytics.backfill_key_decisions where gid like 'bf\\_' || $1 || '\\_%'`,
    [batchId],
  );
  return rows.map(({ decision }) => decision);
}

const settled = () => nothingInDoubt(pipeline);

/** Keeps the batch's keys from being freed until the function that it returns is called. */
async function holdKeys(batchId: string): Promise<() => Promise<void>> {
  const holder = await pipeline.keys.connect();
  await holder.query('begin');
  await holder.query('select 1 from analytics.backfill_event_checkpoint where batch_id = $1 for key share', [batchId]);
  return async () => {
    await holder.query('commit');
    holder.release();
  };
}

async function takeBack(batchId: string): Promise<void> {
  await pipeline.change(batchId, 'awaiting_publish_approval', 'rolling_back');
  await pipeline.rest(batchId, ['rolled_back']);
  await keysFreed(pipeline, batchId);
}

describe('an importer that is killed', () => {
  let undisturbed: Record<string, unknown>;
  beforeAll(async () => {
    const importer = startServiceProcess('importer', pipeline.env);
    await submit('smooth', 0, LINES);
    await pipeline.rest('smooth', ['awaiting_publish_approval']);
    undisturbed = await digest('smooth');
    await importer.end('SIGTERM');
    await takeBack('smooth');
  });

  it('claims nothing in the events database', async () => {
    expect(undisturbed.keys).toEqual([LINES, expect.any(String)]);
    expect(await number(pipeline.sql, 'select count(*) from analytics.backfill_event_checkpoint')).toBe(0);
    // One of each part, and one of the rollback.
    expect(await decisions('smooth')).toEqual(Array.from({ length: PARTS + 1 }, () => 'committed'));
  });

  it.each([
    ['import:written', []],
    ['import:prepared', ['aborted']],
    ['import:decided', ['committed']],
  ])(
    'at %s leaves nothing in doubt, and another one ends in the same rows',
    async (crashAt, decided) => {
      const batchId = crashAt.replace(':', '-');
      const doomed = startImporter(crashAt);
      await submit(batchId, 0, LINES);
      expect(await doomed.ended).toBe('SIGKILL');
      await settled();
      // What was decided counts for both databases, what was not for neither.
      expect(await decisions(batchId)).toEqual(decided);
      const imported = decided.includes('committed') ? PART_LINES : 0;
      expect(await importedBy(batchId)).toBe(imported);
      expect(await keysOf(batchId)).toBe(imported);
      startImporter();
      await pipeline.rest(batchId, ['awaiting_publish_approval']);
      expect(await digest(batchId)).toEqual(undisturbed);
      await takeBack(batchId);
      expect(await keysOf(batchId)).toBe(0);
    },
    120_000,
  );

  it('and whose batch is then rolled back from psql leaves no key behind', async () => {
    const doomed = startImporter('import:decided');
    await submit('abandoned', 0, LINES);
    expect(await doomed.ended).toBe('SIGKILL');
    const url = pipeline.env.DATABASE_URL ?? '';
    expect(await runPsqlScript(url, 'backfill_apply_tombstones.sql', { batch_id: 'abandoned' })).toMatch(/abandoned/);
    await keysFreed(pipeline, 'abandoned');
    expect(await keysOf('abandoned')).toBe(0);
    const { rows } = await pipeline.sql.query(
      `select keys_freed::int, keys_after::int from analytics.backfill_rollbacks where batch_id = 'abandoned'`,
    );
    expect(rows).toEqual([{ keys_freed: PART_LINES, keys_after: 0 }]);
  });
});

describe('a transaction over both databases', () => {
  beforeAll(async () => {
    const importer = startServiceProcess('importer', pipeline.env);
    await submit('base', 10_000, 10_010);
    await pipeline.rest('base', ['awaiting_publish_approval']);
    await importer.end('SIGTERM');
  });

  const options = () => {
    const { pool, keyStore } = pipeline.runtime;
    return { pool, keyStore, actor: 'test', step: 'test', work: { batchId: 'base', partId: 1, epoch: 1 } };
  };
  const claim = (db: pg.ClientBase, id: string) =>
    db.query(`insert into analytics.backfill_event_checkpoint (event_id, batch_id) values ($1, 'base')`, [id]);
  const isClaimed = async (id: string) =>
    (await pipeline.keys.query('select 1 from analytics.backfill_event_checkpoint where event_id = $1', [id]))
      .rowCount === 1;

  it('is undone in both when a halt overtakes it between the phases', async () => {
    const work = withKeyTransaction(options(), async (client, keys) => {
      const fence = await enterBatchFence(client, 'base', ['awaiting_publish_approval']);
      await claim(await keys.open(), 'overtaken');
      await keys.prepare();
      await pipeline.sql.query(`update analytics.backfill_batches set status = 'halted' where batch_id = 'base'`);
      await checkBatchFence(client, fence);
    });
    await expect(work).rejects.toThrow('batch base was stopped');
    expect(await listPreparedKeys(pipeline.keys)).toEqual([]);
    expect(await isClaimed('overtaken')).toBe(false);
    await withTransaction(pipeline.runtime.pool, 'test', (client) => resumeBatch(client, 'base'));
    await pipeline.rest('base', ['awaiting_publish_approval']);
  });

  it('is not aborted while it is alive, however long it takes, and is when its events are gone', async () => {
    let gid = '';
    const alive = withKeyTransaction(options(), async (client, keys) => {
      await claim(await keys.open(), 'alive');
      await keys.prepare();
      gid = (await listPreparedKeys(pipeline.keys))[0]?.gid ?? '';
      await waitFor('the resolver to ask for a decision', async () =>
        (
          await pipeline.sql.query(
            `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
                and query like '%backfill_key_decisions%aborted%'`,
          )
        ).rowCount === 1
          ? true
          : undefined,
      );
      await client.query('select 1');
    });
    await alive;
    expect(gid).toMatch(/^bf_base_1_1_/);
    expect(await isClaimed('alive')).toBe(true);

    const frozen = withKeyTransaction(options(), async (client, keys) => {
      await claim(await keys.open(), 'frozen');
      await keys.prepare();
      const { rows } = await client.query<{ pid: number }>(
        `select pg_backend_pid() as pid, set_config('idle_in_transaction_session_timeout', '1s', true)`,
      );
      await waitFor('the server to end the session', async () =>
        (await pipeline.sql.query('select 1 from pg_stat_activity where pid = $1', [rows[0]?.pid])).rowCount === 0
          ? true
          : undefined,
      );
      await settled();
    });
    await expect(frozen).rejects.toThrow();
    expect(await isClaimed('frozen')).toBe(false);
  });
});

describe('a rollback', () => {
  it.each([
    ['the same events', 'again', 20_000, 20_000],
    ['other events', 'anew', 21_000, 22_000],
  ])(
    'keeps a new attempt with %s from claiming before its old keys are free, and frees those once',
    async (_what, batchId, first, second) => {
      const importer = startImporter();
      await submit(batchId, first, first + 150);
      await pipeline.rest(batchId, ['awaiting_publish_approval']);
      const before = await digest(batchId);
      // Holds the release open: the keys are in use.
      const letGo = await holdKeys(batchId);
      await pipeline.change(batchId, 'awaiting_publish_approval', 'rolling_back');
      await pipeline.rest(batchId, ['rolled_back']);
      await pipeline.upload(batchId, { 'a.log': accessLog(second, second + 150) });
      await withTransaction(pipeline.runtime.pool, 'test', (client) => resumeBatch(client, batchId));
      await waitFor('the importer to wait', async () =>
        importer.log().includes('the keys of a batch are being freed') ? true : undefined,
      );
      expect(await keysOf(batchId)).toBe(150);
      await letGo();
      await pipeline.rest(batchId, ['awaiting_publish_approval']);
      expect(await keysOf(batchId)).toBe(150);
      const after = await digest(batchId);
      if (first === second) expect({ ...after, gates: null }).toEqual({ ...before, gates: null });
      const { pool, keyStore } = pipeline.runtime;
      expect(await freeReleasedKeys(pool, keyStore)).toEqual([]);
      const { rows } = await pipeline.sql.query(
        `select keys_freed::int, keys_after::int from analytics.backfill_rollbacks where batch_id = $1`,
        [batchId],
      );
      expect(rows).toEqual([{ keys_freed: 150, keys_after: 0 }]);
    },
    120_000,
  );

  it('leaves no batch losing to keys that are about to be freed', async () => {
    const importer = startImporter();
    await submit('winner', 30_000, 30_100);
    await pipeline.rest('winner', ['awaiting_publish_approval']);
    const letGo = await holdKeys('winner');
    await pipeline.change('winner', 'awaiting_publish_approval', 'rolling_back');
    await pipeline.rest('winner', ['rolled_back']);
    const sofar = importer.log().length;
    await submit('heir', 30_000, 30_100);
    await waitFor('the importer to wait', async () =>
      importer.log().slice(sofar).includes('the keys of a batch are being freed') ? true : undefined,
    );
    await letGo();
    const heir = await pipeline.rest('heir', ['awaiting_publish_approval', 'gates_failed']);
    expect(heir.status).toBe('awaiting_publish_approval');
    expect(heir.row_count).toBe(100);
    expect(await keysOf('heir')).toBe(100);
  }, 120_000);
});

describe('a start is refused', () => {
  const start = async (env: Record<string, string>) => {
    const runtime = createRuntime(readEnvironment('importer', { ...pipeline.env, ...env }));
    try {
      await prepareDatabases(runtime);
    } finally {
      await runtime.close();
    }
  };
  let other: TestEnvironment;
  beforeAll(async () => {
    const importer = startServiceProcess('importer', pipeline.env);
    await submit('keeper', 50_000, 50_010);
    await pipeline.rest('keeper', ['awaiting_publish_approval']);
    await importer.end('SIGTERM');
    other = await createTestEnvironment('in a database of its own');
  });
  afterAll(() => other.dispose());

  it('where the keys are not, while there are any', async () => {
    const { DATABASE_URL = '' } = pipeline.env;
    const { CHECKPOINT_DATABASE_URL = '' } = other.env;
    await start({});
    await expect(start({ CHECKPOINT_DATABASE_URL: DATABASE_URL })).rejects.toThrow(
      /CHECKPOINT_DATABASE_URL: it is not set, but the keys of imported batches are in another database.\s+To mend it: set it as it was/,
    );
    await expect(start({ CHECKPOINT_DATABASE_URL })).rejects.toThrow(/it names a new database/);
    expect((await runCommandLine(['doctor'], pipeline.env)).stdout).toMatch(/^dedup store: in order$/m);
    expect((await runCommandLine(['doctor'], { ...pipeline.env, CHECKPOINT_DATABASE_URL })).stdout).toMatch(
      /dedup store: 1 finding\n +CHECKPOINT_DATABASE_URL: it names a new database/,
    );
  });

  it('with the dedup store of another database, and with an events database', async () => {
    const { DATABASE_URL = '' } = other.env;
    await start(other.env);
    await expect(start({ DATABASE_URL })).rejects.toThrow(/the dedup store of another events database/);
    await expect(start({ CHECKPOINT_DATABASE_URL: DATABASE_URL })).rejects.toThrow(/a database that holds batches/);
    const itself = `${pipeline.env.DATABASE_URL}?application_name=x`;
    await expect(start({ CHECKPOINT_DATABASE_URL: itself })).rejects.toThrow(/a database that holds batches/);
  });

  it('when the keys are with the events', async () => {
    const { CHECKPOINT_DATABASE_URL = '', ...shared } = (await createTestEnvironment('in a database of its own')).env;
    const sql = new pg.Pool({ connectionString: shared.DATABASE_URL, max: 1 });
    const away = { ...shared, CHECKPOINT_DATABASE_URL };
    const here = { ...shared, CHECKPOINT_DATABASE_URL: shared.DATABASE_URL ?? '' };
    // While the dedup store is empty, the environment decides, to and fro.
    await start(away);
    await start(here);
    await sql.query(`insert into analytics.backfill_event_checkpoint (event_id, batch_id) values ('a', 'b')`);
    await expect(start(away)).rejects.toThrow(/it is set, but there are keys of imported batches in DATABASE_URL/);
    await start(here);
    await sql.end();
  });

  it('on a server that cannot prepare transactions', async () => {
    const servers = await startTemporaryServers({ postgresSettings: { max_prepared_transactions: 0 } });
    try {
      const { DATABASE_URL: CHECKPOINT_DATABASE_URL = '' } = servers.env;
      const refusal =
        /max_prepared_transactions of its server is 0.*\n +To mend it: write max_prepared_transactions = 50 into/;
      const { env } = other;
      await expect(start({ ...env, CHECKPOINT_DATABASE_URL })).rejects.toThrow(refusal);
      const importer = startServiceProcess('importer', { ...pipeline.env, ...env, CHECKPOINT_DATABASE_URL });
      expect([await importer.ended, importer.log()]).toEqual([
        '1',
        expect.stringContaining('write max_prepared_transactions = 50 into its postgresql.conf and restart it'),
      ]);
    } finally {
      await servers.stop();
    }
  }, 120_000);
});

it('is asked for the owner of an event', async () => {
  const { rows } = await pipeline.sql.query<{ event_id: string }>(
    `select event_id from analytics.events_backfill_staging where batch_id = 'keeper' limit 1`,
  );
  const api = await startApi({ environment: pipeline, config: pipeline.config });
  const { json } = await api.call('GET', `/v1/events/${encodeURIComponent(rows[0]?.event_id ?? '')}`, 'viewer');
  expect(json).toMatchObject({ owner: 'keeper', owner_kind: 'batch', state: 'staged' });
  await api.dispose();
});

it('refuses to import where the dedup store is not any more', async () => {
  const { pool, keyStore } = pipeline.runtime;
  const stale = { pool, keyStore: { pool: keyStore.pool, isSeparate: false }, actor: 'test', step: 'test' };
  const work = { batchId: 'keeper', partId: 1, epoch: 1 };
  await expect(withKeyTransaction({ ...stale, work }, async () => undefined)).rejects.toThrow(
    'the dedup store is in another database: CHECKPOINT_DATABASE_URL of this service is out of date',
  );
});
