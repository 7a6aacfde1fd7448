import type { JsonObject } from '../domain/json.ts';
import { createPerson, OBJECTOR_ID, type Person } from './people.ts';
import { createRandom, type Random } from './random.ts';

/** One record of the made-up app before it is written as a line. */
export interface AppRecord {
  /** Whole ms since 1970; the written time has a fraction behind it. */
  timeMs: number;
  raw: JsonObject;
  /** The person behind it, known to the app or not. */
  person: Person;
}

const MAX_GAP_MS = 180_000;
/** With the gap above this keeps every session under an hour. */
const MAX_RECORDS = 18;
const RETURNING_USERS = 2_000;
const PAGES = ['/', '/pricing', '/features', '/docs/getting-started', '/blog/launch', '/about'];
const REFERRERS = ['https://www.example.org/search?q=analytics', 'https://news.example.com/item#42'];
const PLANS = ['free', 'free', 'team', 'business'];
const METHODS = ['password', 'google', 'sso'];
const FEATURES = ['dashboard', 'dashboard', 'export', 'alerts', 'sharing', 'api_keys'];
const SEARCHES = ['retention by week', 'funnel', 'churn', 'export csv', 'größte Kunden'];

/** A visitor's session: pages, perhaps a sign-up, and if that succeeds the first steps inside. */
export function visitorSession(random: Random, startMs: number): AppRecord[] {
  const session = new Session(random, startMs, createPerson(random, `u_${random.token(10)}`));
  const pages = 1 + random.int(5);
  for (let page = 0; page < pages; page++) session.viewPage(page === 0);
  if (!random.chance(0.3)) return session.records;
  const plan = random.pick(PLANS);
  const method = random.pick(METHODS);
  session.add('Signup Started', { plan, method });
  if (!random.chance(0.6)) return session.records;
  session.loggedIn = true;
  session.add('Signup Completed', {
    plan,
    method,
    email: session.person.email,
    seconds_to_complete: 20 + random.int(600),
  });
  session.useApp(1 + random.int(4));
  return session.records;
}

/** The session of somebody who has an account. */
export function returningSession(random: Random, startMs: number): AppRecord[] {
  const id = `u_${random.int(RETURNING_USERS).toString().padStart(5, '0')}`;
  const session = new Session(random, startMs, accountHolder(id));
  session.loggedIn = true;
  session.useApp(2 + random.int(9));
  return session.records;
}

/** A short session of the person who objected. */
export function objectorSession(random: Random, startMs: number): AppRecord[] {
  const session = new Session(random, startMs, accountHolder(OBJECTOR_ID));
  session.loggedIn = true;
  session.useApp(2);
  return session.records;
}

/** The same person in every session. */
function accountHolder(id: string): Person {
  return createPerson(createRandom(`person ${id}`), id);
}

class Session {
  readonly records: AppRecord[] = [];
  readonly person: Person;
  loggedIn = false;
  readonly #random: Random;
  readonly #sessionId: string;
  #timeMs: number;

  constructor(random: Random, startMs: number, person: Person) {
    this.#random = random;
    this.#timeMs = startMs;
    this.#sessionId = `s_${random.token(16)}`;
    this.person = person;
  }

  viewPage(isFirst: boolean): void {
    const { email } = this.person;
    const path = this.#random.chance(0.02)
      ? `/invite/${email.replace('@', '%40')}`
      : `${this.#random.pick(PAGES)}?utm_source=mail&email=${encodeURIComponent(email)}`;
    const referrer = isFirst ? { referrer: this.#random.pick(REFERRERS) } : {};
    this.add('Page Viewed', { path, ...referrer, viewport: '1440x900' });
  }

  useApp(steps: number): void {
    for (let step = 0; step < steps; step++) {
      const kind = this.#random.int(10);
      if (kind < 6) this.#useFeature();
      else if (kind < 9) this.#search();
      else this.#sendFeedback();
      if (this.#random.chance(0.1)) this.add('Heartbeat', {});
    }
  }

  #useFeature(): void {
    this.add('Feature Used', {
      feature: this.#random.pick(FEATURES),
      duration_ms: this.#random.int(600_000),
      item_count: this.#random.chance(0.1) ? null : this.#random.int(500),
    });
  }

  #search(): void {
    const words = this.#random.pick(SEARCHES);
    const query = this.#random.chance(0.1) ? `${words} ${this.person.email}` : words;
    this.add('Search Performed', { query, result_count: this.#random.int(200) });
  }

  #sendFeedback(): void {
    const { email, ip } = this.person;
    const comment = this.#random.chance(0.3)
      ? `Blocked from ${ip}, "please" write to <${email}>.`
      : 'Works for me.\nThank you! 👍';
    this.add('Feedback Sent', { rating: 1 + this.#random.int(5), comment, contact: email });
  }

  add(name: string, data: JsonObject): void {
    if (this.records.length >= MAX_RECORDS) return;
    const { person } = this;
    const raw: JsonObject = {
      id: `evt_${this.#random.token(24)}`,
      ts: this.#writtenTime(),
      name,
      session: { id: this.#sessionId },
      ...(this.loggedIn ? { user: { id: person.id, email: person.email } } : {}),
      client: { ip: person.ip, user_agent: person.userAgent },
      data,
    };
    this.records.push({ timeMs: this.#timeMs, raw, person });
    this.#timeMs += 1_000 + this.#random.int(MAX_GAP_MS - 1_000);
  }

  /** In UTC or with an offset, with microseconds that have to be cut off. */
  #writtenTime(): string {
    const offsetHours = this.#random.chance(0.2) ? 2 : 0;
    const iso = new Date(this.#timeMs + offsetHours * 3_600_000).toISOString().slice(0, -1);
    const micros = this.#random.int(1_000).toString().padStart(3, '0');
    return `${iso}${micros}${offsetHours === 0 ? 'Z' : '+02:00'}`;
  }
}
