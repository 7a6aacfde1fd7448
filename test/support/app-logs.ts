import { gunzipSync, gzipSync } from 'node:zlib';
import { generateAppLog } from '@backfill/core/generate/app-log';

const DAY = '2026-11-01';

/** The window that the logs of {@link appLogs} are for. */
export const APP_WINDOW = { start: `${DAY}T00:00:00Z`, end: '2026-11-02T00:00:00Z' };

/** Lines of a made-up app, the same for the same number of sessions: about seven events each, repeats and bad lines. */
export function appLines(sessions: number): string[] {
  const files = [...generateAppLog({ seed: 'test', day: DAY, windowHours: 24, sessionsPerDay: sessions })];
  const lines = files.flatMap((file) => gunzipSync(file.bytes).toString('utf8').split('\n').slice(0, -1));
  return [...lines.slice(0, 20), 'not json', '{"half": ', ...lines.slice(20), ...lines.slice(5, 8)];
}

/** The lines as a batch's files: the first half as plain text, the second compressed. */
export function appLogs(sessions: number): Record<string, Buffer> {
  const lines = appLines(sessions);
  const half = Math.floor(lines.length / 2);
  const text = (part: string[]) => Buffer.from(part.map((line) => `${line}\n`).join(''));
  return { 'a.ndjson': text(lines.slice(0, half)), 'b.ndjson.gz': gzipSync(text(lines.slice(half))) };
}
