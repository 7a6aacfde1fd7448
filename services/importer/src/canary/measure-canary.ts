import type { Pool } from '@backfill/core/db/pool';
import { CANARY_ROWS_SQL, countCanary } from '@backfill/core/db/queries/canary-get';
import type { CanaryCounts, CanaryRows } from '@backfill/core/domain/canary';
import { FatalError } from '@backfill/core/errors';
import type { Plan } from '@backfill/core/plan/plan';
import { compileLeakFinder } from '@backfill/core/recipe/find-leaks';
import { compileTaxonomyCheck, type StoredEvent } from '@backfill/core/recipe/validate-event';
import QueryStream from 'pg-query-stream';

function count(findings: Map<string, number>, finding: string): void {
  findings.set(finding, (findings.get(finding) ?? 0) + 1);
}

/** Reads every staged row of the canary once, in bounded memory. */
async function inspectRows(pool: Pool, plan: Plan, signal: AbortSignal): Promise<CanaryRows> {
  const violationOf = compileTaxonomyCheck(plan.recipe);
  const leaksOf = compileLeakFinder(plan.recipe);
  const schema = new Map<string, number>();
  const leaks = new Map<string, number>();
  const client = await pool.connect();
  let failed = true;
  try {
    const rows = client.query(new QueryStream(CANARY_ROWS_SQL, [plan.batchId]));
    for await (const row of rows as AsyncIterable<StoredEvent>) {
      signal.throwIfAborted();
      const violation = violationOf(row);
      if (violation !== undefined) count(schema, violation);
      const found = leaksOf(row.payload).map(({ detector, path }) => `${detector} at ${path}`);
      for (const leak of new Set(found)) count(leaks, leak);
    }
    failed = false;
  } finally {
    client.release(failed);
  }
  return { schema, leaks };
}

/** Everything that is known about a batch's canary: its rows counted in the tables, and each staged one looked at. */
export async function measureCanary(
  pool: Pool,
  plan: Plan,
  signal: AbortSignal,
): Promise<{ counts: CanaryCounts; rows: CanaryRows }> {
  const counts = await countCanary(pool, plan.batchId);
  if (counts === undefined) throw new FatalError(`batch ${plan.batchId} has no canary`);
  return { counts, rows: await inspectRows(pool, plan, signal) };
}
