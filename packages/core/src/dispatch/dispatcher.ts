import pg from 'pg';
import { CONTRACTS } from '../contracts/contracts.ts';
import type { QueueContract } from '../contracts/define-queue.ts';
import { crashPoint } from '../crash-point.ts';
import type { Queryable } from '../db/pool.ts';
import { terminateStoppedWork } from '../db/queries/batch-fence.ts';
import { listDueOutboxEntries, markOutboxDispatched } from '../db/queries/outbox-dispatch.ts';
import { describeError } from '../errors.ts';
import type { Logger } from '../observability/logger.ts';
import type { Producer } from '../queue/producer.ts';
import type { AuditSealer } from './audit-sealer.ts';
import { paced } from './paced.ts';

/** Jobs of one queue that may be under way at once; the rest of the backlog waits in PostgreSQL. */
const DISPATCH_WINDOW = 500;
/**
 * Jobs of one queue that may wait in Redis for a worker: enough for all workers until the next look, and few, because
 * whatever comes later, of a small batch too, waits behind them.
 */
export const MOST_WAITING = 32;
const DISPATCH_EVERY_MS = 200;
const RECONCILE_EVERY_MS = 3_000;
const TERMINATE_EVERY_MS = 1_000;
const SEAL_EVERY_MS = 1_000;
const RECONNECT_AFTER_MS = 2_000;
/** Any constant does: whoever holds this advisory lock is the one dispatcher. */
const DISPATCHER_LOCK = 7_403_112_202;

export type Producers = Readonly<Record<string, Producer>>;

/** Sends what is due, once. The order (send, then mark) makes a crash in between a repeat, which the job id filters. */
export async function dispatchDue(db: Queryable, producers: Producers): Promise<number> {
  let sent = 0;
  for (const contract of Object.values<QueueContract>(CONTRACTS)) {
    const producer = producers[contract.name];
    const next = await listDueOutboxEntries(db, contract.name, { window: DISPATCH_WINDOW, most: MOST_WAITING });
    if (next.length === 0 || producer === undefined) continue;
    const room = MOST_WAITING - (await producer.countWaiting());
    if (room <= 0) continue;
    const due = next.slice(0, room);
    await producer.send(due.map((entry) => ({ kind: entry.kind, jobId: entry.job_id, payload: entry.payload })));
    crashPoint('dispatch:sent');
    await markOutboxDispatched(
      db,
      due.map((entry) => entry.outbox_id),
    );
    sent += due.length;
  }
  return sent;
}

export interface DispatcherOptions {
  databaseUrl: string;
  producers: Producers;
  logger: Logger;
  /** Called every few seconds by the dispatcher in office, on its own connection. */
  reconcile(db: Queryable): Promise<void>;
  /** Driven by the dispatcher in office, whatever Redis does. */
  sealer: Pick<AuditSealer, 'kick'>;
}

export interface Dispatcher {
  start(): void;
  stop(): Promise<void>;
}

const pause = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const over = () => {
      clearTimeout(timer);
      // A signal keeps what listens to it.
      signal.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    signal.addEventListener('abort', over);
  });

/** Tells when there is something new in the outbox (migration 22), also what came before it is asked. */
function createDoorbell(client: pg.Client): {
  listen(): Promise<void>;
  rung(ms: number, signal: AbortSignal): Promise<void>;
} {
  let hasRung = false;
  let wake: () => void = () => undefined;
  client.on('notification', () => {
    hasRung = true;
    wake();
  });
  return {
    async listen() {
      await client.query('listen backfill_outbox');
    },
    /** Waits until it rings, but not longer than this. */
    async rung(ms, signal) {
      const rang = new AbortController();
      wake = () => rang.abort();
      if (hasRung) wake();
      if (!rang.signal.aborted) await pause(ms, AbortSignal.any([signal, rang.signal]));
      hasRung = false;
    },
  };
}

async function takeOffice(client: pg.Client, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const { rows } = await client.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [
      DISPATCHER_LOCK,
    ]);
    if (rows[0]?.locked === true) return;
    await pause(RECONNECT_AFTER_MS, signal);
  }
}

/** One term of office: waits for the lock, then dispatches and reconciles until the connection or the stop ends it. */
async function serve(options: DispatcherOptions, signal: AbortSignal): Promise<void> {
  const { logger, producers } = options;
  const client = new pg.Client({
    connectionString: options.databaseUrl,
    application_name: 'backfill-dispatcher',
    // A frozen dispatcher loses its office with its session; a lock that somebody holds costs a turn, not the office.
    options: '-c timezone=UTC -c idle_session_timeout=15s -c lock_timeout=2s -c statement_timeout=30s',
    keepAlive: true,
  });
  client.on('error', (error) => logger.warn({ error: describeError(error) }, 'dispatcher lost its connection'));
  await client.connect();
  const doorbell = createDoorbell(client);
  let sealing: NodeJS.Timeout | undefined;
  try {
    await takeOffice(client, signal);
    await doorbell.listen();
    if (!signal.aborted) sealing = setInterval(() => options.sealer.kick(), SEAL_EVERY_MS);
    if (!signal.aborted) logger.info('dispatcher in office');
    const reconcile = paced(RECONCILE_EVERY_MS, () => options.reconcile(client));
    await together(signal, [
      async (over) => {
        while (!over.aborted) {
          await dispatchDue(client, producers);
          await reconcile();
          await doorbell.rung(DISPATCH_EVERY_MS, over);
        }
      },
      // Beside it: a halt takes effect in time also while Redis or a long look at the ledger keeps the others waiting.
      async (over) => {
        while (!over.aborted) {
          const ended = await terminateStoppedWork(client);
          if (ended > 0) logger.warn({ transactions: ended }, 'work of stopped batches was ended');
          await pause(TERMINATE_EVERY_MS, over);
        }
      },
    ]);
  } finally {
    clearInterval(sealing);
    await client.end();
  }
}

/** Runs loops until the signal, or until one fails; waits for all of them, and throws what the first has thrown. */
async function together(signal: AbortSignal, loops: ((over: AbortSignal) => Promise<void>)[]): Promise<void> {
  const failed = new AbortController();
  const over = AbortSignal.any([signal, failed.signal]);
  const running = loops.map((loop) => loop(over));
  try {
    await Promise.all(running);
  } finally {
    failed.abort();
    await Promise.allSettled(running);
  }
}

/**
 * Moves work from the outbox to BullMQ. Every service runs one; the advisory lock lets exactly one of them act, on a
 * connection of its own, and its loss (with that connection) lets the next one take over.
 */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await serve(options, stopping.signal);
      } catch (error) {
        options.logger.warn({ error: describeError(error) }, 'dispatcher interrupted');
        await pause(RECONNECT_AFTER_MS, stopping.signal);
      }
    }
  }

  return {
    start() {
      running = run();
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
