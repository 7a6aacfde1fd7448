import type { Client } from '../pool.ts';
import { limitStatements } from './limit-statements.ts';
import { isReplaced, type ReplacedSpan, replacedValues } from './replaced-rows.ts';

/** A KPI to be computed for a batch that is not published. */
export interface KpiQuestion {
  batchId: string;
  source: string;
  /** A SELECT that gives `day` and `value`; see `packages/core/kpi`. */
  definition: string;
  /** The times whose events it gets to see, in ms since 1970, apart from one another. */
  spans: readonly { startMs: number; endMs: number }[];
  timeZone: string;
  funnelSteps: readonly string[];
  funnelWindowMs: number;
  timeoutSeconds: number;
  /** What readers would not see any more after the publish. */
  replaced: ReplacedSpan;
}

/** What a KPI is on a local day, and what it would be after the publish; null where the definition gives nothing. */
export interface KpiDay {
  live: number | null;
  proposed: number | null;
}

/** A definition gave what is no series of numbers by day. */
export class KpiDefinitionError extends Error {
  override readonly name = 'KpiDefinitionError';
}

const EVENT_COLUMNS = 'event_id, event_name, event_ts, session_id, subject_id, payload';

// Span by span, so that only the partitions of these days are read: what is not fenced off would be one join with all.
const live = (condition: string) => `
  select ${EVENT_COLUMNS}
    from unnest($3::timestamptz[], $4::timestamptz[]) as span (starts, ends)
   cross join lateral (
     select ${EVENT_COLUMNS} from analytics.events_log e
      where e.source = $2 and e.deleted_at is null and e.event_ts >= span.starts and e.event_ts < span.ends ${condition}
     offset 0) as live`;

const STAYING = live(`and not ${isReplaced('$8', '$9', '$10', '$11')}`);

const TO_PUBLISH = `
  select ${EVENT_COLUMNS} from analytics.backfill_rows_to_publish where batch_id = $1`;

const series = (name: string, events: string, definition: string) => `
select '${name}' as series, (definition.day::date)::text as day, definition.value::float8 as value from (
with kpi_events as (${events})
select * from (
${definition}
) as of_user
) as definition`;

/**
 * The statement that a definition is run in: over the live events, and over those that stay with those to come, at once, so
 * that both are of one moment.
 */
export function kpiStatement(definition: string): string {
  return `with kpi_settings (time_zone, funnel_steps, funnel_window) as (
  select $5::text, $6::text[], make_interval(secs => $7::float8 / 1000)
)${series('live', live(''), definition)}
union all${series('proposed', `${STAYING}\n   union all${TO_PUBLISH}`, definition)}`;
}

interface Row {
  series: 'live' | 'proposed';
  day: string | null;
  value: number | null;
}

/**
 * Has PostgreSQL read a definition without running it.
 *
 * @throws what PostgreSQL says of a definition that it does not understand, or that gives neither `day` nor `value`
 */
export async function explainKpi(client: Client, definition: string): Promise<void> {
  await client.query('set transaction read only');
  await client.query(`explain ${kpiStatement(definition)}`, ['', '', [], [], 'UTC', [], 0, false, null, null, null]);
}

/**
 * Computes a KPI from the live events as they are, and from those with the batch's rows to publish. The text is the
 * user's: it runs read-only, for a limited time, and what it sets in the session is undone.
 *
 * @param client in a transaction, which can only read from here on
 * @throws {KpiDefinitionError} when it gives a day twice, or what is no number from 0 on
 */
export async function listKpiDays(client: Client, question: KpiQuestion): Promise<ReadonlyMap<string, KpiDay>> {
  const { batchId, source, spans, timeZone, funnelSteps, funnelWindowMs, timeoutSeconds } = question;
  await client.query('set transaction read only');
  await client.query('savepoint kpi');
  await limitStatements(client, timeoutSeconds);
  const { rows } = await client.query<Row>(kpiStatement(question.definition), [
    batchId,
    source,
    spans.map(({ startMs }) => new Date(startMs).toISOString()),
    spans.map(({ endMs }) => new Date(endMs).toISOString()),
    timeZone,
    funnelSteps,
    funnelWindowMs,
    ...replacedValues(question.replaced),
  ]);
  await client.query('rollback to savepoint kpi');
  const days = new Map<string, KpiDay>();
  for (const { series: name, day, value } of rows) {
    if (day === null) throw new KpiDefinitionError('the definition gives a row without a day');
    const known = days.get(day) ?? { live: null, proposed: null };
    if (known[name] !== null) throw new KpiDefinitionError(`the definition gives ${day} more than once`);
    if (value !== null && !(Number.isFinite(value) && value >= 0)) {
      throw new KpiDefinitionError(`the definition gives no number from 0 on for ${day}`);
    }
    days.set(day, { ...known, [name]: value });
  }
  return days;
}
