import type { KpiReference } from './kpi.ts';
import { localDaysOf } from './local-days.ts';

/** A member of the list of references that cannot be taken. */
export interface ReferenceProblem {
  index: number;
  field: 'day' | 'value';
  message: string;
}

/** What is wrong with single values, and which contradict one another. */
export function referenceProblems(references: readonly KpiReference[]): ReferenceProblem[] {
  const first = new Map<string, { value: number; index: number }>();
  return references.flatMap(({ kpi, day, value }, index): ReferenceProblem[] => {
    if (value < 0) return [{ index, field: 'value', message: 'is negative' }];
    if (kpi === 'activation_funnel' && value > 1) {
      return [{ index, field: 'value', message: 'is a share from 0 to 1, not per cent' }];
    }
    const earlier = first.get(`${kpi} ${day}`);
    if (earlier === undefined) first.set(`${kpi} ${day}`, { value, index });
    if (earlier === undefined || earlier.value === value) return [];
    const message = `contradicts references.${earlier.index}.value: both are for ${kpi} on ${day}`;
    return [{ index, field: 'value', message }];
  });
}

/**
 * The references for days that the window does not touch.
 *
 * @param timeZone the KPIs'
 */
export function referencesOutside(
  references: readonly Pick<KpiReference, 'day'>[],
  window: { startMs: number; endMs: number },
  timeZone: string,
): ReferenceProblem[] {
  if (references.length === 0) return [];
  const days = localDaysOf(window, timeZone);
  const message = `is not a day of the window, which is ${days[0]} to ${days.at(-1)} in ${timeZone}`;
  return references.flatMap(({ day }, index) => (days.includes(day) ? [] : [{ index, field: 'day', message }]));
}
