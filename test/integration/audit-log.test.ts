import { readEnvironment } from '@backfill/core/config/environment';
import { auditKeyCheck } from '@backfill/core/domain/audit-chain';
import { findAuditProblems } from '@backfill/core/runtime/check-audit';
import { prepareDatabases } from '@backfill/core/runtime/prepare-databases';
import { createRuntime, type Runtime } from '@backfill/core/runtime/runtime';
import { AUDIT_HEADS, archiveLayout } from '@backfill/core/storage/layout';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runCommandLine } from '../support/command-line.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { insertBatch } from '../support/insert-batch.ts';
import { startServiceProcess } from '../support/service-process.ts';
import { waitFor } from '../support/wait-for.ts';

const CONFIG_DIR = new URL('../../examples/config', import.meta.url).pathname;

let environment: TestEnvironment;
let runtime: Runtime;

/** @param env over the test's own; an empty text takes a variable away */
function open(env: Record<string, string> = {}): Runtime {
  const all = Object.entries({ ...environment.env, BACKFILL_CONFIG_DIR: CONFIG_DIR, ...env });
  return createRuntime(readEnvironment('rollback', Object.fromEntries(all.filter(([, value]) => value !== ''))));
}

beforeAll(async () => {
  environment = await createTestEnvironment();
  runtime = open();
  await prepareDatabases(runtime);
});
afterAll(async () => {
  await runtime.close();
  await environment.dispose();
});

/** Writes as many entries as a trigger would, in one transaction. */
async function write(entries: number, action = 'test'): Promise<void> {
  await environment.sql.query(
    `insert into analytics.backfill_audit_log (actor, batch_id, action, detail)
     select 'a person', 'b', $2, jsonb_build_object('n', n, 'long', 123456789012345678901234567890.10)
       from generate_series(1, $1) as n`,
    [entries, action],
  );
}

/** As somebody does who may do everything in the database. */
async function tamper(...statements: string[]): Promise<void> {
  const client = await environment.sql.connect();
  try {
    await client.query('set session_replication_role = replica');
    for (const statement of statements) await client.query(statement);
  } finally {
    client.release(true);
  }
}

const problems = async (key = runtime.config.auditKey) => {
  const { store, config, pool } = runtime;
  const found = await findAuditProblems(pool, store, config.storage.archiveBucket, key);
  return found.map(({ subject, problem }) => `${subject}: ${problem}`);
};

/** The chain as it stands: the number of the last entry, and whether it has no gap and nothing waits. */
async function chainState() {
  const { rows } = await environment.sql.query(
    `select count(*)::int as entries, coalesce(max(chain_no), 0)::int as last, count(distinct chain_no)::int as numbers,
            (select chain_no::int from analytics.backfill_audit_chain) as "end"
       from analytics.backfill_audit_log`,
  );
  return rows[0];
}

const whole = (entries: number) => ({ entries, last: entries, numbers: entries, end: entries });

async function idOf(chainNo: number): Promise<number> {
  const { rows } = await environment.sql.query<{ audit_id: string }>(
    'select audit_id from analytics.backfill_audit_log where chain_no = $1',
    [chainNo],
  );
  return Number(rows[0]?.audit_id);
}

async function headKeys(): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of runtime.store.list(runtime.config.storage.archiveBucket, AUDIT_HEADS)) keys.push(key);
  return keys;
}

