import { formatCount, formatMeasure } from '../text/format-number.ts';

/** What a gate's number is, for people. */
export interface GateMeaning {
  title: string;
  /** What has been proven when it passes. */
  proves: string;
  unit: 'count' | 'share' | 'points' | 'minutes';
  /** True where the number has to be at least the threshold, else at most. */
  isAtLeast?: true;
}

const MEANINGS: Record<string, GateMeaning> = {
  balance: { title: 'Balance', proves: 'Every raw line ended in exactly one outcome, in every file.', unit: 'count' },
  recount: {
    title: 'Recount',
    proves: 'Each line of the mirror, read a second time by other code, is what the ledger says.',
    unit: 'count',
  },
  sample: {
    title: 'Sample',
    proves: 'Events drawn at random are what their raw line gives, byte for byte.',
    unit: 'count',
  },
  duplicates: { title: 'Duplicates', proves: 'Hardly any event came twice in this batch.', unit: 'share' },
  overlap: { title: 'Overlap', proves: 'Hardly any event had come before, live or in another batch.', unit: 'share' },
  schema: { title: 'Schema', proves: 'Every stored event fits its schema.', unit: 'share', isAtLeast: true },
  identity: {
    title: 'Identity',
    proves: 'Every event id is computed from its row, and none stands twice.',
    unit: 'count',
  },
  replaces: {
    title: 'Replacement',
    proves: 'What the batch replaces is there to be replaced.',
    unit: 'count',
  },
  volume: { title: 'Volume', proves: 'As many events as were expected are there.', unit: 'share' },
  freshness: { title: 'Freshness', proves: 'The latest event lies close to the end of the window.', unit: 'minutes' },
  visibility: { title: 'Visibility', proves: 'Readers saw the events soon after the go.', unit: 'minutes' },
  daily_active_sessions: {
    title: 'Daily active sessions',
    proves: 'Each local day has as many sessions as its baseline.',
    unit: 'share',
  },
  activation_funnel: {
    title: 'Activation funnel',
    proves: 'As large a share of each cohort converts as in its baseline.',
    unit: 'points',
  },
};

/** The meaning of a gate; of one that this version does not know, its name and a plain number. */
export function gateMeaning(gate: string): GateMeaning {
  if (Object.hasOwn(MEANINGS, gate)) return MEANINGS[gate] as GateMeaning;
  return { title: gate.replaceAll('_', ' '), proves: '', unit: 'count' };
}

/** A gate's number with its unit: `0.02 %`, `3`, `12 min`. */
export function formatObserved({ unit }: GateMeaning, value: number | null): string {
  if (value === null || unit === 'count') return formatMeasure(value);
  if (unit === 'minutes') return `${formatMeasure(Number(value.toPrecision(4)))}\u00a0min`;
  return `${formatMeasure(Number((value * 100).toPrecision(4)))}\u00a0${unit === 'share' ? '%' : 'pp'}`;
}

/** What a gate allows: `at most 0.1 %`. */
export function formatAllowed(meaning: GateMeaning, threshold: number): string {
  if (meaning.unit === 'count' && threshold === 0) return 'none';
  return `at ${meaning.isAtLeast ? 'least' : 'most'} ${formatObserved(meaning, threshold)}`;
}

/** A count that is short enough for an axis: `12k`, `3.4M`. */
export function formatShort(value: number): string {
  for (const [unit, size] of [
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const) {
    if (Math.abs(value) >= size) return `${Number((value / size).toPrecision(3))}${unit}`;
  }
  return Number.isInteger(value) ? formatCount(value) : String(Number(value.toPrecision(3)));
}
