import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { BENCH_REFERENCES, BENCH_SOURCE, BENCH_WINDOW } from '../bench/events/bench-events.ts';
import { createApiClient } from '../support/api-client.ts';
import { waitFor } from '../support/wait-for.ts';
import type { HaltWorld } from './halt-world.ts';
import type { Way } from './stages.ts';

/** The batch of a world; its object is there already. */
export const BATCH = 'big';
export const FILE_NAME = 'events.gz';

/** Statuses that a batch here is not meant to come to by itself. */
const ASTRAY = ['failed', 'halted', 'gates_failed'];
/** Statuses in which it rests as it should. */
const AT_REST = ['awaiting_publish_approval', 'published'];

/** What the audit log says about a halt. */
export interface HaltRecord {
  at: Date;
  from: string;
  actor: string;
}

/** A batch, as operators see and move it. */
export interface HaltedBatch {
  submit(): Promise<unknown>;
  resume(): Promise<unknown>;
  publish(): Promise<unknown>;
  /** Rejects with what the operator is told when the batch cannot be halted. */
  halt(way: Way): Promise<HaltRecord>;
  /** Waits for what `look` looks for while something works for the batch. */
  whileAtWork<T>(what: string, look: () => Promise<T | undefined>): Promise<T>;
  reach(status: string): Promise<unknown>;
}

/** @param timeoutMs how long the batch may take to whatever is waited for */
export function operateBatch({ env, sql }: HaltWorld, timeoutMs: number): HaltedBatch {
  const api = createApiClient(env);
  const readStatus = async () => {
    const { rows } = await sql.query<{ status: string; status_reason: string | null }>(
      'select status, status_reason from analytics.backfill_batches',
    );
    return rows[0];
  };
  const until = <T>(what: string, look: () => Promise<T | undefined>, astray: readonly string[]) =>
    waitFor(
      what,
      async () => {
        const found = await look();
        if (found !== undefined) return found;
        const batch = await readStatus();
        if (astray.includes(batch?.status ?? ''))
          throw new Error(`${what} was not there, the batch is ${batch?.status}: ${batch?.status_reason}`);
        return undefined;
      },
      timeoutMs,
    );
  const haltBy: Readonly<Record<Way, () => Promise<unknown>>> = {
    api: () => api.operate(BATCH, 'halt', { reason: 'a test' }),
    psql: () => {
      const statement = `UPDATE analytics.backfill_batches SET status='halted' WHERE batch_id='${BATCH}'`;
      return promisify(execFile)('psql', [env.DATABASE_URL ?? '', '-X', '-v', 'ON_ERROR_STOP=1', '-c', statement]);
    },
  };
  return {
    submit: () => api.submit(BATCH, { source: BENCH_SOURCE, window: BENCH_WINDOW, references: BENCH_REFERENCES }),
    resume: () => api.operate(BATCH, 'resume'),
    publish: () => api.operate(BATCH, 'publish'),
    async halt(way) {
      await haltBy[way]();
      const { rows } = await sql.query<HaltRecord>(
        `select at, actor, detail->>'from' as "from" from analytics.backfill_audit_log
          where action = 'status' and detail->>'to' = 'halted' order by audit_id desc limit 1`,
      );
      if (rows[0] === undefined) throw new Error('the halt is not in the audit log');
      return rows[0];
    },
    whileAtWork: (what, look) => until(what, look, [...ASTRAY, ...AT_REST]),
    reach: (status) =>
      until(`the batch to be ${status}`, async () => (await readStatus())?.status === status || undefined, ASTRAY),
  };
}