describe('the sealer', () => {
  it('seals every column of an entry', async () => {
    const { rows } = await environment.sql.query<{ name: string }>(
      `select attname as name from pg_attribute
        where attrelid = 'analytics.backfill_audit_log'::regclass and attnum > 0 and not attisdropped order by 1`,
    );
    // Whoever adds a column here has to say how the entries of before are verified.
    expect(rows.map(({ name }) => name)).toEqual(
      ['action', 'actor', 'at', 'audit_id', 'batch_id', 'chain_no', 'detail', 'mac'].sort(),
    );
  });

  it('gives entries gapless numbers in the order of their ids, in several transactions', async () => {
    await write(1_200);
    const head = await runtime.sealer.seal();
    expect(await chainState()).toEqual(whole(1_200));
    const { rows } = await environment.sql.query(
      'select count(*)::int as n from analytics.backfill_audit_log where audit_id <> chain_no',
    );
    expect(rows[0].n).toBe(0);
    expect(head).toMatchObject({ chain_no: 1_200, key_check: auditKeyCheck(runtime.config.auditKey as never) });
    expect(await problems()).toEqual([]);
  });

  it('seals an entry that is committed late behind those with higher ids', async () => {
    const { end } = await chainState();
    const slow = await environment.sql.connect();
    await slow.query('begin');
    await slow.query(`insert into analytics.backfill_audit_log (actor, action) values ('slow', 'first')`);
    await write(2, 'second');
    await runtime.sealer.seal();
    expect((await chainState()).end).toBe(end + 2);
    await slow.query('commit');
    slow.release();
    await runtime.sealer.seal();
    const { rows } = await environment.sql.query(
      'select action from analytics.backfill_audit_log where chain_no > $1 order by chain_no',
      [end],
    );
    expect(rows.map(({ action }) => action)).toEqual(['second', 'second', 'first']);
    expect(await problems()).toEqual([]);
  });

  it('may run any number of times at once, while entries are written', async () => {
    const { entries } = await chainState();
    const other = open();
    const writing = Promise.all(Array.from({ length: 12 }, () => write(60)));
    const sealing = [runtime, other].flatMap(({ sealer }) =>
      Array.from({ length: 6 }, async () => {
        for (let turn = 0; turn < 5; turn += 1) await sealer.seal();
      }),
    );
    await Promise.all([writing, ...sealing]);
    await other.sealer.seal();
    await other.close();
    expect(await chainState()).toEqual(whole(entries + 720));
    expect(await problems()).toEqual([]);
  });

  it('lets nobody change what is sealed, nor unseal it, nor write an entry with a place', async () => {
    for (const statement of [
      `update analytics.backfill_audit_log set actor = 'x' where chain_no = 2`,
      `update analytics.backfill_audit_log set chain_no = null, mac = null where chain_no = 2`,
      `update analytics.backfill_audit_log set chain_no = 99999999 where chain_no = 2`,
      `delete from analytics.backfill_audit_log where chain_no = 2`,
      `insert into analytics.backfill_audit_log (actor, action, chain_no, mac) values ('x', 'x', 99999999, repeat('a', 64))`,
    ]) {
      await expect(environment.sql.query(statement)).rejects.toThrow('append-only');
    }
    await write(1);
    await expect(
      environment.sql.query(
        `update analytics.backfill_audit_log set actor = 'x', chain_no = 99999999, mac = repeat('a', 64) where chain_no is null`,
      ),
    ).rejects.toThrow('append-only');
    await runtime.sealer.seal();
  });

  it('works while Redis is away', async () => {
    const alone = open({ REDIS_URL: 'redis://127.0.0.1:1' });
    // Its plan is due, and cannot be sent.
    const window = { start: '2026-11-01T00:00:00Z', end: '2026-11-02T00:00:00Z' };
    await insertBatch(runtime, { batchId: 'waits', source: 'app', window });
    alone.dispatcher.start();
    await write(3);
    await waitFor('the entries to be sealed', async () => {
      const { entries, end } = await chainState();
      return entries === end || undefined;
    });
    await alone.close();
    expect(await problems()).toEqual([]);
  });

  it('anchors a head with every round that seals something, and with no other', async () => {
    const before = await headKeys();
    await write(3);
    runtime.sealer.kick();
    await runtime.sealer.rest();
    const { end } = await chainState();
    const after = await headKeys();
    expect(after.length).toBe(before.length + 1);
    const { rows } = await environment.sql.query('select mac from analytics.backfill_audit_log where chain_no = $1', [
      end,
    ]);
    expect(after.at(-1)).toBe(archiveLayout.auditHead(end, rows[0].mac));
    runtime.sealer.kick();
    await runtime.sealer.rest();
    expect(await headKeys()).toEqual(after);
    expect(await problems()).toEqual([]);
  });

  it.each(['seal:written', 'seal:sealed', 'seal:anchored'])('goes on after a death at %s', async (point) => {
    await write(700);
    await environment.sql.query(
      `insert into analytics.backfill_audit_log (actor, action, detail) values ('x', 'status', '{"to": "halted"}')`,
    );
    const { entries } = await chainState();
    const dying = startServiceProcess('rollback', { ...environment.env, BACKFILL_CONFIG_DIR: CONFIG_DIR }, point);
    expect(await dying.ended).toBe('SIGKILL');
    expect(await problems()).toEqual([]);
    runtime.sealer.kick();
    await runtime.sealer.rest();
    expect(await chainState()).toEqual(whole(entries));
    expect((await headKeys()).at(-1)).toContain(String(entries).padStart(12, '0'));
    expect(await problems()).toEqual([]);
  });
});

