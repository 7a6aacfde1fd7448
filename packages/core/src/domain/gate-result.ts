/** One measured gate. */
export interface GateResult {
  gate: string;
  threshold: number;
  /** Null where nothing could be measured; such a gate has failed. */
  observed: number | null;
  passed: boolean;
  /** The SQL or the procedure that gave the number. */
  procedure: string;
  /**
   * The figures behind it. `why` is the sentence that people are shown when it has failed, `note` one that they are shown
   * in any case, `error` what kept it from being measured, `not_applicable` the policy's reason why the source cannot
   * have it.
   */
  detail: Record<string, unknown>;
}
