import type { AppRecord } from './app-session.ts';
import { type AppWorldOptions, appRecordsOfHour, HOUR_MS, lostWindow } from './app-world.ts';
import { deterministicGzip } from './gzip.ts';
import { malformedLine } from './malformed-lines.ts';
import { OBJECTOR_ID } from './people.ts';
import { emptyPlanted, type GeneratedFile, type Planted } from './planted.ts';

/** Every so many events one is written twice: 0.05 %, under the gate of 0.1 %. */
const DUPLICATE_EVERY = 2_000;
/**
 * Every so many events live ingestion had one as well: 0.04 %, under the overlap of 0.1 %. It
 * begins halfway, which keeps clear of the duplicates.
 */
const LIVE_EVERY = 2_500;
const FIRST_LIVE = 1_249;
const MALFORMED_EVERY = 400;
const BLANK_EVERY = 700;
const LF = Buffer.from('\n');

/**
 * The raw logs of a made-up app over its lost window: gzip NDJSON, one file per hour in which
 * sessions began, from the hour before the window on. Planted in it are personal data in fields
 * that the taxonomy keeps and drops, duplicates, malformed and blank lines, unknown events, and
 * records outside the window; each file says how many of each.
 */
export function* generateAppLog(options: AppWorldOptions): Generator<GeneratedFile> {
  for (const hour of plantedHours(options)) {
    const name = `${new Date(hour.startMs).toISOString().slice(0, 13)}.ndjson.gz`;
    const bytes = deterministicGzip(Buffer.concat(hour.lines.flatMap((line) => [line, LF])));
    yield { name, bytes, planted: hour.planted, identifiers: hour.identifiers };
  }
}

/** The records inside the lost window that live ingestion delivered all the same. */
export function* recordsAlsoLive(options: AppWorldOptions): Generator<AppRecord> {
  for (const hour of plantedHours(options)) yield* hour.alsoLive;
}

interface PlantedHour {
  startMs: number;
  lines: Buffer[];
  alsoLive: AppRecord[];
  planted: Planted;
  identifiers: Set<string>;
}

function* plantedHours(options: AppWorldOptions): Generator<PlantedHour> {
  const { startMs, endMs } = lostWindow(options);
  const counters: Counters = { events: 0, lines: 0, malformed: 0 };
  for (let hourMs = startMs - HOUR_MS; hourMs < endMs; hourMs += HOUR_MS) {
    const hour: PlantedHour = {
      startMs: hourMs,
      lines: [],
      alsoLive: [],
      planted: emptyPlanted(),
      identifiers: new Set(),
    };
    const copies: Buffer[] = [];
    for (const record of appRecordsOfHour(options, hourMs)) {
      const isInside = record.timeMs >= startMs && record.timeMs < endMs;
      writeRecord(hour, record, isInside, counters, copies);
    }
    // A second delivery comes after everything else of the hour.
    hour.lines.push(...copies);
    hour.planted.lines = hour.lines.length;
    yield hour;
  }
}

/** Counts that run through all files, so that shares hold however small a file is. */
interface Counters {
  events: number;
  lines: number;
  malformed: number;
}

function writeRecord(
  hour: PlantedHour,
  record: AppRecord,
  isInside: boolean,
  counters: Counters,
  copies: Buffer[],
): void {
  const { planted } = hour;
  const line = Buffer.from(JSON.stringify(record.raw));
  hour.lines.push(line);
  counters.lines++;
  notePersonalData(hour, line, record);
  if (!isInside) planted.filtered.outsideWindow++;
  else if (record.raw.name === 'Heartbeat') planted.filtered.unmapped++;
  else if (isOfObjector(record)) {
    planted.events++;
    planted.objector++;
  } else {
    planted.events++;
    counters.events++;
    if (counters.events % DUPLICATE_EVERY === DUPLICATE_EVERY - 1) {
      copies.push(line);
      planted.duplicates++;
      notePersonalData(hour, line, record);
    }
    if (counters.events % LIVE_EVERY === FIRST_LIVE) {
      hour.alsoLive.push(record);
      planted.alsoLive++;
    }
    if (counters.events % MALFORMED_EVERY === 0) writeMalformed(hour, record, counters);
  }
  if (counters.lines % BLANK_EVERY === 0) {
    hour.lines.push(Buffer.alloc(0));
    planted.filtered.blank++;
  }
}

function writeMalformed(hour: PlantedHour, record: AppRecord, counters: Counters): void {
  const { reason, bytes } = malformedLine(record, counters.malformed++);
  hour.lines.push(bytes);
  hour.planted.quarantined[reason] = (hour.planted.quarantined[reason] ?? 0) + 1;
  notePersonalData(hour, bytes, record);
}

function isOfObjector(record: AppRecord): boolean {
  return record.person.id === OBJECTOR_ID && record.raw.user !== undefined;
}

function notePersonalData(hour: PlantedHour, line: Buffer, { person }: AppRecord): void {
  const { personal } = hour.planted;
  const text = line.toString('latin1');
  const emails = text.split(person.email).length + text.split(person.email.replace('@', '%40')).length - 2;
  const ips = text.split(person.ip).length - 1;
  personal.emails += emails;
  personal.ips += ips;
  if (emails > 0) hour.identifiers.add(person.email);
  if (ips > 0) hour.identifiers.add(person.ip);
}
