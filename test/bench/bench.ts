/** What the command line may say; a bench takes what concerns it. */
export interface BenchOptions {
  /** Times that what is compared takes turns; the median counts. */
  rounds: number;
  /** Bytes of text of each big object. */
  sizes: readonly number[];
  /** How the big objects are compressed. */
  compressions: readonly string[];
  /** What of a bench to measure, by its own names; everything when absent. */
  only: readonly string[] | undefined;
  /** Tells a person how far it is. */
  say(line: string): void;
}

/** Figures of one kind: the units stand in the columns' names. */
export interface BenchTable {
  title: string;
  rows: readonly Readonly<Record<string, string | number>>[];
}

/** One named benchmark. */
export interface Bench {
  /** For the usage text. */
  summary: string;
  run(options: BenchOptions): Promise<BenchTable[]>;
}
