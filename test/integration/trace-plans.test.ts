import { TRACED_HANDOVERS_SQL } from '@backfill/core/db/queries/event-trace-handover-list';
import { TRACED_LINES_SQL } from '@backfill/core/db/queries/event-trace-line-list';
import { TRACED_LOSERS_SQL } from '@backfill/core/db/queries/event-trace-loser-list';
import { KEY_OWNER_SQL } from '@backfill/core/db/queries/event-trace-owner-get';
import { STORED_ROWS_SQL } from '@backfill/core/db/queries/event-trace-stored-list';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestEnvironment, type TestEnvironment } from '../support/environment.ts';

// However much there is, a trace reads a few pages of each table: what is asserted is the plan, and what it reads.
const EVENTS = 60_000;
const MOST_PAGES = 120;
const [EARLY, LATE] = [700, EVENTS - 700];

let environment: TestEnvironment;
const events: { event_id: string; event_ts: Date }[] = [];

const NUMBERED = `
  select n, ts, 'app:' || to_char(ts at time zone 'UTC', 'YYYYMMDDHH24MISSMS') || ':\\x' || encode(sha256(n::text::bytea), 'hex') as id
    from (select n, timestamptz '2026-11-01T00:00:00Z' + n * interval '1 second' as ts from generate_series(1, ${EVENTS}) n) s`;

beforeAll(async () => {
  environment = await createTestEnvironment();
  const client = await environment.sql.connect();
  try {
    await client.query(`select analytics.ensure_event_day('2026-11-01')`);
    // Only what a trace looks at: no batch has really done this.
    await client.query('set session_replication_role = replica');
    await client.query(`
      create temporary table numbered as ${NUMBERED};
      insert into analytics.backfill_lineage (batch_id, event_id, source_file, line_no)
        select 'b' || n % 3, id, 'a.log', n from numbered;
      insert into analytics.backfill_event_checkpoint (event_id, batch_id) select id, 'b' || n % 3 from numbered;
      insert into analytics.backfill_losers (loser_batch_id, event_id) select 'b' || n % 3, id from numbered;
      insert into analytics.backfill_live_losses (event_id, event_ts, schema_version) select id, ts, '1-0-0' from numbered;
      insert into analytics.backfill_handovers (from_batch_id, from_attempt, event_id, is_suppressed)
        select 'b' || n % 3, 1, id, false from numbered;
      insert into analytics.events_log (event_id, source, event_name, schema_version, event_ts, payload, batch_id, deleted_at)
        select id, 'app', 'x', '1-0-0', ts, '{}', 'b0', now() from numbered;
      insert into analytics.events_log (event_id, source, event_name, schema_version, event_ts, payload)
        select id, 'app', 'x', '1-0-0', ts, '{}' from numbered;`);
    await client.query('vacuum analyze');
    const { rows } = await client.query('select id as event_id, ts as event_ts from numbered where n in ($1, $2)', [
      EARLY,
      LATE,
    ]);
    events.push(...rows);
  } finally {
    client.release(true);
  }
}, 120_000);
afterAll(() => environment.dispose());

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
  Plans?: PlanNode[];
}

const nodesOf = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

/** Tables that hold something for each event; whatever else a trace reads has a row for each file or each batch. */
const LARGE = /^(backfill_(lineage|event_checkpoint|losers|live_losses|handovers)|events_log_2026.*)$/;

describe.each([
  ['its lines', TRACED_LINES_SQL, 1, ['backfill_lineage']],
  ['its stored rows', STORED_ROWS_SQL, 2, ['events_log_20261101']],
  ['its losers', TRACED_LOSERS_SQL, 1, ['backfill_losers', 'backfill_live_losses']],
  ['its handovers', TRACED_HANDOVERS_SQL, 1, ['backfill_handovers']],
  ['its owner', KEY_OWNER_SQL, 1, ['backfill_event_checkpoint']],
])('a trace finds %s', (_what, statement, parameters, relations) => {
  it('by an index, in a few pages', async () => {
    for (const { event_id, event_ts } of events) {
      const { rows } = await environment.sql.query(
        `explain (analyze, buffers, format json) ${statement}`,
        [event_id, event_ts].slice(0, parameters),
      );
      const root: PlanNode = rows[0]['QUERY PLAN'][0].Plan;
      const large = nodesOf(root).filter((node) => LARGE.test(node['Relation Name'] ?? ''));
      expect(large.map((node) => node['Node Type']).filter((type) => type === 'Seq Scan')).toEqual([]);
      expect(new Set(large.map((node) => node['Relation Name']))).toEqual(new Set(relations));
      expect(root['Shared Hit Blocks'] + root['Shared Read Blocks']).toBeLessThan(MOST_PAGES);
    }
  });
});
