import type { Report } from '@backfill/core/report/report';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiAnswer, startApi, type TestApi } from '../support/api.ts';
import { createKpiWorld, type KpiWorld, LOST_DAY, LOST_WINDOW, lostLines, references } from '../support/kpi-world.ts';
import { waitFor } from '../support/wait-for.ts';

// A day is replayed with a wrong transform, and then with the right one: through the API, under the gates that users have.
let world: KpiWorld;
let api: TestApi;
beforeAll(async () => {
  world = await createKpiWorld();
  api = await startApi({ environment: world, config: world.config });
});
afterAll(async () => {
  await api?.dispose();
  await world?.dispose();
});

const HEARTBEATS = 5;

/** The lost day's lines, with a field that the wrong transform forgets and heartbeats that it takes for page views. */
function rawLines(): string[] {
  const lines = lostLines('day').map((text) => {
    const line = JSON.parse(text) as { name: string; data: Record<string, unknown> };
    if (line.name === 'Signup Completed') line.data.seconds_to_complete = 30;
    return JSON.stringify(line);
  });
  const heartbeats = Array.from({ length: HEARTBEATS }, (_, at) =>
    JSON.stringify({
      ...{ id: `h${at}`, name: 'Heartbeat', ts: '2026-11-04T22:50:00.000Z', data: { path: '/beat' } },
      ...{ session: { id: `beat-${at}` }, user: { id: `beat-${at}` } },
    }),
  );
  return [...lines, ...heartbeats];
}

interface Mapping {
  event_name: { values: Record<string, string> };
  properties: Record<string, string>;
}
const wrongTransform = (document: Record<string, unknown>) => {
  const { event_name, properties } = document.mapping as Mapping;
  properties.seconds_to_complete = 'data.seconds';
  event_name.values.Heartbeat = 'page_viewed';
  delete event_name.values['Page Viewed'];
};
const rightTransform = (document: Record<string, unknown>) => {
  const { event_name, properties } = document.mapping as Mapping;
  delete properties.seconds_to_complete;
  event_name.values['Page Viewed'] = 'page_viewed';
  delete event_name.values.Heartbeat;
};

async function submit(batchId: string, request: object): Promise<ApiAnswer> {
  await world.upload(batchId, {
    'a.ndjson': rawLines()
      .map((text) => `${text}\n`)
      .join(''),
  });
  return api.call('POST', '/v1/batches', 'submitter', {
    ...{ batch_id: batchId, source: 'app', input: `s3://${api.rawBucket}/${batchId}/`, window: LOST_WINDOW },
    ...request,
  });
}

const view = async (batchId: string) => (await api.call('GET', `/v1/batches/${batchId}`, 'viewer')).json;

async function publish(batchId: string): Promise<void> {
  const batch = await world.rest(batchId, ['awaiting_publish_approval', 'gates_failed', 'halted', 'failed']);
  expect([batch.status, batch.status_reason]).toEqual(['awaiting_publish_approval', null]);
  expect((await api.call('POST', `/v1/batches/${batchId}/publish`, 'operator')).status).toBe(202);
  await world.rest(batchId, ['published']);
}

async function liveNames(): Promise<Record<string, number>> {
  const { rows } = await world.sql.query<{ name: string; n: number }>(
    `select batch_id || ' ' || event_name as name, count(*)::int as n
       from analytics.events where batch_id is not null group by 1 order by 1`,
  );
  return Object.fromEntries(rows.map(({ name, n }) => [name, n]));
}

const WRONG = { 'wrong feature_used': 57, 'wrong page_viewed': 5, 'wrong signup_completed': 95 };
const RIGHT = { 'right feature_used': 57, 'right page_viewed': 1, 'right signup_completed': 95 };

