import type { Client } from '@backfill/core/db/pool';
import { listAffectedWindows } from '@backfill/core/db/queries/affected-window-list';
import { type KpiDay, KpiDefinitionError, kpiStatement, listKpiDays } from '@backfill/core/db/queries/kpi-days-list';
import type { BatchReader } from '@backfill/core/dispatch/read-for-batch';
import type { GateResult } from '@backfill/core/domain/gate-result';
import type { KpiName } from '@backfill/core/domain/kpi';
import { localDay, localDaySpan } from '@backfill/core/domain/local-days';
import type { Plan, PlannedKpis } from '@backfill/core/plan/plan';
import {
  allKpiDays,
  chooseKpiDays,
  daySpan,
  joinSpans,
  type KpiDays,
  median,
  unaffectedDays,
} from '../kpi/kpi-days.ts';
import { judgeKpi, type KpiFigures, type KpiMeasure } from '../kpi/kpi-verdict.ts';
import { orUnmeasuredOne, unmeasured } from './unmeasured-gate.ts';

const HOUR_MS = 3_600_000;

/** A KPI cannot be measured for a reason that a person can mend. */
class KpiSetupError extends Error {
  override readonly name = 'KpiSetupError';
}

interface KpiKind {
  name: KpiName;
  deviation: KpiMeasure['deviation'];
  /**
   * How long after its day something counts for it, in ms.
   *
   * @param nowMs ms since 1970
   */
  reachMs(plan: Plan, kpis: PlannedKpis, lastDayEndMs: number, nowMs: number): number;
}

const SESSIONS: KpiKind = { name: 'daily_active_sessions', deviation: 'relative', reachMs: () => 0 };

const FUNNEL: KpiKind = {
  name: 'activation_funnel',
  deviation: 'absolute',
  reachMs({ recipe }, { funnel }, lastDayEndMs, nowMs) {
    const { source } = recipe.source;
    if (funnel === undefined) {
      throw new KpiSetupError(
        `the policy names no kpi.funnel: name its steps, or declare activation_funnel in ` +
          `kpi.not_applicable.sources.${source}`,
      );
    }
    // All cohorts at the age that the youngest one of the window has reached.
    const ageMs = Math.min(funnel.window_hours * HOUR_MS, nowMs - lastDayEndMs);
    if (ageMs >= HOUR_MS) return ageMs;
    const from = new Date(lastDayEndMs + HOUR_MS).toISOString();
    throw new KpiSetupError(`the cohort of the window's last day is not an hour old: verify again after ${from}`);
  },
};

/**
 * The KPI gates of a batch; none where its plan is from before there were any.
 *
 * @param nowMs the moment that cohorts are as old as, in ms since 1970: a figure that people have decided about is measured
 *   again as it was then, or it would be another one each time
 */
export async function measureKpis(read: BatchReader, plan: Plan, nowMs: number): Promise<GateResult[]> {
  const { kpi, gates } = plan.policy;
  if (kpi === undefined) return [];
  return [
    ...(await measureKpi(read, plan, { kpis: kpi, kind: SESSIONS, nowMs }, gates.daily_active_sessions)),
    ...(await measureKpi(read, plan, { kpis: kpi, kind: FUNNEL, nowMs }, gates.activation_conversion)),
  ];
}

interface KpiQuestion {
  kpis: PlannedKpis;
  kind: KpiKind;
  nowMs: number;
}

async function measureKpi(
  read: BatchReader,
  plan: Plan,
  question: KpiQuestion,
  threshold: number | undefined,
): Promise<GateResult[]> {
  const { kpis, kind } = question;
  const why = kpis.not_applicable[kind.name];
  return orUnmeasuredOne(kind.name, threshold, async (allowed) => {
    if (why !== undefined) return notApplicable(kind.name, allowed, why);
    try {
      return await compare(read, plan, question, allowed);
    } catch (error) {
      if (!(error instanceof KpiSetupError || error instanceof KpiDefinitionError)) throw error;
      return unmeasured(kind.name, allowed, error.message);
    }
  });
}

function notApplicable(gate: string, threshold: number, why: string): GateResult {
  return { gate, threshold, observed: 0, passed: true, procedure: 'none', detail: { not_applicable: why } };
}