describe('what somebody does who has the database and not the key', () => {
  beforeAll(() =>
    tamper(
      'create table public.log_backup as table analytics.backfill_audit_log',
      'alter table analytics.backfill_audit_log drop constraint backfill_audit_log_chain_no_check',
    ),
  );
  beforeEach(() =>
    tamper(
      'delete from analytics.backfill_audit_log',
      'insert into analytics.backfill_audit_log overriding system value select * from public.log_backup',
    ),
  );

  it('is none of this', async () => {
    expect(await problems()).toEqual([]);
  });

  it('changes an entry', async () => {
    const id = await idOf(500);
    await tamper(`update analytics.backfill_audit_log set detail = detail || '{"n": 1}' where chain_no = 500`);
    expect(await problems()).toEqual([
      expect.stringContaining(`entry 500 (audit_id ${id}) is not what was sealed there`),
    ]);
  });

  it('changes an entry by a microsecond or by a digit far behind the point', async () => {
    await tamper(`update analytics.backfill_audit_log set at = at + interval '1 microsecond' where chain_no = 600`);
    expect(await problems()).toEqual([expect.stringContaining('entry 600 ')]);
    await tamper(
      `update analytics.backfill_audit_log set detail = jsonb_set(detail, '{long}', '123456789012345678901234567890.11')
        where chain_no = 7`,
    );
    expect(await problems()).toEqual([expect.stringContaining('entry 7 ')]);
  });

  it('removes entries from the middle, with and without closing the gap', async () => {
    const next = await idOf(302);
    await tamper('delete from analytics.backfill_audit_log where chain_no between 300 and 301');
    expect(await problems()).toEqual([
      expect.stringContaining(`entries 300 to 301 are missing, before audit_id ${next}: removed`),
    ]);
    await tamper(
      'update analytics.backfill_audit_log set chain_no = -chain_no where chain_no > 301',
      'update analytics.backfill_audit_log set chain_no = -chain_no - 2 where chain_no < -301',
    );
    expect(await problems()).toEqual([expect.stringContaining('entries 300 to 301 are missing, before')]);
  });

  it('cuts off the end', async () => {
    const { end } = await chainState();
    await tamper(`delete from analytics.backfill_audit_log where chain_no > ${end - 5}`);
    const missing = `the log was cut off: entries ${end - 4} to ${end} are missing from its end`;
    expect(await problems()).toEqual([expect.stringContaining(missing)]);
    // And covers it up where the database knows of it; the archive knows too.
    const { rows } = await environment.sql.query('select * from analytics.backfill_audit_chain');
    await tamper(
      `update analytics.backfill_audit_chain set chain_no = ${end - 5}, anchored_no = 0,
              mac = (select mac from analytics.backfill_audit_log where chain_no = ${end - 5})`,
    );
    expect(await problems()).toEqual([expect.stringMatching(`${missing}, as s3://.*/audit/heads/.* says`)]);
    // New entries take the places of those that are gone; the head at the end is another then.
    await write(5);
    await runtime.sealer.seal();
    expect(await problems()).toEqual([
      expect.stringMatching(new RegExp(`rewritten by somebody with its key: entry ${end} .*audit/heads/`)),
    ]);
    await environment.sql.query('update analytics.backfill_audit_chain set chain_no = $1, mac = $2, anchored_no = $3', [
      rows[0].chain_no,
      rows[0].mac,
      rows[0].anchored_no,
    ]);
  });

  it('cuts off what no head is about yet', async () => {
    const alone = open();
    const heads = await headKeys();
    const before = await environment.sql.query('select * from analytics.backfill_audit_chain');
    await write(2);
    // The archive hears of it by nobody: as if it were away.
    const end = (await alone.sealer.seal())?.chain_no ?? 0;
    expect(await headKeys()).toEqual(heads);
    await tamper(
      `delete from analytics.backfill_audit_log where chain_no > ${end - 2}`,
      `update analytics.backfill_audit_chain set chain_no = ${end - 2}, anchor_no = ${end - 2},
              mac = (select mac from analytics.backfill_audit_log where chain_no = ${end - 2})`,
    );
    // Nothing that the doctor can read says so; the process that has sealed them does.
    expect(await problems()).toEqual([]);
    alone.sealer.kick();
    await alone.sealer.rest();
    expect((await alone.metrics.auditLosses.get()).values).toMatchObject([{ value: 1 }]);
    const missing = `the log was cut off: entries ${end - 1} to ${end} are missing from its end`;
    expect(await problems()).toEqual([expect.stringMatching(`${missing}, as s3://.*/audit/heads/.* says`)]);
    await alone.close();
    const [evidence] = (await headKeys()).filter((key) => !heads.includes(key));
    await runtime.store.remove(runtime.config.storage.archiveBucket, evidence as string);
    expect((await environment.sql.query('select * from analytics.backfill_audit_chain')).rows).toMatchObject([
      { chain_no: before.rows[0].chain_no, mac: before.rows[0].mac },
    ]);
  });

  it('inserts an entry in the middle', async () => {
    await tamper(
      'update analytics.backfill_audit_log set chain_no = -chain_no where chain_no >= 400',
      'update analytics.backfill_audit_log set chain_no = -chain_no + 1 where chain_no < 0',
      `insert into analytics.backfill_audit_log (audit_id, actor, action, chain_no, mac) overriding system value
       values (1000000, 'operator', 'status', 400, repeat('a', 64))`,
    );
    expect(await problems()).toEqual([expect.stringContaining('entry 400 (audit_id 1000000) was inserted')]);
  });

  it('swaps two entries', async () => {
    const [first, second] = [await idOf(150), await idOf(950)];
    await tamper(
      'update analytics.backfill_audit_log set chain_no = -1 where chain_no = 150',
      'update analytics.backfill_audit_log set chain_no = 150 where chain_no = 950',
      'update analytics.backfill_audit_log set chain_no = 950 where chain_no = -1',
    );
    expect(await problems()).toEqual([
      expect.stringContaining(
        `entry 150 (audit_id ${second}) was moved: it belongs further back, and audit_id ${first} belongs there`,
      ),
    ]);
  });

  it('unseals an entry, so that it is sealed again at the end', async () => {
    await tamper('update analytics.backfill_audit_log set chain_no = null, mac = null where chain_no = 20');
    expect(await problems()).toEqual([expect.stringContaining('entry 20 is missing, before audit_id')]);
  });

  it('empties the log, or changes what the database knows about its end', async () => {
    const { end } = await chainState();
    await tamper('delete from analytics.backfill_audit_log');
    expect(await problems()).toEqual([expect.stringContaining(`entries 1 to ${end} are missing from its end`)]);
    await tamper('insert into analytics.backfill_audit_log overriding system value select * from public.log_backup');
    await tamper(`create table public.chain_backup as table analytics.backfill_audit_chain`);
    await tamper(`update analytics.backfill_audit_chain set mac = repeat('a', 64)`);
    expect(await problems()).toEqual([
      expect.stringContaining('its end was changed in analytics.backfill_audit_chain'),
    ]);
    await tamper(
      `update analytics.backfill_audit_chain set key_check = repeat('a', 64), mac = (select mac from public.chain_backup)`,
    );
    expect(await problems()).toEqual(['analytics.backfill_audit_chain: its key_check was changed']);
    await tamper('delete from analytics.backfill_audit_chain');
    expect(await problems()).toEqual(['analytics.backfill_audit_chain: its row is gone']);
    await tamper('insert into analytics.backfill_audit_chain select * from public.chain_backup');
    expect(await problems()).toEqual([]);
  });
});

