import { localDaySpan, localDaysOf, shiftDay, weekday } from '@backfill/core/domain/local-days';

/** `[startMs, endMs)`, in ms since 1970. */
export interface Span {
  startMs: number;
  endMs: number;
}

/** The local days that a KPI is measured on, each for a reason of its own. */
export interface KpiDays {
  /** Those that the batch's window touches. */
  window: string[];
  /** Those before it that are not over when it begins: cohorts whose later steps may lie in it. */
  touched: string[];
  /** Those on both sides that it cannot touch. */
  neighbours: string[];
  /** For each day of the window the same weekdays of the weeks before. */
  weeks: ReadonlyMap<string, string[]>;
}

const WEEK = 7;

const overlap = (a: Span, b: Span) => a.startMs < b.endMs && b.startMs < a.endMs;

/** A day with what counts for it: a cohort's later steps may come so long after it. */
export function daySpan(day: string, timeZone: string, reachMs: number): Span {
  const { startMs, endMs } = localDaySpan(day, timeZone);
  return { startMs, endMs: endMs + reachMs };
}

/**
 * Chooses the days that a KPI is measured on.
 *
 * @param reachMs how long after a day something may happen that counts for it: the funnel's window, else 0
 */
export function chooseKpiDays(
  window: Span,
  options: { timeZone: string; reachMs: number; neighbourDays: number; baselineWeeks: number },
): KpiDays {
  const { timeZone, reachMs, neighbourDays, baselineWeeks } = options;
  const inWindow = localDaysOf(window, timeZone);
  const [first = '', last = ''] = [inWindow[0], inWindow.at(-1)];
  const touched: string[] = [];
  let before = shiftDay(first, -1);
  for (; daySpan(before, timeZone, reachMs).endMs > window.startMs; before = shiftDay(before, -1)) {
    touched.unshift(before);
  }
  const steps = Array.from({ length: neighbourDays }, (_, index) => index);
  const neighbours = [
    ...steps.map((index) => shiftDay(before, -index)).reverse(),
    ...steps.map((index) => shiftDay(last, 1 + index)),
  ];
  const weeks = new Map(
    inWindow.map((day) => {
      const latest = shiftDay(before, -((weekday(before) - weekday(day) + WEEK) % WEEK));
      return [day, Array.from({ length: baselineWeeks }, (_, week) => shiftDay(latest, -WEEK * week))];
    }),
  );
  return { window: inWindow, touched, neighbours, weeks };
}

/** All days that are to be computed, each once. */
export function allKpiDays({ window, touched, neighbours, weeks }: KpiDays): string[] {
  return [...new Set([...window, ...touched, ...neighbours, ...[...weeks.values()].flat()])].sort();
}

/** The spans of these days, joined where they meet. */
export function joinSpans(spans: readonly Span[]): Span[] {
  const joined: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.startMs - b.startMs)) {
    const last = joined.at(-1);
    if (last === undefined || span.startMs > last.endMs) joined.push({ ...span });
    else last.endMs = Math.max(last.endMs, span.endMs);
  }
  return joined;
}

/** The days in whose span nothing was lost, repaired or frozen. */
export function unaffectedDays(
  days: readonly string[],
  affected: readonly Span[],
  { timeZone, reachMs }: { timeZone: string; reachMs: number },
): string[] {
  return days.filter((day) => {
    const span = daySpan(day, timeZone, reachMs);
    return !affected.some((window) => overlap(span, window));
  });
}

/** The middle of these numbers, of an even number of them the mean of the two in the middle. */
export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  return upper === undefined || lower === undefined ? undefined : (lower + upper) / 2;
}
