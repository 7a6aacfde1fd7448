/** Events of a batch that go through alone before the rest does, unless an import limit says otherwise. */
export const CANARY_EVENTS = 1_000;
/** Unreadable lines after which a canary without a single event is given up. */
const HOPELESS_LINES = 1_000;
/** A canary part grows up to this many lines while nothing becomes an event. */
const MOST_IDLE_LINES = 1_000;
/** A canary with more repeats than this stops the batch: something delivers everything twice. */
const MAX_CANARY_REPEATS = 0.1;
/** Findings of each kind that are told; the others are only counted. */
const MOST_TOLD = 5;

/** What the canary's parts hold so far. */
export interface CanaryProgress {
  events: number;
  quarantined: number;
  /** Lines after the last event. */
  idleLines: number;
}

/**
 * How many lines the canary's next part takes, or undefined when the canary is over: it has its events, or cannot get
 * any. Each part is as long as events are missing, so that the canary ends with exactly as many as wanted; where nothing
 * becomes an event for a while (a file of another day), parts grow, and the canary may end with up to a thousand more.
 *
 * @param wanted events
 */
export function canaryPartLines(
  { events, quarantined, idleLines }: CanaryProgress,
  wanted: number,
): number | undefined {
  if (events >= wanted || isHopeless({ events, quarantined })) return undefined;
  return Math.max(wanted - events, Math.min(idleLines, MOST_IDLE_LINES));
}

/** True when the lines are not of the source: reading on would only fill the quarantine. */
function isHopeless({ events, quarantined }: Pick<CanaryProgress, 'events' | 'quarantined'>): boolean {
  return events === 0 && quarantined >= HOPELESS_LINES;
}

/** What became of the canary's lines, counted in the tables. */
export interface CanaryCounts {
  /** Raw lines of its parts. */
  lines: number;
  quarantined: number;
  /** Why most of the quarantined lines are there. */
  main_reason: string | null;
  /** Events that the transformer made of the lines. */
  expected: number;
  /** Rows in staging. */
  staged: number;
  same_batch: number;
  /** Rows of the transformer's account, of the lineage, and of the quarantine. */
  accepted_rows: number;
  lineage_rows: number;
  quarantine_rows: number;
}

/** What is wrong with staged rows, and with how many of them each. */
export type CanaryFindings = ReadonlyMap<string, number>;

export interface CanaryRows {
  /** Violations of the taxonomy. */
  schema: CanaryFindings;
  /** Personal data: detector and place, never the value. */
  leaks: CanaryFindings;
}

/**
 * What is wrong with a batch's canary, or undefined: unreadable input, lost rows, events that are not as the taxonomy
 * says, personal data, mass repeats. A canary without any event passes: the gates judge the batch.
 *
 * Its repeats are judged leniently, on a thousand lines a few are noise; the gate judges the whole batch.
 */
export function canaryProblem(canary: CanaryCounts, rows: CanaryRows): string | undefined {
  const { lines, quarantined, expected, staged, same_batch: repeats } = canary;
  const isUnreadable = isHopeless({ events: expected, quarantined }) || (lines > 0 && quarantined === lines);
  if (isUnreadable) {
    return `none of the first ${quarantined} lines can be read (${canary.main_reason}): is this the right source?`;
  }
  if (staged !== expected) return `${expected} events were transformed and ${staged} staged`;
  const lost = lostRows(canary);
  if (lost !== undefined) return lost;
  if (rows.schema.size > 0) return `events are not as the taxonomy says: ${tell(rows.schema)}`;
  if (rows.leaks.size > 0) return `personal data was let through: ${tell(rows.leaks)}`;
  if (repeats > staged * MAX_CANARY_REPEATS) return `${repeats} of ${staged} events repeat each other`;
  return undefined;
}

/** The balance of the canary: its lines against the rows that account for them. */
function lostRows(canary: CanaryCounts): string | undefined {
  const accounts = [
    ['accepted lines', canary.expected, canary.accepted_rows],
    ['lines of the lineage', canary.staged, canary.lineage_rows],
    ['quarantined lines', canary.quarantined, canary.quarantine_rows],
  ] as const;
  const wrong = accounts.find(([, counted, stored]) => counted !== stored);
  return wrong && `the balance does not add up: ${wrong[1]} ${wrong[0]} were counted and ${wrong[2]} are stored`;
}

function tell(findings: CanaryFindings): string {
  const told = [...findings].slice(0, MOST_TOLD).map(([finding, rows]) => `${finding} (${rows} events)`);
  const more = findings.size - told.length;
  return more > 0 ? `${told.join('; ')}; and ${more} more` : told.join('; ');
}