describe('what somebody does who has the archive and not the key', () => {
  const put = async (key: string, head: object | string) => {
    const { store, config } = runtime;
    const body = typeof head === 'string' ? head : JSON.stringify(head);
    await store.put(config.storage.archiveBucket, key, Buffer.from(body), 'application/json');
  };

  it('puts a head there, or changes one', async () => {
    const head = await runtime.sealer.seal();
    const bogus = `${AUDIT_HEADS}999999999999-bogus.json`;
    await put(bogus, { ...head, chain_no: 999_999_999_999 });
    expect(await problems()).toEqual([
      expect.stringMatching(/999999999999-bogus.json: it was changed since it was anchored/),
    ]);
    await put(bogus, { ...head, key_check: 'a'.repeat(64) });
    expect(await problems()).toEqual([expect.stringMatching(/it was made with another key/)]);
    await put(bogus, 'no head');
    expect(await problems()).toEqual([expect.stringMatching(/it is not the head of an audit log/)]);
    await put(bogus, head ?? '');
  });

  it('leaves the heads that reports carry', async () => {
    const head = await runtime.sealer.seal();
    await put(archiveLayout.report('b', 'report.json'), { audit_head: head });
    await put(archiveLayout.report('old', 'report.json'), { rows: 1 });
    expect(await problems()).toEqual([]);
    const { end } = await chainState();
    await tamper(
      `delete from analytics.backfill_audit_log where chain_no = ${end}`,
      `update analytics.backfill_audit_chain set chain_no = ${end - 1}, anchored_no = 0,
              mac = (select mac from analytics.backfill_audit_log where chain_no = ${end - 1})`,
    );
    expect(await problems()).toEqual([
      expect.stringMatching(new RegExp(`entry ${end} is missing from its end, as s3://.*/reports/b/report.json says`)),
    ]);
  });
});

