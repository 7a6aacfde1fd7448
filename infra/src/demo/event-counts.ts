import type { Queryable } from '@backfill/core/db/pool';
import { formatCount } from '@backfill/core/text/format-number';
import { formatTable } from '@backfill/core/text/format-table';
import { type DemoRun, lostDay } from './demo-run.ts';

/** What readers of `analytics.events` see of one source on one UTC day. */
export interface DayCount {
  source: string;
  /** `2026-08-05` */
  day: string;
  events: number;
  signups: number;
}

const DAY_MS = 86_400_000;

/** Counts the stored events of the lost day, the day before and the day after. */
export async function countEvents(db: Queryable, run: DemoRun): Promise<DayCount[]> {
  const { startMs, endMs } = lostDay(run);
  const { rows } = await db.query<DayCount>(
    `select given.source, day::date::text as day, count(e.event_id) as events,
            count(*) filter (where e.event_name = 'signup_completed') as signups
       from unnest($1::text[]) as given (source)
      cross join generate_series($2::timestamptz, $3::timestamptz, interval '1 day') as day
       left join analytics.events e
              on e.source = given.source and e.event_ts >= day and e.event_ts < day + interval '1 day'
      group by given.source, day
      order by given.source, day`,
    [['app', 'web-access'], new Date(startMs - DAY_MS).toISOString(), new Date(endMs).toISOString()],
  );
  return rows;
}

/** The counts before and after, one source and day a line, without those that stayed empty. */
export function formatEventCounts(run: DemoRun, before: readonly DayCount[], after: readonly DayCount[]): string[] {
  const rows = after
    .map((now, index) => ({ now, was: before[index] ?? { ...now, events: 0, signups: 0 } }))
    .filter(({ now, was }) => now.events > 0 || was.events > 0)
    .map(({ now, was }) => [
      now.day === run.day ? `${now.day} (lost)` : now.day,
      now.source,
      formatCount(was.events),
      formatCount(now.events),
      formatCount(was.signups),
      formatCount(now.signups),
    ]);
  return formatTable(
    [
      { heading: 'day', align: 'left' },
      { heading: 'source', align: 'left' },
      { heading: 'events before', align: 'right' },
      { heading: 'after', align: 'right' },
      { heading: 'sign-ups before', align: 'right' },
      { heading: 'after', align: 'right' },
    ],
    rows,
  );
}
