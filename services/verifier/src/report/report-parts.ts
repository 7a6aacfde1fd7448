import type { BalanceRow } from '@backfill/core/db/queries/balance-by-batch-list';
import type { FileBalanceRow } from '@backfill/core/db/queries/balance-by-file-list';
import type { RollbackRow } from '@backfill/core/db/queries/batch-view-rollback-list';
import type { GateResultRow } from '@backfill/core/db/queries/gate-result-list';
import type {
  KpiDay,
  ReportBalance,
  ReportFile,
  ReportGate,
  ReportKpi,
  ReportRollback,
} from '@backfill/core/report/report';
import { SamplesReference } from '@backfill/core/report/samples';
import { z } from 'zod';

type Counts = Omit<BalanceRow, 'batch_id'>;

const number = z.number().nullable().default(null);
/** What KPI gates put into their detail. */
const KpiDays = z.array(
  z.object({
    day: z.string(),
    in_window: z.boolean(),
    live: number,
    proposed: number,
    baseline: number,
    baseline_source: z.string().nullable().default(null),
  }),
);

/** Lines by outcome; all zero for a batch that has imported nothing. */
export function reportBalance(counts: Counts | undefined): ReportBalance {
  const { same_batch = 0, other_batch = 0, live = 0 } = counts ?? {};
  return {
    read: counts?.read ?? 0,
    inserted: counts?.inserted ?? 0,
    duplicate: same_batch + other_batch + live,
    ...{ same_batch, other_batch, live },
    suppressed: counts?.suppressed ?? 0,
    expired: counts?.expired ?? 0,
    filtered: counts?.filtered ?? 0,
    quarantined: counts?.quarantined ?? 0,
  };
}

export function reportFile(file: FileBalanceRow): ReportFile {
  const { source_file, size, sha256, format, compression, copy_sha256 } = file;
  return { source_file, size, sha256, format, compression, copy_sha256, ...reportBalance(file) };
}

export function reportGate({ batch_id: _of, measured_at, ...gate }: GateResultRow): ReportGate {
  return { ...gate, measured_at: measured_at.toISOString() };
}

/** The KPI gates with their days; gates that have none are no KPIs. */
export function reportKpis(gates: readonly Pick<ReportGate, 'gate' | 'detail'>[]): ReportKpi[] {
  return gates.flatMap(({ gate, detail }) => {
    const days: KpiDay[] | undefined = KpiDays.safeParse(detail.days).data;
    return days === undefined ? [] : [{ kpi: gate, days }];
  });
}

/** Where the gate `sample` has put its samples. */
export function samplesReference(gates: readonly Pick<ReportGate, 'gate' | 'detail'>[]): SamplesReference | undefined {
  return SamplesReference.safeParse(gates.find(({ gate }) => gate === 'sample')?.detail.samples).data;
}

export function reportRollback(row: RollbackRow | undefined): ReportRollback | null {
  if (row === undefined) return null;
  const { batch_id: _of, rolled_back_at, ...proof } = row;
  return { ...proof, rolled_back_at: rolled_back_at.toISOString() };
}
