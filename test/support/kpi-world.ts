import type { BatchRow } from '@backfill/core/db/queries/batch-get';
import type { BatchStatus } from '@backfill/core/domain/batch-status';
import { withProof } from './config-dir.ts';
import { type Pipeline, startPipeline } from './pipeline.ts';

/** A Wednesday in Berlin, whose clocks were an hour ahead of UTC, which lost all but five of its sessions. */
export const LOST_DAY = '2026-11-04';
export const LOST_WINDOW = { start: '2026-11-03T23:00:00Z', end: '2026-11-04T23:00:00Z' };
/** Days with a hundred sessions of their own each: those around the lost one, and four Wednesdays before. */
export const WHOLE_DAYS = [
  ...['2026-10-31', '2026-11-01', '2026-11-02', '2026-11-03', '2026-11-05', '2026-11-06'],
  ...['2026-10-28', '2026-10-21', '2026-10-14', '2026-10-07'],
];
/** Of a hundred people who sign up on a day, so many use a feature afterwards. */
const ACTIVATED_SHARE = 0.6;

export interface GateRow {
  gate: string;
  threshold: number;
  observed: number | null;
  passed: boolean;
  detail: Record<string, unknown>;
}

export interface KpiWorld extends Pipeline {
  /** Runs a batch over the lost day (or the window) until it rests. */
  run(batchId: string, given: { lines: string[]; request?: object; window?: typeof LOST_WINDOW }): Promise<BatchRow>;
  /** The gate results in force, by gate. */
  gates(batchId: string): Promise<Record<string, GateRow>>;
  failedGates(batchId: string): Promise<string[]>;
  /** Changes rows behind every trigger, as who owns the database could, and has the batch verified again. */
  verifyAfter(batchId: string, ...statements: string[]): Promise<string[]>;
}

/**
 * Raw lines of the sessions that were lost: each a sign-up, and a use of a feature an hour later by some. The last is half
 * an hour before midnight.
 *
 * @param prefix makes them other events and people than those of other batches
 */
export function lostLines(prefix: string, sessions = 95, activated = sessions * ACTIVATED_SHARE): string[] {
  const startMs = Date.parse(LOST_WINDOW.start) + 3_600_000;
  const stepMs = (21.5 * 3_600_000) / sessions;
  return Array.from({ length: sessions }, (_, number) => {
    const at = startMs + Math.floor(stepMs * number);
    const lines = [line(`${prefix}-${number}`, 'Signup Completed', at, { plan: 'free', method: 'sso' })];
    if (number < activated) lines.push(line(`${prefix}-${number}`, 'Feature Used', at + 60_000, { feature: 'export' }));
    if (number === sessions - 1) {
      lines.push(line(`${prefix}-${number}`, 'Page Viewed', Date.parse(LOST_WINDOW.end) - 1_800_000, { path: '/' }));
    }
    return lines;
  }).flat();
}

function line(who: string, name: string, atMs: number, data: object): string {
  const id = `${who}-${name.replace(' ', '-')}`;
  return JSON.stringify({
    ...{ id, name, ts: new Date(atMs).toISOString(), data },
    ...{ session: { id: `s-${who}` }, user: { id: `u-${who}` } },
  });
}

/** What live ingestion stored: so many sessions of a day, with the same share of people who use a feature. */
async function insertLive(pipeline: Pipeline, day: string, sessions: number): Promise<void> {
  await pipeline.sql.query(
    `insert into analytics.events (event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload)
     select analytics.event_id('app', at, payload), 'app', name, '1-0-0', at, 's-' || who, 'u-' || who, payload
       from generate_series(1, $2::int) as n
      cross join lateral (select 'live-' || $1 || '-' || n as who) as someone
      cross join lateral (
        select 'signup_completed' as name, $1::timestamp at time zone 'Europe/Berlin' + n * interval '5 minutes' as at
         union all
        select 'feature_used', $1::timestamp at time zone 'Europe/Berlin' + n * interval '5 minutes' + interval '1 hour'
         where n <= $2 * $3::float8) as step
      cross join lateral (select json_build_object('event_name', name, 'subject_id', who) as payload) as document`,
    [day, sessions, ACTIVATED_SHARE],
  );
}

/** A pipeline under the gates that users have, and a source `app` with weeks of live events around a lost day. */
export async function createKpiWorld(): Promise<KpiWorld> {
  const pipeline = await startPipeline();
  await pipeline.config.editPolicy(withProof);
  for (const day of WHOLE_DAYS) await insertLive(pipeline, day, 100);
  await insertLive(pipeline, LOST_DAY, 5);

  async function gates(batchId: string): Promise<Record<string, GateRow>> {
    const { rows } = await pipeline.sql.query<GateRow>(
      `select gate, threshold, observed, passed, detail from analytics.backfill_gate_results r
        where batch_id = $1
          and run_no = (select max(run_no) from analytics.backfill_gate_results where batch_id = $1)`,
      [batchId],
    );
    return Object.fromEntries(rows.map((row) => [row.gate, row]));
  }
  async function failedGates(batchId: string): Promise<string[]> {
    return Object.values(await gates(batchId))
      .filter(({ passed }) => !passed)
      .map(({ gate }) => gate)
      .sort();
  }
  const verified: BatchStatus[] = ['awaiting_publish_approval', 'gates_failed', 'failed', 'halted'];
  return {
    ...pipeline,
    gates,
    failedGates,
    async run(batchId, { lines, request = {}, window = LOST_WINDOW }) {
      await pipeline.upload(batchId, { 'a.ndjson': lines.map((text) => `${text}\n`).join('') });
      await pipeline.submit({ batchId, source: 'app', window, request: { ...request } });
      return pipeline.rest(batchId, verified);
    },
    async verifyAfter(batchId, ...statements) {
      const client = await pipeline.sql.connect();
      try {
        await client.query('begin; set local session_replication_role = replica');
        for (const statement of statements) await client.query(statement, [batchId]);
        await client.query('commit');
      } finally {
        client.release();
      }
      await pipeline.change(batchId, 'awaiting_publish_approval', 'verifying');
      await pipeline.rest(batchId, verified);
      return failedGates(batchId);
    },
  };
}

/** References that the lost day fulfils, changed by `values`. */
export function references(values: { sessions?: number; conversion?: number } = {}, day = LOST_DAY): object[] {
  const { sessions = 100, conversion = 0.6 } = values;
  return [
    { kpi: 'daily_active_sessions', day, value: sessions, source: 'warehouse' },
    { kpi: 'activation_funnel', day, value: conversion, source: 'warehouse' },
  ];
}
