import { expect } from 'vitest';
import { eventLine, WINDOW } from '../support/app-events.ts';
import type { Stepper } from './stepper.ts';

/** A raw file of these events, by their numbers. */
export const fileOf = (events: readonly number[]) => ({
  'a.ndjson': events.map((event) => `${eventLine(event)}\n`).join(''),
});

/** Batches brought from one resting place to the next, job by job. */
export interface Walk {
  /** Runs all that the batch's status calls for, one after the other. @returns its status then */
  workOff(batchId: string): Promise<string | undefined>;
  statusOf(batchId: string): Promise<string | undefined>;
  verify(batchId: string, events: readonly number[]): Promise<void>;
  toPublishing(batchId: string): Promise<void>;
  publish(batchId: string): Promise<void>;
  rollBack(batchId: string): Promise<void>;
  /** Live events by their number, which is their hour, and who wrote them. */
  live(): Promise<Record<string, string | null>>;
}

export function createWalk(stepper: Stepper): Walk {
  async function workOff(batchId: string): Promise<string | undefined> {
    for (let [due] = await stepper.dueJobs(batchId); due !== undefined; [due] = await stepper.dueJobs(batchId)) {
      await stepper.run(due);
    }
    return statusOf(batchId);
  }

  async function statusOf(batchId: string): Promise<string | undefined> {
    const { rows } = await stepper.sql.query<{ status: string }>(
      'select status from analytics.backfill_batches where batch_id = $1',
      [batchId],
    );
    return rows[0]?.status;
  }

  async function verify(batchId: string, events: readonly number[]): Promise<void> {
    await stepper.submit({ batchId, source: 'app', window: WINDOW }, fileOf(events));
    expect(await workOff(batchId)).toBe('awaiting_publish_approval');
  }

  async function toPublishing(batchId: string): Promise<void> {
    expect(await stepper.change(batchId, ['awaiting_publish_approval'], 'publishing')).toBe(true);
  }

  async function publish(batchId: string): Promise<void> {
    await toPublishing(batchId);
    expect(await workOff(batchId)).toBe('published');
  }

  async function rollBack(batchId: string): Promise<void> {
    await stepper.change(batchId, ['awaiting_publish_approval', 'published', 'halted', 'verifying'], 'rolling_back');
    expect(await workOff(batchId)).toBe('rolled_back');
  }

  async function live(): Promise<Record<string, string | null>> {
    const { rows } = await stepper.sql.query<{ number: string; batch_id: string | null }>(
      `select extract(hour from event_ts at time zone 'UTC')::text as number, batch_id from analytics.events order by 1`,
    );
    return Object.fromEntries(rows.map(({ number, batch_id }) => [number, batch_id]));
  }

  return { workOff, statusOf, verify, toPublishing, publish, rollBack, live };
}
