/** One measured gate. */
export interface GateResult {
  gate: string;
  threshold: number;
  observed: number;
  passed: boolean;
  /** The SQL or the procedure that gave the number. */
  procedure: string;
  /** The figures behind it. */
  detail: Record<string, unknown>;
}
