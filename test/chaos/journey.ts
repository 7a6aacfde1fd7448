import { setTimeout as sleep } from 'node:timers/promises';
import type { Role } from '@backfill/core/domain/approvals';
import { createObjectStore } from '@backfill/core/storage/object-store';
import { tokenVariable } from '@backfill/infra/api-tokens';
import { type ChaosBatch, filesOf, WINDOW } from './input.ts';
import { SIGNATURES } from './signatures.ts';
import type { World } from './world.ts';

/** What a client asks the API for. */
type Action = 'submit' | 'approve' | 'publish' | 'rollback' | 'resume';

/** How far a batch is. */
interface Position {
  batch_id: string;
  status: string;
  status_reason: string | null;
  attempt: number;
  /** Lines imported of lines planned. */
  imported: number;
  lines: number;
}

/** Statuses out of which only a person helps: none of the faults may lead there. */
const STUCK = ['halted', 'failed', 'gates_failed'];
const LOOK_EVERY_MS = 150;
const CALL_TIMEOUT_MS = 5_000;

/** How much of an attempt is behind a batch, by status; an import is as far as its lines. */
const SHARE_DONE: Readonly<Record<string, number>> = {
  planning: 0.05,
  awaiting_run_approval: 0.07,
  preparing: 0.1,
  canary: 0.15,
  importing: 0.2,
  verifying: 0.75,
  awaiting_publish_approval: 0.85,
  publishing: 0.9,
  published: 1,
  rolling_back: 1,
  rolled_back: 1,
};

async function readPositions(world: World): Promise<Map<string, Position>> {
  const rows = await world.ask<Position>(
    `select b.batch_id, b.status, b.status_reason, b.attempt,
            (select coalesce(sum(line_count), 0)::int from analytics.backfill_import_parts p
              where p.batch_id = b.batch_id and p.state = 'imported') as imported,
            (select coalesce(sum(line_count), 0)::int from analytics.backfill_files f
              where f.batch_id = b.batch_id) as lines
       from analytics.backfill_batches b`,
  );
  return new Map(rows.map((row) => [row.batch_id, row]));
}

const attemptsOf = (batch: ChaosBatch) => (batch.isUndone ? 2 : 1);
/** An undone batch runs again until every point at which a process is to die has been passed, but not for ever. */
const MOST_ATTEMPTS = 6;

/** Of all attempts of all batches, the share that is behind us. */
function progressOf(batches: readonly ChaosBatch[], positions: ReadonlyMap<string, Position>): number {
  let done = 0;
  for (const batch of batches) {
    const at = positions.get(batch.batchId);
    if (at === undefined) continue;
    const importing = at.status === 'importing' && at.lines > 0 ? (0.5 * at.imported) / at.lines : 0;
    done += at.attempt - 1 + (SHARE_DONE[at.status] ?? 0) + importing;
  }
  return done / batches.reduce((sum, batch) => sum + attemptsOf(batch), 0);
}

/**
 * The next call that brings a batch on; undefined while the services work, `done` when it has arrived.
 *
 * @param isOnceMore whether undone batches run again, beyond what they have to
 */
function nextCall(batch: ChaosBatch, at: Position | undefined, isOnceMore: boolean): Action | 'done' | undefined {
  if (at === undefined) return 'submit';
  if (at.status === 'awaiting_run_approval') return 'approve';
  if (at.status === 'awaiting_publish_approval') return 'publish';
  if (at.status === 'rolled_back') return 'resume';
  if (at.status === 'published') {
    const attempts = batch.isUndone && isOnceMore ? MOST_ATTEMPTS : attemptsOf(batch);
    return at.attempt < attempts ? 'rollback' : 'done';
  }
  return undefined;
}

/** False for what must come later, so that one batch takes over what another has claimed. */
function isDue(
  batch: ChaosBatch,
  action: Action | 'done' | undefined,
  batches: readonly ChaosBatch[],
  positions: ReadonlyMap<string, Position>,
): action is Action {
  const isAt = (batchId: string | undefined, ...statuses: string[]) =>
    batchId === undefined || [...statuses, ...STUCK].includes(positions.get(batchId)?.status ?? '');
  if (action === 'submit') return isAt(batch.takesOverFrom, 'awaiting_publish_approval', 'published');
  const heir = batches.find(({ takesOverFrom }) => takesOverFrom === batch.batchId);
  if (action === 'publish') return isAt(heir?.batchId, 'published');
  return action !== undefined && action !== 'done';
}

function describe(batch: ChaosBatch, at: Position | undefined): string {
  return `${batch.batchId} is ${at?.status ?? 'not there'}${at?.status_reason ? `: ${at.status_reason}` : ''}`;
}

