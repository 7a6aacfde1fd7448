import type { DayCount } from './report.ts';

/** Events of a day, or of a type, before the batch, taken away by it, and added by it. */
export interface Totals {
  before: number;
  replaced: number;
  added: number;
}

export interface DayTotal extends Totals {
  day: string;
}

export interface TypeTotal extends Totals {
  event_name: string;
}

/** More days than this without a single event are not filled in. */
const MAX_DAYS = 1_000;
const DAY_MS = 86_400_000;

/** Events per day over all types, without a gap between the first and the last day that has any. */
export function totalsByDay(counts: readonly DayCount[]): DayTotal[] {
  const totals = new Map<string, Totals>();
  for (const count of counts) add(totals, count.day, count);
  const days = [...totals.keys()].sort();
  const [first = '', last = ''] = [days[0], days.at(-1)];
  const span = (Date.parse(last) - Date.parse(first)) / DAY_MS;
  if (!(span < MAX_DAYS)) return days.map((day) => ({ day, ...totalOf(totals, day) }));
  return Array.from({ length: span + 1 }, (_, at) => {
    const day = new Date(Date.parse(first) + at * DAY_MS).toISOString().slice(0, 10);
    return { day, ...totalOf(totals, day) };
  });
}

/** Events per type over all days, the most of them first. */
export function totalsByType(counts: readonly DayCount[]): TypeTotal[] {
  const totals = new Map<string, Totals>();
  for (const count of counts) add(totals, count.event_name, count);
  return [...totals]
    .map(([event_name, total]) => ({ event_name, ...total }))
    .sort((a, b) => b.before + b.added - a.before - a.added || (a.event_name < b.event_name ? -1 : 1));
}

function add(totals: Map<string, Totals>, key: string, { pre_count, replaced = 0, batch_count }: DayCount): void {
  const total = totalOf(totals, key);
  totals.set(key, {
    before: total.before + pre_count,
    replaced: total.replaced + replaced,
    added: total.added + batch_count,
  });
}

function totalOf<Key>(totals: ReadonlyMap<Key, Totals>, key: Key): Totals {
  return totals.get(key) ?? { before: 0, replaced: 0, added: 0 };
}
