/** The KPIs that are proven before a publish; each has a definition and a gate of its own name. */
export const KPI_NAMES = ['daily_active_sessions', 'activation_funnel'] as const;
export type KpiName = (typeof KPI_NAMES)[number];

/** What a KPI was on one local day, by the books of somebody else: given with the submission. */
export interface KpiReference {
  kpi: KpiName;
  /** `YYYY-MM-DD`, in the KPIs' time zone. */
  day: string;
  value: number;
  /** Where the number comes from. */
  source: string;
}

/** True for the name of a KPI. */
export function isKpiName(name: string): name is KpiName {
  return (KPI_NAMES as readonly string[]).includes(name);
}
