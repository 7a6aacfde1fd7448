/** What became of the rows of a snapshot of a window when a batch was rolled back by it. */
export interface RestoredSnapshot {
  publish_id: number;
  path: string;
  /** Of the object, lower-case hex. */
  sha256: string;
  taken_at: string;
  rows: number;
  /** Live already. */
  kept: number;
  /** Live again. */
  restored: number;
  /** Not live again: of people who are suppressed by now. */
  suppressed: number;
  /** Not live again: older than events are kept. */
  expired: number;
  /** Not live again: another batch has replaced them. Absent in older proofs. */
  replaced?: number | undefined;
  /** Not live again: of other batches that were taken back since. */
  taken_back: number;
  /** Not live again: of the batch itself. */
  own: number;
  /** Live and not in the snapshot, which they stay, by their batch; `(live)` for live ingestion. */
  since: Record<string, number>;
  /** Ids of the first 20 of those. */
  since_examples: string[];
}

/** What became of the rows that a batch had replaced, when it was rolled back. */
export interface RevivedRows {
  /** Live again. */
  revived: number;
  /** Not live again: of people who are suppressed by now. */
  suppressed: number;
  /** Not live again: older than events are kept. */
  expired: number;
  /** Live already, since somebody else delivered them. */
  live: number;
}

/** What a rollback did and the proof of it, as it is stored. */
export interface RollbackProof {
  mode: string;
  actor: string;
  tombstoned: number;
  /** Of these: live all the same, of others who delivered them too. */
  handed_over: number;
  /** Null, like `keys_after`, while the keys still have to be freed in their own database. */
  keys_freed: number | null;
  live_rows_after: number;
  keys_after: number | null;
  /** Live rows of the batch outside of its window, which a rollback of the window leaves. */
  left_outside: number;
  jobs_after: number;
  /** `<number>:<sum of hashes>` of the live ids of the window that are not the batch's. */
  others_before: string | null;
  others_after: string | null;
  /** Others' rows that are not in these sums: written while the rollback was under way, or by it. */
  others_recent: number | null;
  /** Null for other modes, and where nothing of the batch had been published. */
  snapshot: RestoredSnapshot | null;
  /** Null where the batch had replaced nothing. */
  replaced: RevivedRows | null;
}
