import { z } from 'zod';
import { KPI_NAMES } from '../domain/kpi.ts';
import { SOURCE_NAME } from '../domain/source-name.ts';
import { EVENT_NAME } from './taxonomy.ts';

const timeZone = z.string().refine(isTimeZone, 'is not a time zone of the IANA database');

/** Gate → why the source cannot have this KPI. */
const notApplicable = z.partialRecord(z.enum(KPI_NAMES), z.string().min(1).max(500));

/** `kpi` in policy.yaml: what the KPI gates are measured by. */
export const kpiPolicySchema = z.strictObject({
  /** Where the organisation's day begins and ends. */
  time_zone: timeZone,
  /** What somebody does who has found their way; without it no activation can be measured. */
  funnel: z
    .strictObject({
      /** Names of events, in order. */
      steps: z.array(z.string().regex(EVENT_NAME)).min(2).max(20),
      /** All steps within so many hours of the first. */
      window_hours: z.int().min(1).max(744),
    })
    .refine(({ steps }) => new Set(steps).size === steps.length, { path: ['steps'], message: 'names a step twice' })
    .optional(),
  /** How many weeks before the window the same weekdays are looked up in. */
  baseline_weeks: z.int().min(1).max(52).default(4),
  /** Days on each side of the window whose figures must not move. */
  neighbour_days: z.int().min(1).max(31).default(2),
  /** When a KPI's query is given up. */
  timeout_seconds: z.int().min(1).max(3_600).default(120),
  /** KPIs that no source has, or a single one, each with the reason. */
  not_applicable: z
    .strictObject({
      default: notApplicable.default({}),
      sources: z.record(z.string().regex(SOURCE_NAME), notApplicable).default({}),
    })
    .prefault({}),
});

export type KpiPolicy = z.infer<typeof kpiPolicySchema>;

/** The KPIs that a source cannot have, with the reasons. */
export function inapplicableKpis({ not_applicable }: KpiPolicy, source: string): z.infer<typeof notApplicable> {
  return { ...not_applicable.default, ...not_applicable.sources[source] };
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
