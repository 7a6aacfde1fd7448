import {
  getLastCompleteRetention,
  getLastRetentionRun,
  listOpenRetentionRuns,
} from '@backfill/core/db/queries/retention-runs';
import { getServerClock } from '@backfill/core/db/queries/server-settings';
import type { Finding } from '@backfill/core/domain/finding';
import { formatQuantity } from '@backfill/core/text/format-number';
import type { Check } from './check.ts';

/** It runs every hour; the alert BackfillRetentionLate fires after as long. */
const LATE_MS = 2 * 3_600_000;
const SUBJECT = 'analytics.backfill_retention_runs';

/** When retention last ran with nothing left, and what the raw bucket keeps for too long. */
export const retention: Check = {
  name: 'retention',
  needs: ['database', 'schema'],
  async find({ pool }) {
    const findings: Finding[] = [];
    const complete = await getLastCompleteRetention(pool);
    const last = await getLastRetentionRun(pool);
    const now = (await getServerClock(pool)).getTime();
    if (complete === null || now - complete.getTime() > LATE_MS) {
      const since = complete === null ? 'ever' : `since ${complete.toISOString()}`;
      const left = last?.problems.length ? ` (the last run: ${last.problems.join('; ')})` : '';
      const asked = (await listOpenRetentionRuns(pool)).length > 0 ? ', though one is asked for' : '';
      findings.push({
        subject: SUBJECT,
        problem: `no run has deleted everything past its time ${since}${asked}${left}`,
        remedy: 'see that a rollback service runs, then ./backfill retention',
      });
    }
    const over = last?.over_age;
    if (over != null && over.objects > 0) {
      findings.push({
        subject: `bucket ${over.bucket}`,
        problem: `${formatQuantity(over.objects, 'object')} in it should have been deleted, the oldest of ${over.oldest}`,
        remedy:
          'have their owner delete them: this software never writes to the raw bucket (./backfill retention --dry-run tells whose they are)',
      });
    }
    return findings;
  },
};
