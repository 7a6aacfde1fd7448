import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { eventLine, WINDOW } from '../support/app-events.ts';
import { createConfigDir, withoutApprovals } from '../support/config-dir.ts';
import { nothingInDoubt } from '../support/keys-freed.ts';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import { waitFor } from '../support/wait-for.ts';
import { createStepper, type Stepper } from './stepper.ts';

// A publish that takes keys over in another database, killed between the phases of its commit.
let config: Awaited<ReturnType<typeof createConfigDir>>;
beforeAll(async () => {
  config = await createConfigDir((policy) => {
    withoutApprovals(policy);
    Object.assign(policy.gates.default, { duplicate_ratio: 1, max_overlap: 1 });
  });
});
afterAll(() => config.remove());

let stepper: Stepper;
const running = new Set<ServiceProcess>();
beforeEach(async () => {
  stepper = await createStepper('in a database of its own', { BACKFILL_CONFIG_DIR: config.dir });
});
afterEach(async () => {
  for (const verifier of running) await verifier.end('SIGTERM');
  running.clear();
  await stepper.dispose();
});

function startVerifier(crashAt?: string): ServiceProcess {
  const verifier = startServiceProcess('verifier', stepper.env, crashAt);
  running.add(verifier);
  return verifier;
}

async function verify(batchId: string, events: readonly number[]): Promise<void> {
  const text = events.map((event) => `${eventLine(event)}\n`).join('');
  await stepper.submit({ batchId, source: 'app', window: WINDOW }, { 'a.ndjson': text });
  for (let [due] = await stepper.dueJobs(batchId); due !== undefined; [due] = await stepper.dueJobs(batchId)) {
    await stepper.run(due);
  }
}

/** How many events and keys each batch has. */
async function owned() {
  const count = `select batch_id, count(*)::int as n from analytics.`;
  const { rows: live } = await stepper.sql.query(`${count}events group by 1 order by 1`);
  const { rows: keys } = await stepper.keys.query(`${count}backfill_event_checkpoint group by 1 order by 1`);
  return { live, keys };
}

it.each([
  ['publish:written', false],
  ['publish:prepared', false],
  ['publish:decided', true],
])(
  'killed at %s it leaves nothing in doubt, and is done by another one',
  async (crashAt, isDecided) => {
    await verify('owner', [0, 1]);
    await verify('heir', [1, 2]);
    await stepper.change('heir', ['awaiting_publish_approval'], 'publishing');
    expect(await startVerifier(crashAt).ended).toBe('SIGKILL');
    const done = {
      live: [{ batch_id: 'heir', n: 2 }],
      keys: [
        { batch_id: 'heir', n: 2 },
        { batch_id: 'owner', n: 1 },
      ],
    };
    const undone = {
      live: [],
      keys: [
        { batch_id: 'heir', n: 1 },
        { batch_id: 'owner', n: 2 },
      ],
    };
    // Until somebody looks, what is prepared is seen by nobody.
    expect(await owned()).toEqual({ ...(isDecided ? done : undone), keys: undone.keys });
    startVerifier();
    await waitFor('the batch to be published', async () => {
      const { rowCount } = await stepper.sql.query(
        `select 1 from analytics.backfill_batches where batch_id = 'heir' and status = 'published'`,
      );
      return rowCount === 1 || undefined;
    });
    await nothingInDoubt(stepper);
    expect(await owned()).toEqual(done);
  },
  120_000,
);
