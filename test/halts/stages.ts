import pg from 'pg';
import { waitFor } from '../support/wait-for.ts';
import type { HaltWorld } from './halt-world.ts';
import type { Gateway, Turnstile } from './turnstile.ts';

/** The statuses in which work is under way that a halt has to stop, in the order of a batch's journey. */
export const STAGES = ['planning', 'preparing', 'importing', 'verifying', 'publishing'] as const;
export type Stage = (typeof STAGES)[number];

/** By whom the batch is halted: a call of the API, or a person in psql. */
export const WAYS = ['api', 'psql'] as const;
export type Way = (typeof WAYS)[number];

/** The middle of a stage. */
export interface Middle {
  /** What shows that the work is in its middle now; undefined while it is not. */
  look(): Promise<string | undefined>;
  /** Lets go whatever keeps the work there. */
  leave(): Promise<void>;
}

export interface StageContext {
  world: HaltWorld;
  batchId: string;
  /** Where the batch's one object is below its prefix. */
  fileName: string;
  /** Bytes of the object as it is stored. */
  objectBytes: number;
  turnstile(gateway: Gateway): Turnstile;
  /**
   * Whether the work is kept in the middle of its stage (an answer of the object store that does not go on, a lock)
   * until the middle is left. Small objects need it; a large one is in its middle for long.
   */
  holds: boolean;
}

/** How much of the object goes by before the halt: more the second time, so that there is progress in between. */
const SHARES: Readonly<Record<Way, number>> = { api: 0.4, psql: 0.7 };
/** Parts that are asked for before the one that an importer is kept at. */
const PARTS_BEFORE = 3;
const PART_BYTES = 20_000;

type Enter = (context: StageContext, way: Way) => Promise<Middle>;

/** An object is read from the canary on, and may have come far before that has passed. */
const isIn = async ({ world }: StageContext, stage: Stage) =>
  (
    await world.sql.query(
      `select 1 from analytics.backfill_batches where case status when 'canary' then 'importing' else status end = $1`,
      [stage],
    )
  ).rowCount === 1;

function throughObject(context: StageContext, stage: Stage, way: Way, where: 'raw' | 'mirror'): Turnstile {
  const { world, batchId, fileName, objectBytes, holds } = context;
  const place =
    where === 'raw'
      ? { bucket: world.env.BACKFILL_RAW_BUCKET ?? '', prefix: `${batchId}/${fileName}` }
      : { bucket: world.env.BACKFILL_ARCHIVE_BUCKET ?? '', prefix: `raw/${batchId}/${fileName}` };
  const isMeant = () => isIn(context, stage);
  return context.turnstile({ ...place, isMeant, afterBytes: SHARES[way] * objectBytes, holds });
}

/** While an object is read from beginning to end. */
const whileRead =
  (stage: Stage, where: 'raw' | 'mirror', what: string): Enter =>
  async (context, way) => {
    const object = throughObject(context, stage, way, where);
    return {
      look: async () => (object.isReached() ? `${what} ${SHARES[way] * 100} % of the object` : undefined),
      leave: async () => object.open(),
    };
  };

/** Transactions of a service that have written something, or hold a place for a batch, for so long. */
async function findTransaction({ sql }: HaltWorld, service: string, sinceMs: number): Promise<string | undefined> {
  const { rows } = await sql.query<{ query: string }>(
    `select regexp_replace(left(query, 60), '\\s+', ' ', 'g') || coalesce(', waits for ' || wait_event, '') as query
       from pg_stat_activity
      where datname = current_database() and application_name = $1 and backend_xid is not null
        and xact_start < clock_timestamp() - $2 * interval '1 millisecond' limit 1`,
    [`backfill-${service}`, sinceMs],
  );
  return rows[0]?.query;
}

