import { ROLLBACK_MODES, type RollbackMode } from '@backfill/core/domain/rollback-mode';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventLine, WINDOW } from '../support/app-events.ts';
import { createConfigDir, withoutApprovals } from '../support/config-dir.ts';
import { KEY_LAYOUTS } from '../support/environment.ts';
import { type Holder, Model } from './model.ts';
import { createStepper, type Job, type Stepper } from './stepper.ts';

// Random histories of several batches with the same events, against a model that fits on a page.
const EVENTS = 8;
const BATCHES = 3;
/** Histories per layout of the dedup store. */
const RUNS = Number(process.env.HISTORIES ?? 6);
const SEED = Number(process.env.HISTORIES_SEED ?? 1);
/** For the search of a short history that fails too. */
const TIME_LIMIT_MS = Math.max(300_000, RUNS * 60_000);
const SETTINGS = { TRANSFORMER_PART_LINES: '2', TRANSFORMER_CHUNK_BYTES: '300' };

interface StoredEvent {
  event_id: string;
  [column: string]: unknown;
}

const batchNumber = fc.nat({ max: BATCHES - 1 });
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('work' as const), batch: batchNumber, pick: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('work off' as const), batch: batchNumber }) },
  // At once: with all the work before it and that it calls for.
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('publish' as const), batch: batchNumber, atOnce: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('roll back' as const),
      batch: batchNumber,
      mode: fc.constantFrom(...ROLLBACK_MODES),
      atOnce: fc.boolean(),
    }),
  },
  // Of gates that have failed.
  { weight: 3, arbitrary: fc.record({ do: fc.constant('verify' as const), batch: batchNumber }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('halt' as const), batch: batchNumber }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('resume' as const), batch: batchNumber }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('deliver live' as const), event: fc.nat({ max: EVENTS - 1 }) }) },
  // A job that was run before comes again: a twin, a zombie, a late delivery.
  { weight: 2, arbitrary: fc.record({ do: fc.constant('repeat' as const), pick: fc.nat() }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** The lines of each batch, by the number of the event; repeats among them. */
const input = fc.array(fc.array(fc.nat({ max: EVENTS - 1 }), { minLength: 1, maxLength: 7 }), {
  minLength: BATCHES,
  maxLength: BATCHES,
});

/** What each batch replaces: nothing, live events, or a batch before it, by its number. */
const replaced = fc.tuple(
  fc.constantFrom('nothing', 'live'),
  fc.constantFrom('nothing', 'live', 0),
  fc.constantFrom('nothing', 'live', 0, 1, 1),
);
type Replaced = typeof replaced extends fc.Arbitrary<infer R> ? R : never;

let config: Awaited<ReturnType<typeof createConfigDir>>;
let settings: Record<string, string>;
/** By the number of the event. */
let stored: StoredEvent[];

const textOf = (lines: readonly number[]) => lines.map((number) => `${eventLine(number)}\n`).join('');
const batchId = (number: number) => `batch-${number}`;

/** One history: the system and the model of it, side by side. */
class History {
  readonly #stepper: Stepper;
  readonly #input: readonly number[][];
  readonly #replaced: Replaced;
  readonly #model: Model;
  readonly #jobsRun: Job[] = [];

  constructor(stepper: Stepper, lines: readonly number[][], targets: Replaced) {
    this.#stepper = stepper;
    this.#input = lines;
    this.#replaced = targets;
    this.#model = new Model(
      new Map(
        targets.flatMap((target, number) =>
          target === 'nothing' ? [] : [[batchId(number), typeof target === 'number' ? batchId(target) : null]],
        ),
      ),
    );
  }

  #event(number: number): StoredEvent {
    const event = stored[number];
    if (event === undefined) throw new Error(`there is no event ${number}`);
    return event;
  }

  async submitAll(): Promise<void> {
    for (const [number, lines] of this.#input.entries()) {
      await this.#stepper.submit(
        { batchId: batchId(number), source: 'app', window: WINDOW, request: this.#requestOf(number) },
        { 'a.ndjson': textOf(lines) },
      );
    }
  }

  #requestOf(number: number) {
    const target = this.#replaced[number] ?? 'nothing';
    if (target === 'nothing') return {};
    return { replaces: typeof target === 'number' ? { batch_id: batchId(target) } : { live: true } };
  }

  async #rollBack(batch: number, mode: RollbackMode): Promise<void> {
    const asked = this.#stepper.rollBack(batchId(batch), mode);
    if (this.#model.isReplaced(batchId(batch))) await expect(asked).rejects.toThrow(/was replaced by/);
    else if (await asked) this.#model.beginRollBack(batchId(batch));
  }

  /** Does the step where it is possible, and nothing otherwise. */
  async take(taken: Step): Promise<void> {
    const stepper = this.#stepper;
    switch (taken.do) {
      case 'work':
        return this.#work(taken.batch, taken.pick);
      case 'work off':
        return this.#workOff(taken.batch);
      case 'publish':
        if (taken.atOnce) await this.#workOff(taken.batch);
        await stepper.change(batchId(taken.batch), ['awaiting_publish_approval'], 'publishing');
        if (taken.atOnce) await this.#workOff(taken.batch);
        return;
      case 'roll back':
        await this.#rollBack(taken.batch, taken.mode);
        if (taken.atOnce) await this.#workOff(taken.batch);
        return;
      case 'verify':
        await stepper.change(batchId(taken.batch), ['gates_failed'], 'verifying');
        return;
      case 'halt':
        await stepper.halt(batchId(taken.batch));
        return;
      case 'resume':
        await stepper.resume(batchId(taken.batch));
        return;
      case 'deliver live':
        return this.#deliverLive(this.#event(taken.event));
      case 'repeat': {
        const job = this.#jobsRun[taken.pick % Math.max(1, this.#jobsRun.length)];
        // Nothing may come of it.
        if (job !== undefined) await stepper.run(job);
      }
    }
  }

  async #workOff(batch: number): Promise<void> {
    while ((await this.#stepper.dueJobs(batchId(batch))).length > 0) await this.#work(batch, 0);
  }

  async #work(batch: number, pick: number): Promise<void> {
    const due = await this.#stepper.dueJobs(batchId(batch));
    const job = due[pick % Math.max(1, due.length)];
    if (job === undefined) return;
    const lines = await this.#linesOf(batch, job);
    expect(await this.#stepper.run(job), `${job.kind} was due`).toBe(true);
    this.#jobsRun.push(job);
    if (job.kind === 'plan') this.#model.plan(job.batch_id);
    if (job.kind === 'canary' || job.kind === 'import') this.#model.importPart(job.batch_id, lines);
    if (job.kind === 'verify') await this.#verified(job.batch_id);
    if (job.kind === 'publish') await this.#published(job.batch_id);
    // What a snapshot has and is not live any more, only another rollback can have taken: it stays taken.
    if (ROLLBACK_MODES.some((mode) => mode === job.kind)) this.#model.rollBack(job.batch_id);
  }

  async #statusOf(id: string): Promise<string | undefined> {
    const { rows } = await this.#stepper.sql.query<{ status: string }>(
      'select status from analytics.backfill_batches where batch_id = $1',
      [id],
    );
    return rows[0]?.status;
  }

  /** Gates pass where there is something to replace, or nothing is to be. */
  async #verified(id: string): Promise<void> {
    const status = await this.#statusOf(id);
    expect(status, id).toBe(this.#model.canReplace(id) ? 'awaiting_publish_approval' : 'gates_failed');
    this.#model.verify(id);
  }

  /** A publish publishes, and then leaves nothing out that nobody else has; or goes back to the gates with a reason. */
  async #published(id: string): Promise<void> {
    const status = await this.#statusOf(id);
    if (status !== 'published') {
      expect(this.#model.mayGoBack(id), `${id} is ${status}`).toBe(true);
      return;
    }
    expect(this.#model.missed(id), `${id} leaves out`).toEqual([]);
    this.#model.publish(id);
  }

  /** The events of an import's part, by the part's place in the file. */
  async #linesOf(batch: number, { payload }: Job): Promise<string[]> {
    const { part_id } = payload as { part_id?: number };
    if (part_id === undefined) return [];
    const { rows } = await this.#stepper.sql.query<{ first: number; count: number }>(
      'select first_line::int as first, line_count::int as count from analytics.backfill_import_parts where part_id = $1',
      [part_id],
    );
    const [part] = rows;
    if (part === undefined) throw new Error(`there is no part ${part_id}`);
    const numbers = (this.#input[batch] ?? []).slice(part.first - 1, part.first - 1 + part.count);
    return numbers.map((number) => this.#event(number).event_id);
  }

  async #deliverLive(event: StoredEvent): Promise<void> {
    await this.#stepper.sql.query(
      `insert into analytics.events
         (event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload)
       values ($1, $2, $3, $4, $5, $6, $7, $8::json) on conflict do nothing`,
      ['event_id', 'source', 'event_name', 'schema_version', 'event_ts', 'session_id', 'subject_id', 'payload'].map(
        (column) => event[column],
      ),
    );
    this.#model.deliverLive(event.event_id);
  }

  async compare(): Promise<void> {
    const { rows: live } = await this.#stepper.sql.query<{ event_id: string; batch_id: Holder }>(
      'select event_id, batch_id from analytics.events',
    );
    const { rows: keys } = await this.#stepper.keys.query<{ event_id: string; batch_id: string }>(
      'select event_id, batch_id from analytics.backfill_event_checkpoint',
    );
    const sorted = (pairs: Iterable<readonly [string, Holder]>) =>
      Array.from(pairs, ([event, holder]) => `${event} ${holder}`).sort();
    const pairs = (rows: { event_id: string; batch_id: Holder }[]) =>
      sorted(rows.map(({ event_id, batch_id }) => [event_id, batch_id] as const));
    expect({ live: pairs(live), keys: pairs(keys) }).toEqual({
      live: sorted(this.#model.live),
      keys: sorted(this.#model.claims),
    });
    const { rows: waiting } = await this.#stepper.sql.query<{ batch_id: string }>(
      `select batch_id from analytics.backfill_batches where status = 'awaiting_publish_approval'`,
    );
    // Nobody signs what does not hold any more.
    for (const { batch_id } of waiting) {
      expect(this.#model.stale(batch_id), batch_id).toEqual([]);
      expect(this.#model.hasTarget(batch_id), batch_id).toBe(true);
    }
  }
}

beforeAll(async () => {
  config = await createConfigDir((policy) => {
    withoutApprovals(policy);
    Object.assign(policy.gates.default, { duplicate_ratio: 1, max_overlap: 1 });
  });
  settings = { ...SETTINGS, BACKFILL_CONFIG_DIR: config.dir };
  const stepper = await createStepper('with the events', settings);
  const all = Array.from({ length: EVENTS }, (_, number) => number);
  await stepper.submit({ batchId: 'probe', source: 'app', window: WINDOW }, { 'a.ndjson': textOf(all) });
  for (let due = await stepper.dueJobs('probe'); due[0] !== undefined; due = await stepper.dueJobs('probe')) {
    await stepper.run(due[0]);
  }
  // payload as text: its bytes are part of the event's identity.
  const { rows } = await stepper.sql.query<StoredEvent>(
    `select s.event_id, s.source, s.event_name, s.schema_version, s.event_ts, s.session_id, s.subject_id,
            s.payload::text as payload
       from analytics.events_backfill_staging s
       join analytics.backfill_lineage l using (batch_id, event_id) order by l.line_no`,
  );
  stored = rows;
  await stepper.dispose();
  expect(stored.length).toBe(EVENTS);
});
afterAll(() => config.remove());

it.each(KEY_LAYOUTS)(
  'holds the live events and the keys of the model after every step, keys %s',
  async (layout) => {
    await fc.assert(
      fc.asyncProperty(
        input,
        replaced,
        fc.array(step, { minLength: 1, maxLength: 70, size: 'max' }),
        async (lines, targets, steps) => {
          const stepper = await createStepper(layout, settings);
          try {
            const history = new History(stepper, lines, targets);
            await history.submitAll();
            for (const taken of steps) {
              await history.take(taken);
              await history.compare();
            }
          } finally {
            await stepper.dispose();
          }
        },
      ),
      { numRuns: RUNS, seed: SEED, interruptAfterTimeLimit: TIME_LIMIT_MS, markInterruptAsFailure: true },
    );
  },
  2 * TIME_LIMIT_MS,
);