/**
 * Posts as a client does that retries: an answer that does not come is asked for again, once the batch's status has been
 * looked at.
 */
async function post(world: World, role: Role, path: string, body: object): Promise<void> {
  const { env } = world;
  try {
    const answer = await fetch(`${env.BACKFILL_API_URL}/v1/batches${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${env[tokenVariable(role)]}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    });
    const text = await answer.text();
    // 409: an earlier call has arrived after all.
    if (!answer.ok && answer.status < 500 && answer.status !== 409) {
      throw new Error(`POST ${path} by ${role} was answered ${answer.status}: ${text}`);
    }
  } catch (error) {
    const isUnanswered = error instanceof TypeError || (error instanceof Error && error.name === 'TimeoutError');
    if (!isUnanswered) throw error;
  }
}

async function approve(world: World, { batchId }: ChaosBatch, stage: 'run' | 'publish'): Promise<void> {
  for (const role of SIGNATURES[stage]) {
    await post(world, role, `/${batchId}/approvals`, { stage, role, decision: 'approve' });
  }
}

/** Each undone batch is taken back with its snapshot first; one that is undone again, in the other ways too. */
const rollbackMode = (attempt: number) => ['snapshot', 'window', 'tombstone'][(attempt - 1) % 3];

async function call(world: World, batch: ChaosBatch, action: Action, attempt: number): Promise<void> {
  const { batchId } = batch;
  switch (action) {
    case 'submit':
      return post(world, 'submitter', '', {
        batch_id: batchId,
        source: 'app',
        reason: 'outage',
        input: `s3://${world.env.BACKFILL_RAW_BUCKET}/${batchId}/`,
        window: WINDOW,
      });
    case 'approve':
      return approve(world, batch, 'run');
    case 'publish':
      await approve(world, batch, 'publish');
      return post(world, 'operator', `/${batchId}/publish`, {});
    case 'rollback':
      return post(world, 'operator', `/${batchId}/rollback`, { mode: rollbackMode(attempt) });
    case 'resume':
      return post(world, 'operator', `/${batchId}/resume`, {});
  }
}

/** Writes the batches' files into the raw bucket, past whatever troubles the services' object store. */
export async function uploadInput(endpoint: string, world: World, batches: readonly ChaosBatch[]): Promise<void> {
  const { env } = world;
  const store = createObjectStore({
    endpoint,
    region: env.S3_REGION ?? '',
    accessKeyId: env.AWS_ACCESS_KEY_ID ?? '',
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '',
    rawBucket: env.BACKFILL_RAW_BUCKET ?? '',
    archiveBucket: env.BACKFILL_ARCHIVE_BUCKET ?? '',
  });
  for (const batch of batches) {
    for (const [name, body] of Object.entries(filesOf(batch))) {
      await store.put(env.BACKFILL_RAW_BUCKET ?? '', `${batch.batchId}/${name}`, body, 'text/plain');
    }
  }
  store.close();
}

export interface Journey {
  /** From 0 to 1. */
  progress(): number;
  /** Resolves when all batches have arrived or are stuck, with what is stuck. */
  ended: Promise<string[]>;
}

/**
 * Brings all batches to where they belong: published; the undone ones published, taken back and published again.
 *
 * @param timeoutMs after which what has not arrived counts as stuck
 */
export function travel(world: World, batches: readonly ChaosBatch[], timeoutMs: number): Journey {
  let progress = 0;
  const deadline = Date.now() + timeoutMs;

  async function goOn(): Promise<string[]> {
    for (;;) {
      const positions = await readPositions(world);
      progress = progressOf(batches, positions);
      const at = (batch: ChaosBatch) => positions.get(batch.batchId);
      const stuck = batches.filter((batch) => STUCK.includes(at(batch)?.status ?? ''));
      const arrived = batches.filter((batch) => nextCall(batch, at(batch), false) === 'done');
      const isOnceMore = arrived.length === batches.length && world.crashesLeft().length > 0;
      const open = batches.filter(
        (batch) => !stuck.includes(batch) && nextCall(batch, at(batch), isOnceMore) !== 'done',
      );
      if (open.length === 0) return stuck.map((batch) => describe(batch, at(batch)));
      if (Date.now() > deadline) return [...stuck, ...open].map((batch) => describe(batch, at(batch)));
      for (const batch of open) {
        const action = nextCall(batch, at(batch), isOnceMore);
        if (isDue(batch, action, batches, positions)) {
          await call(world, batch, action, at(batch)?.attempt ?? 1);
        }
      }
      await sleep(LOOK_EVERY_MS);
    }
  }

  return { progress: () => progress, ended: goOn() };
}