describe('the key', () => {
  const under = (secret: string) => ({ AUDIT_KEY_FILE: '', AUDIT_KEY: secret });

  it('is told apart from a log that was changed', async () => {
    const { code, stdout, stderr } = await runCommandLine(['doctor'], { ...doctorEnv(), ...under('x'.repeat(32)) });
    expect([code, stderr]).toEqual([1, expect.stringMatching(/Not in order: .*audit log/)]);
    expect(stdout).toMatch(
      /^audit log: 1 finding\n {2}AUDIT_KEY_FILE: it holds another key than .*\n {4}To mend it: /m,
    );
  });

  it('is wanted by every service, and has to be the same', async () => {
    const other = open(under('x'.repeat(32)));
    await expect(prepareDatabases(other)).rejects.toThrow(/AUDIT_KEY_FILE: it holds another key/);
    await expect(other.sealer.seal()).rejects.toThrow(/another key/);
    await other.close();
    const none = open({ AUDIT_KEY_FILE: '' });
    await expect(prepareDatabases(none)).rejects.toThrow(/AUDIT_KEY_FILE: it is not set/);
    await none.close();
  });
});

const doctorEnv = () => ({ ...environment.env, BACKFILL_CONFIG_DIR: CONFIG_DIR });

describe('backfill doctor', () => {
  it('tells what waits for its seal for too long, and what is gone', async () => {
    await environment.sql.query(
      `insert into analytics.backfill_audit_log (at, actor, action) values (now() - interval '2 minutes', 'x', 'late')`,
    );
    const { code, stdout } = await runCommandLine(['doctor'], doctorEnv());
    expect(code).toBe(1);
    expect(stdout).toMatch(/^audit log: 2 findings\n {2}analytics.backfill_audit_log: the log was cut off: /m);
    expect(stdout).toMatch(/1 of its entries are not sealed yet, from audit_id \d+ of 20/);
  });
});
