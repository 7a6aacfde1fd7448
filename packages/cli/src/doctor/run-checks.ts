import type { Finding } from '@backfill/core/domain/finding';
import { describeError } from '@backfill/core/errors';
import { auditLog } from './audit-log.ts';
import { buckets } from './buckets.ts';
import type { Check, DoctorTools, Need } from './check.ts';
import { clocks } from './clocks.ts';
import { dedupStore } from './dedup-store.ts';
import { incidents } from './incidents.ts';
import { postgresql } from './postgresql.ts';
import { queues } from './queues.ts';
import { redis } from './redis.ts';
import { findResidency } from './residency.ts';
import { retention } from './retention.ts';
import { schema } from './schema.ts';
import { findServers } from './servers.ts';
import { versions } from './versions.ts';

const CHECKS: readonly Check[] = [
  versions,
  schema,
  postgresql,
  redis,
  buckets,
  clocks,
  dedupStore,
  auditLog,
  queues,
  retention,
  incidents,
];

/** What a check has found, or that nobody could look. */
export interface Result {
  check: string;
  passed: boolean;
  findings: Finding[];
  /** What is in the way of looking. */
  blocked_by?: Need[];
}

async function run(check: Check, tools: DoctorTools): Promise<Finding[]> {
  try {
    return await check.find(tools);
  } catch (error) {
    const problem = `it cannot be looked at (${describeError(error)})`;
    return [{ subject: check.name, problem, remedy: 'see that the servers run and stay up, and look again' }];
  }
}

function toResult(check: string, findings: Finding[]): Result {
  return { check, passed: findings.length === 0, findings };
}

/** Looks at everything in turn. What needs a server that is away or not allowed, or another schema, is left out. */
export async function runChecks(tools: DoctorTools): Promise<Result[]> {
  const residency = await findResidency(tools);
  const servers = await findServers(tools, residency.barred);
  const barred = new Set<Need>([...residency.barred, ...servers.barred]);
  const results = [toResult('residency', residency.findings), toResult('servers', servers.findings)];
  for (const check of CHECKS) {
    const blocked = check.needs.filter((need) => barred.has(need));
    if (blocked.length > 0) {
      results.push({ ...toResult(check.name, []), passed: false, blocked_by: blocked });
      continue;
    }
    const result = toResult(check.name, await run(check, tools));
    results.push(result);
    if (check === schema && !result.passed) barred.add('schema');
  }
  return results;
}
