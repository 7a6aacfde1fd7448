import { CANARY_ROWS_SQL, countCanary } from '@backfill/core/db/queries/canary-get';
import { readRows } from '@backfill/core/db/read-rows';
import type { BatchReader } from '@backfill/core/dispatch/read-for-batch';
import type { CanaryCounts, CanaryRows } from '@backfill/core/domain/canary';
import { FatalError } from '@backfill/core/errors';
import type { Plan } from '@backfill/core/plan/plan';
import { compileLeakFinder } from '@backfill/core/recipe/find-leaks';
import { compileTaxonomyCheck, type StoredEvent } from '@backfill/core/recipe/validate-event';

function count(findings: Map<string, number>, finding: string): void {
  findings.set(finding, (findings.get(finding) ?? 0) + 1);
}

/** Reads every staged row of the canary once, in bounded memory. */
async function inspectRows(read: BatchReader, plan: Plan, signal: AbortSignal): Promise<CanaryRows> {
  const violationOf = compileTaxonomyCheck(plan.recipe);
  const leaksOf = compileLeakFinder(plan.recipe);
  const schema = new Map<string, number>();
  const leaks = new Map<string, number>();
  const inspect = (row: StoredEvent) => {
    const violation = violationOf(row);
    if (violation !== undefined) count(schema, violation);
    const found = leaksOf(row.payload).map(({ detector, path }) => `${detector} at ${path}`);
    for (const leak of new Set(found)) count(leaks, leak);
  };
  await read(async (client) => {
    for await (const rows of readRows<StoredEvent>(client, CANARY_ROWS_SQL, [plan.batchId], 100)) {
      signal.throwIfAborted();
      for (const row of rows) inspect(row);
    }
  });
  return { schema, leaks };
}

/** Everything that is known about a batch's canary: its rows counted in the tables, and each staged one looked at. */
export async function measureCanary(
  read: BatchReader,
  plan: Plan,
  signal: AbortSignal,
): Promise<{ counts: CanaryCounts; rows: CanaryRows }> {
  const counts = await read((client) => countCanary(client, plan.batchId));
  if (counts === undefined) throw new FatalError(`batch ${plan.batchId} has no canary`);
  return { counts, rows: await inspectRows(read, plan, signal) };
}
