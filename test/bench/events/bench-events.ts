import { createRandom, type Random } from '@backfill/core/generate/random';

/** The time window of the generated events, a day. */
export const BENCH_WINDOW = { start: '2026-11-02T00:00:00Z', end: '2026-11-03T00:00:00Z' };
/** Baselines for any number of events: a share of 1 is let off in test/bench/config. */
export const BENCH_REFERENCES = ['2026-11-02', '2026-11-03'].map((day) => ({
  ...{ kpi: 'daily_active_sessions', day, source: 'none: benches measure time' },
  value: day === '2026-11-02' ? 1e9 : 0,
}));
/** The name of the source in test/bench/config that the events belong to. */
export const BENCH_SOURCE = 'bench';

const START_MS = Date.parse(BENCH_WINDOW.start);
/** Steps between events: so small that any number of them stays within the day. */
const STEPS_PER_MS = 4;
const BLOCK_CHARACTERS = 64 * 1024;

/** Persons who come back, far more than the caches of pseudonyms hold. */
const USERS = 1_000_000;
/** Sessions at any moment; their events are mixed. */
const OPEN_SESSIONS = 1_000;
const EVENTS_PER_SESSION = 8;
const USER_AGENTS = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/138.0.0.0',
  'ShopApp/5.2 (iPhone; iOS 18.5)',
  'ShopApp/5.1 (Android 15; Pixel 9)',
  'ShopApp/5.2 (iPad; iPadOS 18.5)',
];
const REFERRERS = ['https://example.org/', '/start', '/sale?page=2'];
const TITLES = ['Running shoes', 'Winter coat', 'Größe 42', 'Gift card 50 EUR'];
const SEARCHES = ['shoes', 'coat size 40', 'boots', 'order 1234'];
/** Texts that stay apart in what gzip looks back on, so that they do not vanish. */
const TRACES = 64;
const TAGS = ['new', 'sale', 'for-you', 'gift', 'last one'];
const PLANS = ['free', 'team', 'pro'];
/** Share of the free texts with an address in them. */
const ADDRESS_SHARE = 0.05;

function freeText(random: Random, texts: readonly string[], address: string): string {
  const text = random.pick(texts);
  return random.chance(ADDRESS_SHARE) ? `${text} ${address}` : text;
}

interface Session {
  sid: string;
  uid: string;
  mail: string;
  ip: string;
  ua: string;
}

function startSession(random: Random): Session {
  const user = random.int(USERS);
  return {
    sid: `s${random.token(8)}`,
    uid: `u${user}`,
    mail: `u${user}@example.org`,
    ip: `198.51.100.${1 + random.int(254)}`,
    ua: random.pick(USER_AGENTS),
  };
}

function benchLine(random: Random, number: number, { sid, uid, mail, ip, ua }: Session, traces: string[]): string {
  return JSON.stringify({
    id: `e${number.toString(36).padStart(8, '0')}`,
    ts: new Date(START_MS + Math.floor(number / STEPS_PER_MS)).toISOString(),
    name: 'Viewed',
    ...{ sid, uid, ip, ua },
    url: `/items/${random.int(10_000)}${random.chance(ADDRESS_SHARE) ? `?to=${mail}` : ''}`,
    ref: random.pick(REFERRERS),
    title: freeText(random, TITLES, mail),
    q: freeText(random, SEARCHES, mail),
    mail,
    plan: random.pick(PLANS),
    price: random.int(100_000) / 100,
    count: random.int(50),
    tags: [random.pick(TAGS), random.pick(TAGS)],
    ...(traces.length > 0 && { trace: random.pick(traces) }),
  });
}

/** Events of sessions that begin and end while others go on. */
function* benchLines(traceCharacters: number): Generator<string> {
  const random = createRandom('bench');
  const traces = Array.from({ length: traceCharacters > 0 ? TRACES : 0 }, () => random.token(traceCharacters));
  const sessions = Array.from({ length: OPEN_SESSIONS }, () => startSession(random));
  for (let number = 0; ; number += 1) {
    const place = random.int(OPEN_SESSIONS);
    const session = random.chance(1 / EVENTS_PER_SESSION) ? startSession(random) : (sessions[place] as Session);
    sessions[place] = session;
    yield benchLine(random, number, session, traces);
  }
}

/**
 * Generates the same NDJSON every time: blocks of whole lines, until there are `bytes` of them or a little more.
 *
 * @param traceCharacters how much each event has on top in a field that the configuration does not know
 */
export function* benchBlocks(bytes: number, traceCharacters = 0): Generator<Buffer> {
  let made = 0;
  let text = '';
  for (const line of benchLines(traceCharacters)) {
    text += `${line}\n`;
    if (text.length < BLOCK_CHARACTERS) continue;
    const block = Buffer.from(text);
    yield block;
    text = '';
    made += block.length;
    if (made >= bytes) return;
  }
}