async function compare(
  read: BatchReader,
  plan: Plan,
  { kpis, kind, nowMs }: KpiQuestion,
  threshold: number,
): Promise<GateResult> {
  const { window } = plan.recipe;
  const { time_zone: timeZone, neighbour_days: neighbourDays, baseline_weeks: baselineWeeks } = kpis;
  const lastDay = localDay(window.endMs - 1, timeZone);
  const reachMs = kind.reachMs(plan, kpis, localDaySpan(lastDay, timeZone).endMs, nowMs);
  const chosen = chooseKpiDays(window, { timeZone, reachMs, neighbourDays, baselineWeeks });
  const { days, values } = await read((client) => computeDays(client, plan, kpis, kind.name, chosen, reachMs));
  const references = kpis.references.filter(({ kpi }) => kpi === kind.name);
  const figuresOf = (day: string, role: KpiFigures['role']) => {
    const { live = null, proposed = null } = values.get(day) ?? {};
    return { day, role, live, proposed };
  };
  const figures: KpiFigures[] = [
    ...days.window.map((day) => ({
      ...figuresOf(day, 'window'),
      reference: references.find((reference) => reference.day === day),
      median: medianOf(days.weeks.get(day) ?? [], (week) => values.get(week)?.live ?? null),
    })),
    ...days.touched.map((day) => figuresOf(day, 'touched')),
    ...days.neighbours.map((day) => figuresOf(day, 'neighbour')),
  ];
  requireSessions(plan, kind, figures);
  const judged = judgeKpi(
    figures.toSorted((a, b) => (a.day < b.day ? -1 : 1)),
    {
      ...{ gate: kind.name, threshold, baselineWeeks, deviation: kind.deviation },
      procedure: kpiStatement(kpis.definitions[kind.name]),
    },
  );
  return { ...judged, detail: { ...judged.detail, as_of: new Date(nowMs).toISOString() } };
}

/** Computes the KPI on the chosen days, but for the weeks in which something happened. */
async function computeDays(
  client: Client,
  { batchId, recipe, replaces }: Plan,
  kpis: PlannedKpis,
  kpi: KpiName,
  chosen: KpiDays,
  reachMs: number,
): Promise<{ days: KpiDays; values: ReadonlyMap<string, KpiDay> }> {
  const { source } = recipe.source;
  const { time_zone: timeZone, funnel, timeout_seconds: timeoutSeconds } = kpis;
  const spansOf = (days: KpiDays) => joinSpans(allKpiDays(days).map((day) => daySpan(day, timeZone, reachMs)));
  const all = spansOf(chosen);
  const whole = { startMs: all[0]?.startMs ?? 0, endMs: all.at(-1)?.endMs ?? 0 };
  const affected = await listAffectedWindows(client, { batchId, source, ...whole });
  const weeks = [...chosen.weeks].map(([day, candidates]) => {
    return [day, unaffectedDays(candidates, affected, { timeZone, reachMs })] as const;
  });
  const days = { ...chosen, weeks: new Map(weeks) };
  const values = await listKpiDays(client, {
    ...{ batchId, source, timeZone, timeoutSeconds },
    definition: kpis.definitions[kpi],
    spans: spansOf(days),
    funnelSteps: funnel?.steps ?? [],
    funnelWindowMs: reachMs,
    replaced: { source, ...recipe.window, replaces },
  });
  return { days, values };
}

/** Where a source can have no sessions, that is what to tell. */
function requireSessions({ recipe }: Plan, { name }: KpiKind, figures: readonly KpiFigures[]): void {
  const { source, mapping } = recipe.source;
  if (name !== 'daily_active_sessions' || mapping.session_id !== undefined) return;
  if (figures.some(({ live, proposed }) => live !== null || proposed !== null)) return;
  throw new KpiSetupError(
    `the source ${source} maps no session_id, so it has no sessions: declare ${name} in ` +
      `kpi.not_applicable.sources.${source} of the policy`,
  );
}

/** Of the days that have data. */
function medianOf(candidates: readonly string[], read: (day: string) => number | null): KpiFigures['median'] {
  const days = candidates.filter((day) => read(day) !== null);
  const value = median(days.map((day) => read(day) ?? 0));
  return value === undefined ? undefined : { value, days };
}
