import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '@backfill/core/generate/random';
import type { Ask, World } from './world.ts';

/** An event as live ingestion writes it: the same row that a batch would make of its line. */
export interface LiveEvent {
  event_id: string;
  source: string;
  event_name: string;
  schema_version: string;
  event_ts: string;
  session_id: string | null;
  subject_id: string | null;
  payload: string;
}

/** Rows in one statement. */
const GROUP = 25;
/** Of the groups, those that come before there is a batch. */
const BEFORE = 0.1;
const LOOK_EVERY_MS = 100;
/** Live writers insert into either. */
const RELATIONS = ['analytics.events', 'analytics.events_log'] as const;

/** Where each database of a world keeps the ids of the events that live ingestion delivers, too: who has them, is open. */
export const LIVE_EVENTS = 'public.chaos_live';

export async function createLiveTable(ask: Ask): Promise<void> {
  await ask(`create table if not exists ${LIVE_EVENTS} (event_id text collate "C" primary key)`);
}

/** Picks one in 16 of the events that an undisturbed run has made live, in their order, and notes them there. */
export async function pickLiveEvents(world: World): Promise<LiveEvent[]> {
  const events = await world.ask<LiveEvent>(
    `select event_id, source, event_name, schema_version, event_ts::text, session_id, subject_id, payload::text
       from analytics.events where hashtext(event_id) & 15 = 0 order by event_id`,
  );
  await noteLiveEvents(world, events);
  return events;
}

/** Notes in a world which events live ingestion will deliver. */
export async function noteLiveEvents(world: World, events: readonly LiveEvent[]): Promise<void> {
  const ids = events.map(({ event_id }) => event_id).join('\n');
  for (const ask of [world.ask, world.askKeys]) {
    await ask(`insert into ${LIVE_EVENTS} select string_to_table($1, e'\n') on conflict do nothing`, [ids]);
  }
}

async function write(world: World, relation: (typeof RELATIONS)[number], events: readonly LiveEvent[]): Promise<void> {
  const column = (name: keyof LiveEvent) => events.map((event) => event[name]);
  await world.ask(
    `insert into ${relation} (event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload)
     select e.id, e.source, e.name, e.version, e.ts::timestamptz, e.session, e.subject, e.payload::json
       from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
            as e (id, source, name, version, ts, session, subject, payload)
     on conflict do nothing`,
    [
      ...[column('event_id'), column('source'), column('event_name'), column('schema_version')],
      ...[column('event_ts'), column('session_id'), column('subject_id'), column('payload')],
    ],
  );
}

/**
 * Delivers these events as live ingestion does, at least once: some before anything else happens, the others while the
 * batches are on their way, many of them twice, and all once more at the end.
 */
export async function writeLive(options: {
  world: World;
  events: readonly LiveEvent[];
  random: Random;
  progress(): number;
  isOver(): boolean;
}): Promise<void> {
  const { world, events, random, progress, isOver } = options;
  const groups = Array.from({ length: Math.ceil(events.length / GROUP) }, (_, index) =>
    events.slice(index * GROUP, (index + 1) * GROUP),
  );
  for (const [index, group] of groups.entries()) {
    const share = (index / groups.length - BEFORE) / (1 - BEFORE);
    while (progress() < share && !isOver()) await sleep(LOOK_EVERY_MS);
    await write(world, random.pick(RELATIONS), group);
    await write(world, random.pick(RELATIONS), random.pick(groups.slice(0, index + 1)));
  }
  while (!isOver()) await sleep(LOOK_EVERY_MS);
  for (const group of groups) await write(world, random.pick(RELATIONS), group);
}
