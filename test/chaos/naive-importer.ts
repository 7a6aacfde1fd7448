// The control: an importer as one writes it at first. Each step commits on its own, whatever a job finds done already.
// Undisturbed it gives the right rows; the suite has to find out what becomes of them under faults.
import type { PartJob } from '@backfill/core/contracts/transformed-events';
import { transformedEvents } from '@backfill/core/contracts/transformed-events';
import { crashPoint } from '@backfill/core/crash-point';
import { listPartEvents } from '@backfill/core/db/queries/key-claim';
import { getPart, type Part } from '@backfill/core/db/queries/part-import';
import { withTransaction } from '@backfill/core/db/transaction';
import { advanceBatch } from '@backfill/core/dispatch/advance-batch';
import { type DuplicateKind, judgeRows } from '@backfill/core/domain/duplicate-kind';
import { runMain } from '@backfill/core/run-service';
import { createRuntime, type Runtime } from '@backfill/core/runtime/runtime';
import { createRuntimeConsumer, createWorkerService } from '@backfill/core/runtime/worker-service';
import { checkCanary } from '@backfill/importer/jobs/check-canary';
import { stagePartRows } from '@backfill/importer/jobs/stage-part-rows';

const ACTOR = 'importer';

async function claim({ pool }: Runtime, part: Part): Promise<Map<number, DuplicateKind>> {
  const eventIds = await listPartEvents(pool, part);
  const { rows: claimed } = await pool.query<{ event_id: string }>(
    `insert into analytics.backfill_event_checkpoint (event_id, batch_id, part_id)
     select distinct e, $2, $3::bigint from unnest($1::text[]) as e order by e
     on conflict do nothing returning event_id`,
    [eventIds, part.batch_id, part.part_id],
  );
  const ours = new Set(claimed.map((row) => row.event_id));
  const { rows: others } = await pool.query<{ event_id: string; batch_id: string }>(
    'select event_id, batch_id from analytics.backfill_event_checkpoint where event_id = any ($1)',
    [eventIds.filter((eventId) => !ours.has(eventId))],
  );
  const owners = new Map(others.map((row) => [row.event_id, row.batch_id]));
  return judgeRows(eventIds, part.batch_id, { live: new Map(), owners, givingWay: new Set() });
}

async function book({ pool }: Runtime, part: Part, kinds: ReadonlyMap<number, DuplicateKind>): Promise<void> {
  const count = (kind: DuplicateKind) => [...kinds.values()].filter((found) => found === kind).length;
  await pool.query(
    `insert into analytics.backfill_lineage (batch_id, event_id, source_file, line_no)
     select batch_id, event_id, source_file, line_no from analytics.backfill_event_checkpoint_raw
      where batch_id = $1 and source_file = $2 and line_no between $3 and $4
     on conflict do nothing`,
    [part.batch_id, part.source_file, part.first_line, part.first_line + part.line_count - 1],
  );
  await pool.query(
    `update analytics.backfill_import_parts
        set state = 'imported', imported_at = now(), inserted = event_count - $2 - $3,
            duplicate_same_batch = $2, duplicate_other_batch = $3
      where part_id = $1`,
    [part.part_id, count('same_batch'), count('other_batch')],
  );
}

async function importNaively(runtime: Runtime, job: PartJob, signal: AbortSignal): Promise<void> {
  const part = await getPart(runtime.pool, job.part_id);
  if (part === undefined) return;
  const kinds = await claim(runtime, part);
  crashPoint('import:claimed');
  await withTransaction(runtime.pool, ACTOR, (client) => stagePartRows(runtime, client, part, kinds, signal));
  crashPoint('import:staged');
  await book(runtime, part, kinds);
  crashPoint('import:committed');
  await advanceBatch(runtime.pool, job.batch_id, ACTOR);
  crashPoint('import:advanced');
}

await runMain('importer', (config) => {
  const runtime = createRuntime(config);
  return createWorkerService(runtime, [
    createRuntimeConsumer(runtime, transformedEvents, {
      canary: (payload, job) => importNaively(runtime, payload, job.signal),
      'check-canary': (payload, job) => checkCanary(runtime, payload, job.signal),
      import: (payload, job) => importNaively(runtime, payload, job.signal),
    }),
  ]);
});
