import type { BenchStack } from '../memory/bench-stack.ts';
import { BATCH, type Timing } from './bench-batch.ts';
import { cpuSeconds } from './cpu-time.ts';

const INSERT_SQL = `
  insert into analytics.events_log
    (event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload, batch_id)
  select event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload, batch_id
    from analytics.events_backfill_staging
   where batch_id = $1 and not is_duplicate`;

/**
 * What a publish is measured against: the same rows from the same staging into the same stored events, emptied before,
 * by one statement that checks nothing. Everything is as before afterwards.
 */
export async function timeBareInsert({ runtime, servers }: BenchStack): Promise<Timing> {
  const cpu = () => cpuSeconds(servers.postgres.pid() ?? 0);
  const client = await runtime.pool.connect();
  try {
    await client.query(`begin; select set_config('analytics.actor', 'bench', true)`);
    await client.query('truncate analytics.events_log');
    const [start, before] = [performance.now(), cpu()];
    const { rowCount } = await client.query(INSERT_SQL, [BATCH.batchId]);
    return { ms: performance.now() - start, events: rowCount ?? 0, cpuSeconds: cpu() - before };
  } finally {
    await client.query('rollback');
    client.release();
  }
}
