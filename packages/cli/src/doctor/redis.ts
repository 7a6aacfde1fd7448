import type { Finding } from '@backfill/core/domain/finding';
import { readServerInfo } from '@backfill/core/queue/read-server';
import type { Check } from './check.ts';

const SUBJECT = 'REDIS_URL';
/** Share of its memory from which on it is about to refuse jobs. */
const NEARLY_ALL = 0.9;

function finding(problem: string, remedy: string): Finding {
  return { subject: SUBJECT, problem, remedy };
}

/** What is wrong with a Redis by what it says about itself. Nothing there is the truth, but work stands still without it. Pure. */
export function infoFindings(info: Readonly<Record<string, string>>): Finding[] {
  const { maxmemory_policy: policy, aof_enabled: aof, aof_last_write_status: lastWrite, role } = info;
  const [most, used] = [Number(info.maxmemory ?? 0), Number(info.used_memory ?? 0)];
  const findings: Finding[] = [];
  if (policy !== undefined && policy !== 'noeviction') {
    const remedy = 'config set maxmemory-policy noeviction, and the same line in its redis.conf';
    findings.push(
      finding(`maxmemory-policy is ${policy}, so that it throws jobs away when its memory is full`, remedy),
    );
  }
  if (aof === '0') {
    const remedy = 'config set appendonly yes, and the same line in its redis.conf';
    findings.push(finding('appendonly is no, so that every restart of it delays the work under way', remedy));
  }
  if (lastWrite === 'err') {
    findings.push(finding('it cannot write its append-only file', 'see its log, and whether its disk is full'));
  }
  if (role !== undefined && role !== 'master') {
    findings.push(finding('it is a replica, which takes no jobs', 'point REDIS_URL to the primary'));
  }
  if (most > 0 && used >= most * NEARLY_ALL) {
    const remedy = 'raise maxmemory, or find out who else uses it: jobs hold ids only and take little';
    findings.push(finding(`${used} of its ${most} bytes of memory are taken`, remedy));
  }
  return findings;
}

export const redis: Check = {
  name: 'Redis',
  needs: ['redis'],
  find: async ({ redis }) => infoFindings(await readServerInfo(redis)),
};
