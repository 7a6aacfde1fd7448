import type { Finding } from '@backfill/core/domain/finding';
import { describeReason } from '@backfill/core/errors';
import type { DoctorTools, Need } from './check.ts';

interface Server {
  need: Need;
  name: string;
  subject: string;
  /** Throws when it does not answer. */
  greet(tools: DoctorTools): Promise<unknown>;
}

const SERVERS: readonly Server[] = [
  { need: 'database', name: 'PostgreSQL', subject: 'DATABASE_URL', greet: ({ pool }) => pool.query('select 1') },
  {
    need: 'database',
    name: 'the PostgreSQL of the dedup store',
    subject: 'CHECKPOINT_DATABASE_URL',
    greet: async ({ keyStore }) => keyStore.isSeparate && keyStore.pool.query('select 1'),
  },
  { need: 'redis', name: 'Redis', subject: 'REDIS_URL', greet: ({ redis }) => redis.connect() },
];

/** Whether the servers answer at all; residency has asked the object store. */
export async function findServers(
  tools: DoctorTools,
  barred: readonly Need[],
): Promise<{ findings: Finding[]; barred: Need[] }> {
  const findings: Finding[] = [];
  const away: Need[] = [];
  for (const { need, name, subject, greet } of SERVERS) {
    if (barred.includes(need) || away.includes(need)) continue;
    try {
      await greet(tools);
    } catch (error) {
      const problem = `${name} cannot be worked with (${describeReason(error)})`;
      findings.push({ subject, problem, remedy: `start it (npm start), or point ${subject} to where it is` });
      away.push(need);
    }
  }
  return { findings, barred: away };
}
