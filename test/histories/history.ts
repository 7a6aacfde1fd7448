import { RESTING_STATUSES } from '@backfill/core/domain/batch-status';
import { ROLLBACK_MODES, type RollbackMode } from '@backfill/core/domain/rollback-mode';
import { expect } from 'vitest';
import { WINDOW } from '../support/app-events.ts';
import { findAnywhere, pseudonymsOf } from '../support/forgotten-world.ts';
import { BATCHES, batchId, EVENTS, personOf, type Replaced, type Step, textOf } from './history-steps.ts';
import { type Holder, Model } from './model.ts';
import type { Job, Stepper } from './stepper.ts';

/** An event as it is imported. */
export interface StoredEvent {
  event_id: string;
  [column: string]: unknown;
}

/** One history: the system and the model of it, side by side. */
export class History {
  readonly #stepper: Stepper;
  readonly #input: readonly number[][];
  readonly #replaced: Replaced;
  readonly #stored: readonly StoredEvent[];
  readonly #model: Model;
  readonly #jobsRun: Job[] = [];
  /** Who was suppressed when an import part was made. */
  readonly #missingIn = new Map<number, readonly string[]>();
  /** Who a batch has nothing of, since it was at rest when they were erased: batch and person. */
  readonly #erasedFrom = new Set<string>();
  /** Erasures that have not ended, and their people; and those that have gone through what is stored once. */
  readonly #erasures = new Map<number, string>();
  readonly #begun = new Set<number>();

  /** @param stored the events as they are imported, by their number */
  constructor(stepper: Stepper, stored: readonly StoredEvent[], lines: readonly number[][], targets: Replaced) {
    this.#stored = stored;
    this.#stepper = stepper;
    this.#input = lines;
    this.#replaced = targets;
    this.#model = new Model(
      new Map(
        targets.flatMap((target, number) =>
          target === 'nothing' ? [] : [[batchId(number), typeof target === 'number' ? batchId(target) : null]],
        ),
      ),
      (event) => personOf(stored.findIndex((row) => row.event_id === event)),
    );
  }

  #event(number: number): StoredEvent {
    const event = this.#stored[number];
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
      case 'forget':
        await this.#forget(personOf(taken.person));
        if (taken.atOnce) await this.#erase();
        return;
      case 'erase':
        return this.#erase();
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
    if (job.kind === 'transform') await this.#notePartsOf(job.batch_id);
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

  /** Gates pass where something was staged, and there is something to replace, or nothing is to be. */
  async #verified(id: string): Promise<void> {
    const status = await this.#statusOf(id);
    const { rows: failed } = await this.#stepper.sql.query<{ gate: string; observed: number; detail: unknown }>(
      'select gate, observed, detail from analytics.backfill_gate_results where batch_id = $1 and not passed',
      [id],
    );
    const expected = this.#model.canPass(id) ? 'awaiting_publish_approval' : 'gates_failed';
    expect(status, `${id}: ${JSON.stringify(failed)}`).toBe(expected);
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
    const isThere = (person: string) =>
      !this.#missingIn.get(part_id)?.includes(person) && !this.#erasedFrom.has(`${batchId(batch)} ${person}`);
    return numbers.flatMap((number) =>
      number < EVENTS && isThere(personOf(number)) ? [this.#event(number).event_id] : [],
    );
  }

  /** Parts that are new lack whoever is suppressed by now. */
  async #notePartsOf(id: string): Promise<void> {
    const { rows } = await this.#stepper.sql.query<{ part_id: number }>(
      'select part_id::int from analytics.backfill_import_parts where batch_id = $1',
      [id],
    );
    for (const { part_id } of rows) {
      if (!this.#missingIn.has(part_id)) this.#missingIn.set(part_id, this.#model.suppressed);
    }
  }

  async #forget(person: string): Promise<void> {
    const erasureId = await this.#stepper.forget(person);
    this.#erasures.set(erasureId, person);
    this.#begun.delete(erasureId);
    this.#model.forget(person);
  }

  /** Runs the jobs of all erasures that have not ended. */
  async #erase(): Promise<void> {
    for (const [erasureId, person] of this.#erasures) {
      // Asked before: the erasure itself makes work for a batch.
      const resting = await this.#restingBatches();
      const hasEnded = await this.#stepper.erase(erasureId);
      if (!this.#begun.has(erasureId)) this.#model.eraseLive(person);
      this.#begun.add(erasureId);
      for (const id of resting) {
        this.#model.eraseFromBatch(person, id);
        this.#erasedFrom.add(`${id} ${person}`);
      }
      if (resting.length === BATCHES) expect(hasEnded, `nothing is to be waited for by ${erasureId}`).toBe(true);
      if (!hasEnded) continue;
      this.#erasures.delete(erasureId);
      this.#model.endErasure(person);
    }
  }

  async #restingBatches(): Promise<string[]> {
    const { rows } = await this.#stepper.sql.query<{ batch_id: string }>(
      `select batch_id from analytics.backfill_batches b
        where status = any ($1) and not exists (select 1 from analytics.backfill_outbox o where o.batch_id = b.batch_id)`,
      [RESTING_STATUSES],
    );
    return rows.map((row) => row.batch_id);
  }

  /** Brings all to rest, and finds nothing of those who were forgotten, whatever came of them since. */
  async end(): Promise<void> {
    for (const [batch] of this.#input.entries()) {
      if (!(await this.#stepper.halt(batchId(batch)))) await this.#workOff(batch);
    }
    const people = this.#model.suppressed;
    if (people.length === 0) return;
    for (const person of people) await this.#forget(person);
    while (this.#erasures.size > 0) {
      await this.#erase();
      // Reports that say what is left, for which the next erasure waits.
      for (const [batch] of this.#input.entries()) await this.#workOff(batch);
    }
    await this.compare();
    const { rows: outcomes } = await this.#stepper.sql.query(
      'select outcome, problems from analytics.backfill_erasures',
    );
    expect(outcomes).toEqual(people.map(() => ({ outcome: 'complete', problems: [] })));
    const { runtime } = this.#stepper;
    const events = this.#stored.flatMap(({ event_id }, number) =>
      people.includes(personOf(number)) ? [event_id] : [],
    );
    const texts = [...people, ...people.flatMap((person) => pseudonymsOf(runtime, person)), ...events];
    expect(await findAnywhere(this.#stepper, runtime, texts)).toEqual([]);
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
    const { rows: suppressed } = await this.#stepper.sql.query<{ subject_id: string }>(
      'select subject_id from analytics.privacy_suppressions',
    );
    const isStaying = (event: string) => !this.#model.isGoing(event);
    expect({
      live: pairs(live),
      keys: pairs(keys.filter(({ event_id }) => isStaying(event_id))),
      suppressed: suppressed.map((row) => row.subject_id).sort(),
    }).toEqual({
      live: sorted(this.#model.live),
      keys: sorted([...this.#model.claims].filter(([event]) => isStaying(event))),
      suppressed: this.#model.suppressed.flatMap((person) => pseudonymsOf(this.#stepper.runtime, person)).sort(),
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
