/** One thing that a check of the set-up has found. */
export interface Finding {
  /** What it is about: `DATABASE_URL`, `bucket analytics-raw`. */
  subject: string;
  /** What is wrong, in one sentence. Names hosts, buckets and regions, never secrets. */
  problem: string;
  /** The setting to mend it, in one sentence. */
  remedy: string;
}
