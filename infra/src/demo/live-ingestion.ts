import { readFileSync } from 'node:fs';
import { loadConfigDir } from '@backfill/core/config/load-config';
import { parseSalts } from '@backfill/core/config/parse-salts';
import type { Queryable } from '@backfill/core/db/pool';
import { generateLiveEvents } from '@backfill/core/generate/live-events';
import { OBJECTOR_ID } from '@backfill/core/generate/people';
import { createKeyRing, pinRecipeKeys } from '@backfill/core/recipe/key-ring';
import type { TransformedEvent } from '@backfill/core/recipe/line-outcome';
import { createPiiContext } from '@backfill/core/recipe/pii-context';
import { buildRecipe } from '@backfill/core/recipe/recipe';
import { type DemoRun, lostDay } from './demo-run.ts';
import { appWorld } from './raw-logs.ts';

const SOURCE = 'app';
const DAY_MS = 86_400_000;
/** Those whose figures the policy wants to see unmoved. */
const DAYS_AROUND = 2;
const ROWS_PER_INSERT = 5_000;

/** The part of the stack's environment that a live writer of the app needs. */
export interface LiveWriterConfig {
  configDir: string;
  saltFile: string;
}

/**
 * Plays the live ingestion of the app: stores the events of the days around the lost one, and the
 * few of the lost day that came through, like a live writer. One person has objected before.
 *
 * @returns how many events were new
 */
export async function playLiveIngestion(
  run: DemoRun,
  db: Queryable,
  { configDir, saltFile }: LiveWriterConfig,
): Promise<number> {
  const keys = createKeyRing(parseSalts(readFileSync(saltFile, 'utf8')));
  const { startMs, endMs } = lostDay(run);
  const config = await loadConfigDir(configDir);
  const window = { windowStartMs: startMs, windowEndMs: endMs, retentionCutoffMs: null };
  const recipe = buildRecipe(config, SOURCE, {
    ...window,
    keys: pinRecipeKeys(config.policy, keys, { ...window, nowMs: Date.now() }),
  });
  const subject = recipe.source.mapping.subject_id;
  if (subject?.pii !== 'pseudonymise') throw new Error(`the source ${SOURCE} has no pseudonymised subject`);
  const { pseudonymise } = createPiiContext(recipe, keys);
  const objector = pseudonymise(subject.domain, OBJECTOR_ID, startMs) ?? OBJECTOR_ID;
  await insertObjection(db, objector);
  for (let dayMs = startMs - DAYS_AROUND * DAY_MS; dayMs < endMs + DAYS_AROUND * DAY_MS; dayMs += DAY_MS) {
    await db.query('select analytics.ensure_event_day($1::date)', [new Date(dayMs).toISOString().slice(0, 10)]);
  }
  let stored = 0;
  let rows: TransformedEvent[] = [];
  for (const event of generateLiveEvents({ ...appWorld(run), daysAround: DAYS_AROUND, recipe, keys })) {
    if (event.subjectId === objector) continue;
    if (rows.push(event) < ROWS_PER_INSERT) continue;
    stored += await insertLiveEvents(db, rows);
    rows = [];
  }
  return stored + (await insertLiveEvents(db, rows));
}

async function insertObjection(db: Queryable, subjectId: string): Promise<void> {
  await db.query(
    `insert into analytics.privacy_suppressions (subject_id, reason) values ($1, 'objection (demo)')
     on conflict do nothing`,
    [subjectId],
  );
}

async function insertLiveEvents(db: Queryable, events: readonly TransformedEvent[]): Promise<number> {
  const { rowCount } = await db.query(
    `insert into analytics.events
       (event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload)
     select event_id, $1, event_name, schema_version, event_ts, session_id, subject_id, payload
       from unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[], $8::json[])
         as live (event_id, event_name, schema_version, event_ts, session_id, subject_id, payload)
     on conflict do nothing`,
    [
      SOURCE,
      events.map((event) => event.eventId),
      events.map((event) => event.eventName),
      events.map((event) => event.schemaVersion),
      events.map((event) => new Date(event.eventTsMs).toISOString()),
      events.map((event) => event.sessionId),
      events.map((event) => event.subjectId),
      events.map((event) => event.payload),
    ],
  );
  return rowCount ?? 0;
}
