import { inapplicableKpis } from '@backfill/core/config/kpi-policy';
import type { BackfillConfig } from '@backfill/core/config/load-config';
import type { Pool } from '@backfill/core/db/pool';
import { explainKpi } from '@backfill/core/db/queries/kpi-days-list';
import { queryFailure } from '@backfill/core/db/query-failure';
import { withTransaction } from '@backfill/core/db/transaction';
import { KPI_NAMES } from '@backfill/core/domain/kpi';
import { FatalError } from '@backfill/core/errors';

/**
 * Has the database read the definitions that the batch will be held against, before anybody approves them.
 *
 * @throws {FatalError} naming the file that it does not understand, with what it says.
 */
export async function checkKpis(pool: Pool, { policy, kpis }: BackfillConfig, source: string): Promise<void> {
  const excused = inapplicableKpis(policy.kpi, source);
  for (const kpi of KPI_NAMES.filter((name) => excused[name] === undefined)) {
    try {
      await withTransaction(pool, 'transformer', (client) => explainKpi(client, kpis[kpi]));
    } catch (error) {
      const failure = queryFailure(error);
      if (failure === undefined) throw error;
      throw new FatalError(`kpi/${kpi}.sql cannot be run: ${failure}`);
    }
  }
}
