import { randomUUID } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { requestErasure } from '@backfill/core/db/queries/erasures';
import { withTransaction } from '@backfill/core/db/transaction';
import { subjectPseudonyms } from '@backfill/core/erasure/subject-pseudonyms';
import { keyRingOf } from '@backfill/core/runtime/keyed-runtime';
import type { Runtime } from '@backfill/core/runtime/runtime';
import type { TestEnvironment } from './environment.ts';
import { waitFor } from './wait-for.ts';

/** Who is to be forgotten, and who is not. Texts that stand nowhere else. */
export const GONE = 'visitor-gone-7f3a';
export const STAYS = 'visitor-stays-9c2b';

/** The raw line of an event of the source `app` of a person; the same person and number give the same event. */
export function personLine(person: string, number: number, day = '2026-11-01'): string {
  return JSON.stringify({
    id: `${person.slice(8, 9)}${number}`,
    name: 'Page Viewed',
    ts: `${day}T${String(number % 24).padStart(2, '0')}:00:00.000Z`,
    session: { id: `session-of-${person}` },
    user: { id: person },
    data: { path: `https://app.example.com/page/${number}` },
  });
}

/**
 * Files of both people, plain and compressed: events, repeats, an event out of the window, and a line of each that cannot
 * be read.
 */
export function mixedFiles(first: number, last: number): Record<string, Buffer> {
  const lines: string[] = [];
  for (let number = first; number < last; number += 1) {
    lines.push(personLine(GONE, number), personLine(STAYS, number));
  }
  const text = (given: string[]) => Buffer.from(given.map((line) => `${line}\n`).join(''));
  const damaged = [`{"user":{"id":"${GONE}"},"half`, `{"user":{"id":"${STAYS}"},"half`];
  const outside = [personLine(GONE, 1, '2026-12-24'), personLine(STAYS, 1, '2026-12-24')];
  return {
    'a.ndjson': text([...lines, ...outside]),
    'b.ndjson.gz': gzipSync(
      text([...lines.slice(0, 2), ...damaged, personLine(GONE, last + 50), personLine(STAYS, last + 50)]),
    ),
  };
}

/** Asks for somebody's erasure, as the API does, but searches nothing by the clear id. */
export async function forget(runtime: Runtime, id: string): Promise<{ erasureId: number; pseudonyms: string[] }> {
  const pseudonyms = pseudonymsOf(runtime, id);
  const { erasure_id: erasureId } = await withTransaction(runtime.pool, 'officer', (client) =>
    requestErasure(client, { actor: 'officer', pseudonyms, search: randomUUID() }),
  );
  await runtime.pool.query(`update analytics.backfill_erasures set search_heartbeat_at = null where erasure_id = $1`, [
    erasureId,
  ]);
  return { erasureId, pseudonyms };
}

export function pseudonymsOf({ config }: Pick<Runtime, 'config'>, id: string): string[] {
  const schemes = ['user', 'session', 'account'].map((domain) => ({ mode: 'hmac' as const, domain }));
  return subjectPseudonyms(schemes, keyRingOf(config), id, false);
}

export interface EndedErasure {
  outcome: string;
  problems: string[];
  waiting_for: string[];
}

/** Waits until an erasure has ended. */
export const erased = (sql: TestEnvironment['sql'], erasureId: number): Promise<EndedErasure> =>
  waitFor('the erasure to have ended', async () => {
    const { rows } = await sql.query<EndedErasure & { ended_at: Date | null }>(
      'select outcome, problems, waiting_for, ended_at from analytics.backfill_erasures where erasure_id = $1',
      [erasureId],
    );
    return rows[0]?.ended_at == null ? undefined : rows[0];
  });

/** Tables that keep pseudonyms on purpose: they say whom never to bring back. */
const KEEPS = new Set(['privacy_suppressions', 'backfill_erasures']);

/** Rows of all tables of a database that have to forget, as text. */
async function* readTables(pool: TestEnvironment['sql']): AsyncGenerator<{ name: string; rows: string[] }> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'r' and n.nspname = 'analytics' order by 1`,
  );
  for (const { name } of tables) {
    if (KEEPS.has(name)) continue;
    const { rows } = await pool.query<{ text: string }>(`select t::text as text from analytics.${name} t`);
    yield { name, rows: rows.map((row) => row.text) };
  }
}

/** Places in tables and objects where one of some texts stands. The raw bucket is not ours, and is not looked at. */
export async function findAnywhere(
  { sql, keys }: Pick<TestEnvironment, 'sql' | 'keys'>,
  { store, config }: Pick<Runtime, 'store' | 'config'>,
  texts: readonly string[],
): Promise<string[]> {
  const found: string[] = [];
  // As a text of its own and within JSON that is within a row, where backslashes are doubled.
  const formsOf = (text: string) => [1, 2, 4].map((times) => text.replaceAll('\\', '\\'.repeat(times)));
  const holds = (content: string, text: string) => formsOf(text).some((form) => content.includes(form));
  for (const pool of new Set([sql, keys])) {
    for await (const { name, rows } of readTables(pool)) {
      for (const text of texts) if (rows.some((row) => holds(row, text))) found.push(`${name}: ${text}`);
    }
  }
  for await (const { key } of store.list(config.storage.archiveBucket, '')) {
    const bytes = Buffer.concat(await (await store.get(config.storage.archiveBucket, key)).toArray());
    const content = key + String(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes);
    for (const text of texts) if (holds(content, text)) found.push(`${key}: ${text}`);
  }
  return found;
}

/** Ids of events of some people, wherever rows are. */
export async function eventIdsOf(sql: TestEnvironment['sql'], pseudonyms: readonly string[]): Promise<string[]> {
  const { rows } = await sql.query<{ event_id: string }>(
    `select event_id from analytics.events_log where subject_id = any ($1)
      union select event_id from analytics.events_backfill_staging where subject_id = any ($1)`,
    [pseudonyms],
  );
  return rows.map((row) => row.event_id);
}

/** Everything that is stored of somebody: rows of tables, and lines of the mirror. */
export async function everythingOf(
  { sql }: Pick<TestEnvironment, 'sql'>,
  { store, config }: Pick<Runtime, 'store' | 'config'>,
  id: string,
  pseudonyms: readonly string[],
): Promise<string[]> {
  const events = await eventIdsOf(sql, pseudonyms);
  const { rows } = await sql.query<{ row: string }>(
    `select 'log ' || row(event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload::text,
                          batch_id, deleted_at is null)::text as row
       from analytics.events_log where subject_id = any ($1)
     union all
     select 'staged ' || (to_jsonb(s) - 'part_id' - 'payload')::text from analytics.events_backfill_staging s where subject_id = any ($1)
     union all
     select 'lineage ' || l::text from analytics.backfill_lineage l where event_id = any ($2)
     union all
     select 'accepted ' || r::text from analytics.backfill_event_checkpoint_raw r where event_id = any ($2)
     order by 1`,
    [pseudonyms, events],
  );
  const lines: string[] = [];
  for await (const { key } of store.list(config.storage.archiveBucket, 'raw/')) {
    if (key.includes('manifest')) continue;
    const bytes = Buffer.concat(await (await store.get(config.storage.archiveBucket, key)).toArray());
    const text = String(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes);
    for (const [index, line] of text.split('\n').entries())
      if (line.includes(id)) lines.push(`${key}:${index + 1} ${line}`);
  }
  return [...rows.map((row) => row.row), ...lines];
}
