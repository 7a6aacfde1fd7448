import { gzipSync } from 'node:zlib';

/** The day of the made-up events. */
export const WINDOW = { start: '2026-11-01T00:00:00Z', end: '2026-11-02T00:00:00Z' };
const DAY_START_MS = Date.parse(WINDOW.start);
const DAY_MS = 86_400_000;

/** A batch of the suite: lines [from, to) of one endless made-up log, in files. */
export interface ChaosBatch {
  batchId: string;
  from: number;
  to: number;
  /** Taken back once it is published, and then run again. */
  isUndone: boolean;
  /** Begun when this one has claimed what both deliver, and published before it: it takes that over. */
  takesOverFrom?: string;
}

/** The same number gives the same line: events, and now and then what ends otherwise. */
function line(number: number): string {
  if (number % 211 === 17) return '{"half": ';
  // A line that was written twice.
  const record = number % 149 === 31 ? number - 7 : number;
  const name = record % 53 === 5 ? 'Heartbeat' : 'Page Viewed';
  const ts = new Date(DAY_START_MS + ((record * 7_919) % DAY_MS)).toISOString();
  return JSON.stringify({
    id: `r${record}`,
    name,
    ts,
    session: { id: `s${record % 977}` },
    user: { id: `u${record % 331}` },
    client: {
      ip: `192.0.2.${record % 250}`,
      user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0',
    },
    data: { path: `https://app.example.com/page/${record % 1_000}` },
  });
}

function text(from: number, to: number): Buffer {
  const lines: string[] = [];
  for (let number = from; number < to; number += 1) lines.push(line(number));
  return Buffer.from(`${lines.join('\n')}\n`);
}

/**
 * Cuts `lines` into batches of equal size. The last two deliver a third of their lines both; the first is undone and
 * run again, as is every further eighth.
 */
export function cutBatches(lines: number, count: number): ChaosBatch[] {
  const size = Math.ceil(lines / count);
  return Array.from({ length: count }, (_, index) => {
    const shift = index === count - 1 ? Math.floor(size / 3) : 0;
    return {
      batchId: `chaos-${index + 1}`,
      from: index * size - shift,
      to: (index + 1) * size - shift,
      isUndone: index % 8 === 0,
      ...(index === count - 2 && { takesOverFrom: `chaos-${count}` }),
    };
  });
}

/** The files of a batch. */
export function filesOf({ from, to }: ChaosBatch): Record<string, Buffer> {
  const middle = from + Math.floor(((to - from) * 2) / 3);
  return { 'a.ndjson': text(from, middle), 'b.ndjson.gz': gzipSync(text(middle, to)) };
}
