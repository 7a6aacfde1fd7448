import type { GateResult } from '@backfill/core/domain/gate-result';

/** A KPI on one local day, with what it is compared with. */
export interface KpiFigures {
  /** `YYYY-MM-DD` */
  day: string;
  /** See KpiDays. */
  role: 'window' | 'touched' | 'neighbour';
  /** Null: the definition gives nothing for the day. */
  live: number | null;
  proposed: number | null;
  /** What the submission says that it was. */
  reference?: { value: number; source: string } | undefined;
  /** The median of the same weekday in weeks that nothing happened in. */
  median?: { value: number; days: readonly string[] } | undefined;
}

/** How a KPI's deviation is measured. */
export interface KpiMeasure {
  gate: string;
  threshold: number;
  procedure: string;
  /** `relative`: as a share of the baseline; `absolute`: as it is. */
  deviation: 'relative' | 'absolute';
  /** Weeks that were looked through. */
  baselineWeeks: number;
}

const MAX_NAMED_DAYS = 3;

interface JudgedDay extends KpiFigures {
  baseline: number | null;
  baselineSource: string | null;
  /** Null without a baseline. */
  off: number | null;
}

/** A day without a row counts as 0: of no session there is none. */
function deviationOf(measure: KpiMeasure['deviation'], proposed: number | null, baseline: number): number {
  const off = Math.abs((proposed ?? 0) - baseline);
  const deviation = measure === 'absolute' || baseline === 0 ? off : off / baseline;
  // What is exactly at the threshold must not be beyond it by an error of binary fractions.
  return Number(deviation.toPrecision(12));
}

function judgeDay(figures: KpiFigures, measure: KpiMeasure): JudgedDay {
  const { role, proposed, reference, median } = figures;
  if (role !== 'window') return { ...figures, baseline: null, baselineSource: null, off: null };
  const baseline = reference?.value ?? median?.value ?? null;
  const ofMedian = median === undefined ? null : `median of ${median.days.join(', ')}`;
  return {
    ...figures,
    baseline,
    baselineSource: reference?.source ?? ofMedian,
    off: baseline === null ? null : deviationOf(measure.deviation, proposed, baseline),
  };
}

function nameDays(days: readonly JudgedDay[], describe: (day: JudgedDay) => string): string {
  const named = days.slice(0, MAX_NAMED_DAYS).map(describe).join(', ');
  return days.length > MAX_NAMED_DAYS ? `${named} and ${days.length - MAX_NAMED_DAYS} more` : named;
}

const number = (value: number | null) => (value === null ? 'nothing' : String(Number(value.toPrecision(6))));
const against = ({ day, proposed, baseline }: JudgedDay) => `${day} ${number(proposed)} against ${number(baseline)}`;

/**
 * Judges a KPI by its baselines: every day that the window touches by the submission's reference, else by the median of
 * other weeks, which alone is only a warning; and the days that the window cannot touch by themselves: they must stay as
 * they are. What has nothing to be compared with has failed.
 *
 * `needs_override` of the detail: the median is all that keeps it from its verdict, and somebody may let it decide.
 */
export function judgeKpi(figures: readonly KpiFigures[], measure: KpiMeasure): GateResult {
  const { gate, threshold, procedure, baselineWeeks } = measure;
  const days = figures.map((day) => judgeDay(day, measure));
  const inWindow = days.filter(({ role }) => role === 'window');
  const moved = days.filter(({ role, live, proposed }) => role === 'neighbour' && live !== proposed);
  const missing = inWindow.filter(({ off }) => off === null);
  const known = inWindow.filter(({ reference }) => reference !== undefined);
  const beyond = known.filter(({ off }) => off !== null && off > threshold);
  const byMedian = inWindow.filter(({ reference, off }) => reference === undefined && off !== null);
  const measured = inWindow.flatMap(({ off }) => (off === null ? [] : [off]));
  const findings = [
    moved.length > 0 &&
      `${nameDays(moved, ({ day, live, proposed }) => `${day} from ${number(live)} to ${number(proposed)}`)} would move, outside of the window`,
    beyond.length > 0 && `not as the references have it: ${nameDays(beyond, against)}`,
    missing.length > 0 &&
      `nothing to compare ${nameDays(missing, ({ day }) => day)} with: the submission has no reference, and the ` +
        `${baselineWeeks} weeks before have no such weekday with data and without a batch or a freeze. Submit the ` +
        'batch anew, under another id and with references, or declare the KPI in kpi.not_applicable of the policy',
    byMedian.length > 0 &&
      `the median of other weeks is all there is for ${nameDays(byMedian, against)}; an approval of the stage override lets it decide`,
  ].filter((finding) => finding !== false);
  return {
    gate,
    threshold,
    observed: measured.length === 0 ? null : Math.max(...measured),
    passed: findings.length === 0,
    procedure,
    detail: {
      unit: measure.deviation === 'relative' ? 'share of the baseline' : 'difference of shares',
      days: days.map(toDetail),
      needs_override: findings.length === 1 && byMedian.length > 0,
      ...(findings.length > 0 && { why: findings.join('; ') }),
    },
  };
}

function toDetail({ day, role, live, proposed, baseline, baselineSource, off, median }: JudgedDay) {
  return {
    ...{ day, role, in_window: role === 'window', live, proposed, baseline, baseline_source: baselineSource },
    ...(off !== null && { deviation: off }),
    ...(median !== undefined && { median: median.value, median_of: median.days }),
  };
}
