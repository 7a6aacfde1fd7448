import { hash } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';
import type { GateResult } from './gate-result.ts';
import type { JsonValue } from './json.ts';

/** What publish approvals are about. */
export interface GateSet {
  planHash: string;
  /** In any order. */
  results: readonly GateResult[];
  /** Of the rows to publish; null where they could not be read. */
  rowsDigest: string | null;
}

/**
 * What publish approvals bind to: the plan, every gate with all that is shown of it (its numbers, the SQL or procedure, and
 * the figures behind them), and the digest of the rows to publish. sha256 of the canonical JSON of
 * `{plan_hash, gates: [{gate, threshold, observed, passed, procedure, detail}], rows_digest}`, the gates by name; so whoever
 * has a `report.json` can form it. When they were measured is not in it: the same figures have the same hash.
 * Lower-case hex.
 */
export function gateSetHash({ planHash, results, rowsDigest }: GateSet): string {
  const gates = results
    .map(({ gate, threshold, observed, passed, procedure, detail }) => {
      return { gate, threshold, observed, passed, procedure, detail };
    })
    .toSorted((a, b) => (a.gate < b.gate ? -1 : 1));
  // As the database gives it back: without members that are undefined.
  const stored: JsonValue = JSON.parse(JSON.stringify({ plan_hash: planHash, gates, rows_digest: rowsDigest }));
  return hash('sha256', canonicalJson(stored), 'hex');
}