/** While the transformer is inside its object and importers are inside their transactions. */
const whileImported: Enter = async (context, way) => {
  const { world, batchId, holds } = context;
  const object = throughObject(context, 'importing', way, 'mirror');
  const part = context.turnstile({
    ...{ bucket: world.env.BACKFILL_ARCHIVE_BUCKET ?? '', prefix: `transformed/${batchId}/`, holds },
    ...{ isMeant: () => isIn(context, 'importing'), skip: PARTS_BEFORE, afterBytes: PART_BYTES },
  });
  return {
    async look() {
      if (!object.isReached() || !part.isReached()) return undefined;
      const { rows } = await world.sql.query<{ parts: number }>(
        `select count(*)::int as parts from analytics.backfill_import_parts where state = 'imported'`,
      );
      const transaction = await findTransaction(world, 'importer', 0);
      const where = `transformed ${SHARES[way] * 100} % of the object, ${rows[0]?.parts} parts imported`;
      return transaction && `${where}, the next in its transaction: ${transaction}`;
    },
    async leave() {
      object.open();
      part.open();
    },
  };
};

/** A connection that can hold something. */
async function connect({ env }: HaltWorld): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: env.DATABASE_URL });
  // When a run is given up, its database goes while this is still connected.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** While the staged rows are counted and compared. */
const whileMeasured: Enter = async ({ world, holds }) => {
  const holder = await connect(world);
  if (holds) {
    const { rows } = await holder.query<{ leaf: string }>(
      'select analytics.staging_leaf(batch_no) as leaf from analytics.backfill_batches',
    );
    await holder.query('begin');
    await holder.query(`lock table analytics.${rows[0]?.leaf} in access exclusive mode`);
  }
  return {
    async look() {
      const { rows } = await world.sql.query<{ query: string }>(
        `select regexp_replace(left(query, 60), '\\s+', ' ', 'g') || coalesce(', waits for ' || wait_event, '') as query
           from pg_stat_activity
          where datname = current_database() and application_name = 'backfill-verifier' and state = 'active'
            and query ~ 'events_backfill_staging'
            and (wait_event = 'relation' or not $1 and query_start < clock_timestamp() - interval '500 ms') limit 1`,
        [holds],
      );
      return rows[0] && `measures the staged rows: ${rows[0].query}`;
    },
    leave: () => holder.end(),
  };
};

/** While the rows are being written into the stored events, in their one transaction. */
const whilePublished: Enter = async ({ world, holds }) => {
  const rival = await connect(world);
  if (holds) {
    // Live ingestion is about to deliver the batch's last event: the publish has to wait for its outcome.
    const last = `from analytics.events_backfill_staging order by event_id desc limit 1`;
    // A reader of the stored events keeps it waiting, and it gives up soon, in favour of live writers.
    await waitFor('the day of the last event', () =>
      rival.query(`select analytics.ensure_event_day((event_ts at time zone 'UTC')::date) ${last}`).catch((error) => {
        if (error.code !== '55P03') throw error;
        return undefined;
      }),
    );
    await rival.query('begin');
    const columns = 'event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload';
    await rival.query(`insert into analytics.events_log (${columns}) select ${columns} ${last}`);
  }
  return {
    async look() {
      const transaction = await findTransaction(world, 'verifier', holds ? 0 : 2_000);
      const isThere = transaction !== undefined && (!holds || transaction.endsWith('transactionid'));
      return isThere ? `in its transaction: ${transaction}` : undefined;
    },
    leave: () => rival.end(),
  };
};

/** While the snapshot of the window is read back. Of an empty window it is small, so that it has to be held. */
const whileSnapshotRead: Enter = async (context) => {
  const { world, batchId, holds } = context;
  const snapshot = context.turnstile({
    ...{ bucket: world.env.BACKFILL_ARCHIVE_BUCKET ?? '', prefix: `snapshots/${batchId}/`, holds, afterBytes: 1 },
    isMeant: () => isIn(context, 'publishing'),
  });
  return {
    look: async () => (snapshot.isReached() ? 'has stored the snapshot and reads it back' : undefined),
    leave: async () => snapshot.open(),
  };
};

/** Makes ready for the middle of a stage, before the batch is set going. */
export function enterStage(stage: Stage, way: Way, context: StageContext): Promise<Middle> {
  const enter: Readonly<Record<Stage, Enter>> = {
    planning: whileRead('planning', 'raw', 'planned'),
    preparing: whileRead('preparing', 'raw', 'mirrored'),
    importing: whileImported,
    verifying: way === 'api' ? whileRead('verifying', 'mirror', 'read again') : whileMeasured,
    publishing: way === 'api' && context.holds ? whileSnapshotRead : whilePublished,
  };
  return enter[stage](context, way);
}