describe('a day that was replayed wrongly', () => {
  it('goes live', async () => {
    await world.config.editSource('app', wrongTransform);
    const overTheCount = references({ sessions: 100 + HEARTBEATS });
    expect((await submit('wrong', { reason: 'outage', references: overTheCount })).status).toBe(202);
    await publish('wrong');
    expect(await liveNames()).toEqual(WRONG);
  });

  it('is replaced under a name that is known, published and within the window only', async () => {
    const replaces = { batch_id: 'wrong' };
    const narrow = { start: LOST_WINDOW.start, end: '2026-11-04T22:00:00Z' };
    for (const [body, message] of [
      [{ replaces: { batch_id: 'nobody' } }, /no such batch/],
      [{ replaces, source: 'cdn' }, /of the source app/],
      [{ replaces, window: narrow }, /must hold all of wrong's/],
    ] as const) {
      const { status, json } = await submit('refused', { reason: 'reprocess', ...body });
      expect(status).toBe(422);
      expect(json.errors).toEqual([{ path: 'replaces.batch_id', message: expect.stringMatching(message) }]);
    }
    expect((await submit('refused', { reason: 'reprocess' })).json.errors).toEqual([
      { path: 'replaces', message: expect.any(String) },
    ]);
  });

  it('is measured as it will be without the wrong rows, and tells what changes', async () => {
    await world.config.editSource('app', rightTransform);
    const answer = await submit('right', {
      ...{ reason: 'reprocess', references: references(), replaces: { batch_id: 'wrong' } },
    });
    expect(answer.status).toBe(202);
    const batch = await world.rest('right', ['awaiting_publish_approval', 'gates_failed', 'halted', 'failed']);
    expect([batch.status, batch.status_reason]).toEqual(['awaiting_publish_approval', null]);
    const { rows } = await world.sql.query(
      `select plan -> 'replaces' as replaces from analytics.backfill_plans where batch_id = 'right'`,
    );
    expect(rows).toEqual([{ replaces: { batch_id: 'wrong' } }]);

    const gates = await world.gates('right');
    const days = gates.daily_active_sessions?.detail.days as { day: string; live: number; proposed: number }[];
    expect(days.find(({ day }) => day === LOST_DAY)).toMatchObject({ live: 105, proposed: 100 });
    expect(gates.overlap).toMatchObject({ observed: 0 });
    expect(gates.duplicates).toMatchObject({ observed: 0 });
    expect(gates.volume).toMatchObject({ observed: 0, detail: { inserted: 153, expected: 153 } });
    // The heartbeats were later.
    expect(gates.freshness).toMatchObject({ observed: 30, detail: { latest_live: null } });
    const none = { identical: 0, changed: 0, added: 0, gone: 0 };
    const changes = [
      { event_name: 'feature_used', day: LOST_DAY, replaced: 57, proposed: 57, ...none, identical: 57 },
      { event_name: 'page_viewed', day: LOST_DAY, replaced: 5, proposed: 1, ...none, added: 1, gone: 5 },
      { event_name: 'signup_completed', day: LOST_DAY, replaced: 95, proposed: 95, ...none, changed: 95 },
    ];
    expect(gates.replaces).toMatchObject({
      passed: true,
      detail: { replaces: { batch_id: 'wrong' }, rows: 157, changes },
    });
    expect(await view('right')).toMatchObject({
      ...{ replaces: { batch_id: 'wrong' }, replaced_by: null },
      balance: { read: 158, inserted: 153, duplicate: 0, filtered: 5 },
    });
    const { json, text } = await api.call('GET', '/v1/batches/right/report.json', 'viewer');
    const report = json as unknown as Report;
    expect(text).toContain('"replacement"');
    expect(report.replacement).toMatchObject({ rows: 157, changes });
    const page = (await api.call('GET', '/v1/batches/right/report.html', 'viewer')).text;
    expect(page).toContain('The publish puts 153 events in the place of 157 events: the batch wrong in this window');
    const total = (name: 'pre_count' | 'replaced' | 'batch_count') =>
      report.days.reduce((all, day) => all + (day[name] ?? 0), 0);
    // Besides the batch, live ingestion had five sessions with three features.
    expect([total('pre_count'), total('replaced'), total('batch_count')]).toEqual([165, 157, 153]);
  });

  it('is replaced in one step, and cannot be taken back meanwhile', async () => {
    await publish('right');
    expect(await liveNames()).toEqual(RIGHT);
    expect(await view('wrong')).toMatchObject({ status: 'published', replaced_by: 'right' });
    const refused = await api.call('POST', '/v1/batches/wrong/rollback', 'operator', { mode: 'tombstone' });
    expect([refused.status, refused.json.detail]).toEqual([409, expect.stringContaining('replaced by right')]);
    const again = await submit('late', { reason: 'reprocess', replaces: { batch_id: 'wrong' } });
    expect(again.json.errors).toEqual([
      { path: 'replaces.batch_id', message: 'wrong was replaced by right: replace that one' },
    ]);
    const report = await waitFor('the report of what was replaced', async () => {
      const { json } = await api.call('GET', '/v1/batches/wrong/report.json', 'viewer');
      return json.replaced_by === 'right' ? (json as unknown as Report) : undefined;
    });
    expect(report.verdict.sentence).toContain('replaced by right since');
    const { rows } = await world.sql.query<{ event_id: string }>(
      `select event_id from analytics.events_log where replaced_by = 'right' and event_name = 'signup_completed' limit 1`,
    );
    const trace = await api.call('GET', `/v1/events/${encodeURIComponent(rows[0]?.event_id ?? '')}`, 'viewer');
    expect(trace.json).toMatchObject({ state: 'replaced', stored: [{ batch_id: 'wrong', replaced_by: 'right' }] });
    const csv = await api.call('GET', '/v1/batches/right/report.csv', 'viewer');
    expect(csv.text.split('\n')[0]).toBe(
      'batch_id,source,event_name,day,pre_count,staged,duplicates,replaced,batch_count,post_count,basis',
    );
  });

  it('comes back as it was', async () => {
    const answer = await api.call('POST', '/v1/batches/right/rollback', 'operator', { mode: 'snapshot' });
    expect(answer.status).toBe(202);
    await world.rest('right', ['rolled_back']);
    expect(await liveNames()).toEqual(WRONG);
    expect(await view('right')).toMatchObject({
      rollback: { tombstoned: 153, replaced: { revived: 157, suppressed: 0, expired: 0, live: 0 } },
    });
    expect(await view('wrong')).toMatchObject({ status: 'published', replaced_by: null });
  });
});
