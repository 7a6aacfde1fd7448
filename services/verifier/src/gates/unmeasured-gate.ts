import { queryFailure } from '@backfill/core/db/query-failure';
import type { GateResult } from '@backfill/core/domain/gate-result';

/**
 * The results of gates that are measured together, or the same gates failed when a query behind them failed or took too
 * long: the others are measured all the same. Whatever is nothing against the query (a stopped batch, a lost database, a
 * bug) goes on as it is.
 *
 * @param thresholds by gate
 */
export async function orUnmeasured(
  thresholds: Readonly<Record<string, number>>,
  measure: () => Promise<GateResult[]>,
): Promise<GateResult[]> {
  try {
    return await measure();
  } catch (error) {
    const failure = queryFailure(error);
    if (failure === undefined) throw error;
    return Object.entries(thresholds).map(([gate, threshold]) => unmeasured(gate, threshold, failure));
  }
}

/**
 * One gate, measured or failed; none where the plan has no threshold for it, being older than the gate: a batch is judged
 * by what was approved.
 */
export async function orUnmeasuredOne(
  gate: string,
  threshold: number | undefined,
  measure: (threshold: number) => Promise<GateResult>,
): Promise<GateResult[]> {
  if (threshold === undefined) return [];
  return orUnmeasured({ [gate]: threshold }, async () => [await measure(threshold)]);
}

/** A gate that could not be measured. */
export function unmeasured(gate: string, threshold: number, error: string): GateResult {
  return {
    gate,
    threshold,
    observed: null,
    passed: false,
    procedure: 'not measured',
    detail: { error, why: `could not be measured: ${error}` },
  };
}
