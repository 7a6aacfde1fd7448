import { z } from 'zod';

const count = z.int();

/** Events of one type on one UTC day, compared with what they replace. */
export const ReplacementChange = z.object({
  event_name: z.string(),
  /** `YYYY-MM-DD`, or `YYYY-MM` where there are too many days to tell. */
  day: z.string(),
  replaced: count,
  proposed: count,
  /** The same ids. */
  identical: count,
  /** Of the same time, type and session, with another payload. */
  changed: count,
  added: count,
  gone: count,
});
export type ReplacementChange = z.infer<typeof ReplacementChange>;

const COUNTS = ['replaced', 'proposed', 'identical', 'changed', 'added', 'gone'] as const;
export type ChangeCounts = Record<(typeof COUNTS)[number], number>;

/** More of them than this are summed up by month: they stand in every view of their batch. */
const MAX_CHANGES = 2_000;

/** The sum of some of them; all zero for none. */
export function sumChanges(changes: readonly ChangeCounts[]): ChangeCounts {
  const sum = (name: (typeof COUNTS)[number]) => changes.reduce((total, change) => total + change[name], 0);
  return Object.fromEntries(COUNTS.map((name) => [name, sum(name)])) as ChangeCounts;
}

/** Changes by type and whatever of their day is asked for, in the order of both. */
function sumBy(changes: readonly ReplacementChange[], part: (day: string) => string): ReplacementChange[] {
  const groups = Map.groupBy(changes, ({ event_name, day }) => JSON.stringify([event_name, part(day)]));
  return [...groups].map(([key, group]) => {
    const [event_name, day] = JSON.parse(key) as [string, string];
    return { event_name, day, ...sumChanges(group) };
  });
}

/** By type and day; of very long windows with very many types by type and month. */
export function foldChanges(changes: readonly ReplacementChange[], max = MAX_CHANGES): readonly ReplacementChange[] {
  return changes.length <= max ? changes : sumBy(changes, (day) => day.slice(0, 7));
}

/** By type. */
export function changesByType(changes: readonly ReplacementChange[]): ({ event_name: string } & ChangeCounts)[] {
  return sumBy(changes, () => '').map(({ day: _all, ...rest }) => rest);
}

/** What the gate `replaces` puts into its detail. */
export const ReplacementDetail = z.object({
  replaces: z.union([z.object({ batch_id: z.string() }), z.object({ live: z.literal(true) })]),
  /** Rows that go. */
  rows: count,
  /** Number and sum of hashes of their ids. */
  fingerprint: z.string(),
  changes: z.array(ReplacementChange),
});
export type ReplacementDetail = z.infer<typeof ReplacementDetail>;

/** What a batch replaces, by its gates; undefined where nothing, or where it was not measured. */
export function findReplacement(gates: readonly { gate: string; detail?: unknown }[]): ReplacementDetail | undefined {
  const found = gates.find(({ gate }) => gate === 'replaces');
  return found === undefined ? undefined : ReplacementDetail.safeParse(found.detail).data;
}
