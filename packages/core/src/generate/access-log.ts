import { DAY_MS } from './app-world.ts';
import { deterministicGzip } from './gzip.ts';
import { createPerson, type Person } from './people.ts';
import { emptyPlanted, type GeneratedFile } from './planted.ts';
import { createRandom, type Random } from './random.ts';

export interface AccessLogOptions {
  seed: string;
  /** The UTC date of all requests: `2026-03-14`. */
  day: string;
  requests: number;
  /** Further lines that are exact repeats: requests of their own, which the source web-access tells apart. */
  repeats: number;
  /** False writes plain text. */
  gzip: boolean;
}

const VISITORS = 300;
const MALFORMED_EVERY = 1_000;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const PATHS = ['/', '/pricing', '/docs/', '/blog/launch', '/assets/app.css', '/images/logo.png'];
const STATUSES = [200, 200, 200, 200, 304, 301, 404, 500];

/**
 * One day of a made-up web server's access log in the combined format, as one file. The
 * addresses of clients stand in it, and e-mail addresses in paths, referers and user names.
 * No two requests are the same but for the repeats that are asked for.
 */
export function generateAccessLog(options: AccessLogOptions): GeneratedFile {
  const random = createRandom(`access ${options.seed} ${options.day}`);
  const startMs = Date.parse(`${options.day}T00:00:00Z`);
  if (Number.isNaN(startMs)) throw new RangeError('the day is not a date like 2026-03-14');
  const visitors = Array.from({ length: VISITORS }, (_, index) => createPerson(random, `visitor${index}`));
  const planted = emptyPlanted();
  const identifiers = new Set<string>();
  const lines: string[] = [];
  for (let request = 0; request < options.requests; request++) {
    const visitor = random.pick(visitors);
    const timeMs = startMs + Math.floor((request / options.requests) * DAY_MS);
    const line = requestLine(random, visitor, timeMs, request);
    lines.push(line);
    planted.events++;
    planted.personal.ips++;
    identifiers.add(visitor.ip);
    const emails = line.split(visitor.email.replace('@', '%40')).length - 1;
    planted.personal.emails += emails;
    if (emails > 0) identifiers.add(visitor.email);
    if ((request + 1) % MALFORMED_EVERY === 0) {
      // Cut inside the user agent, as a full disk does.
      lines.push(line.slice(0, line.lastIndexOf('"') - 10));
      planted.personal.ips++;
      planted.personal.emails += emails;
      const reason = 'parse: not_combined_log';
      planted.quarantined[reason] = (planted.quarantined[reason] ?? 0) + 1;
    }
  }
  repeatLines(random, lines, options.repeats);
  planted.events += options.repeats;
  planted.lines = lines.length;
  const text = Buffer.from(`${lines.join('\n')}\n`);
  const name = `access-${options.day}.log${options.gzip ? '.gz' : ''}`;
  return { name, bytes: options.gzip ? deterministicGzip(text) : text, planted, identifiers };
}

/** The size of the answer carries the number of the request, so that no two are the same. */
function requestLine(random: Random, visitor: Person, timeMs: number, request: number): string {
  const mail = visitor.email.replace('@', '%40');
  const path = random.chance(0.01)
    ? `/unsubscribe/${mail}`
    : `${random.pick(PATHS)}${random.chance(0.2) ? `?mail=${mail}` : ''}`;
  const referer = random.chance(0.3) ? `https://www.example.org/mailing?to=${mail}` : '-';
  const status = random.pick(STATUSES);
  const user = random.chance(0.02) ? visitor.email.split('@')[0] : '-';
  return (
    `${visitor.ip} - ${user} [${clfTime(timeMs)}] "GET ${path} HTTP/1.1" ${status} ` +
    `${1_000_000 + request} "${referer}" "${visitor.userAgent}"`
  );
}

/** Appends copies of lines of the file; never of a malformed one, which would not be accepted. */
function repeatLines(random: Random, lines: string[], repeats: number): void {
  const whole = lines.filter((line) => line.endsWith('"'));
  for (let repeat = 0; repeat < repeats; repeat++) lines.push(random.pick(whole));
}

function clfTime(timeMs: number): string {
  const [year, month, day] = new Date(timeMs).toISOString().slice(0, 10).split('-');
  const time = new Date(timeMs).toISOString().slice(11, 19);
  return `${day}/${MONTHS[Number(month) - 1]}/${year}:${time} +0000`;
}
