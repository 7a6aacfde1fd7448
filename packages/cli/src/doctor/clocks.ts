import { getServerClock } from '@backfill/core/db/queries/server-settings';
import type { Finding } from '@backfill/core/domain/finding';
import { readServerClock } from '@backfill/core/queue/read-server';
import { readStoreClock } from '@backfill/core/storage/read-store-clock';
import type { Check, DoctorTools } from './check.ts';

/** The object store tells whole seconds, and an answer takes its time: less than this says nothing. */
const MOST_APART_MS = 5_000;
const STORE_TIMEOUT_MS = 10_000;

/** How far another clock is ahead of ours, ms; what the answer took is given to it by halves. */
async function aheadMs(read: () => Promise<Date | undefined>): Promise<number> {
  const before = Date.now();
  const there = await read();
  const after = Date.now();
  return there === undefined ? 0 : there.getTime() - (before + after) / 2;
}

function clocksOf({ pool, redis, config }: DoctorTools): [string, () => Promise<Date | undefined>][] {
  return [
    ['DATABASE_URL', () => getServerClock(pool)],
    ['REDIS_URL', () => readServerClock(redis)],
    ['S3_ENDPOINT', () => readStoreClock(config.storage.endpoint, STORE_TIMEOUT_MS)],
  ];
}

/** This machine's clock against those of the servers: deadlines, delays and signatures of requests go by them. */
export const clocks: Check = {
  name: 'clocks',
  needs: ['database', 'redis', 'store'],
  async find(tools) {
    const findings: Finding[] = [];
    for (const [subject, read] of clocksOf(tools)) {
      const ahead = await aheadMs(read);
      if (Math.abs(ahead) <= MOST_APART_MS) continue;
      const seconds = Math.round(Math.abs(ahead) / 1_000);
      const problem = `its clock is ${seconds} s ${ahead > 0 ? 'ahead of' : 'behind'} the one of this machine`;
      findings.push({ subject, problem, remedy: 'have both machines set their clocks by NTP' });
    }
    return findings;
  },
};
