import type { KpiReference } from '../domain/kpi.ts';
import { localDaySpan, localDaysOf } from '../domain/local-days.ts';
import type { AppRecord } from './app-session.ts';
import { type AppWorldOptions, appRecordsOfHour, DAY_MS, HOUR_MS, lostWindow } from './app-world.ts';

const SOURCE = 'the made-up app’s own books';
const FIRST_STEP = 'Signup Completed';
const LAST_STEP = 'Feature Used';
/** As in the policy of the examples. */
const FUNNEL_WINDOW_MS = DAY_MS;

/**
 * What the made-up app says of the local days that its lost window touches, whoever has objected: its sessions, and who
 * of the new users has used a feature within a day. Counted in the made-up world itself, not in its logs.
 *
 * @param running when the app ran at all: where nothing is stored of the time around the window, in the window alone
 */
export function appReferences(
  options: AppWorldOptions,
  timeZone: string,
  running: { startMs: number; endMs: number } = { startMs: 0, endMs: Number.POSITIVE_INFINITY },
): KpiReference[] {
  return localDaysOf(lostWindow(options), timeZone).flatMap((day) => {
    const { startMs, endMs } = localDaySpan(day, timeZone);
    const records = recordsBetween(options, startMs, endMs + FUNNEL_WINDOW_MS).filter(
      ({ timeMs }) => timeMs >= running.startMs && timeMs < running.endMs,
    );
    const ofDay = records.filter(({ timeMs }) => timeMs < endMs);
    const sessions = new Set(ofDay.filter(({ raw }) => raw.name !== 'Heartbeat').map(({ raw }) => idOf(raw.session)));
    const conversion = conversionOf(ofDay, records);
    return [
      { kpi: 'daily_active_sessions' as const, day, value: sessions.size, source: SOURCE },
      ...(conversion === undefined
        ? []
        : [{ kpi: 'activation_funnel' as const, day, value: conversion, source: SOURCE }]),
    ];
  });
}

/** The share of those who signed up that day and used a feature afterwards; undefined where nobody has. */
function conversionOf(ofDay: readonly AppRecord[], records: readonly AppRecord[]): number | undefined {
  const signedUp = new Map<unknown, number>();
  for (const { raw, timeMs } of ofDay) {
    const user = idOf(raw.user);
    if (raw.name === FIRST_STEP && !signedUp.has(user)) signedUp.set(user, timeMs);
  }
  const activated = new Set<unknown>();
  for (const { raw, timeMs } of records) {
    const sinceMs = timeMs - (signedUp.get(idOf(raw.user)) ?? Number.POSITIVE_INFINITY);
    if (raw.name === LAST_STEP && sinceMs >= 0 && sinceMs < FUNNEL_WINDOW_MS) activated.add(idOf(raw.user));
  }
  return signedUp.size === 0 ? undefined : activated.size / signedUp.size;
}

function recordsBetween(options: AppWorldOptions, fromMs: number, toMs: number): AppRecord[] {
  const records: AppRecord[] = [];
  // A session that began in the hour before may reach in.
  for (let hourMs = Math.floor(fromMs / HOUR_MS) * HOUR_MS - HOUR_MS; hourMs < toMs; hourMs += HOUR_MS) {
    records.push(...appRecordsOfHour(options, hourMs));
  }
  return records.filter(({ timeMs }) => timeMs >= fromMs && timeMs < toMs);
}

function idOf(value: unknown): unknown {
  return Object(value).id;
}
