/**
 * How records follow each other in a file. A framing is an automaton over bytes: it is fresh at each record's first
 * byte, so a file can be read from the start of any record and gives the same records from there on.
 */
export interface Framing {
  /**
   * Goes on from where the last call ended: the same record in the next block, or a new record after `reset`.
   *
   * @param start where the record, or the rest of it, begins in `bytes`
   * @returns the index behind the record's last byte, or -1 when it goes on in the next block
   */
  findEnd(bytes: Buffer, start: number): number;
  /** The next byte is a record's first. */
  reset(): void;
  /** True when what was seen of the record is not whole: it broke off, or the file ended within it. */
  readonly isDamaged: boolean;
  /**
   * Where a damaged record ends after all, so that it does not take its neighbours with it. What stands behind is read
   * again as new records.
   *
   * @returns a length from 1 to that of `record`
   */
  resync(record: Buffer): number;
  /** Longest record that `resync` looks at; longer ones stay as they are. */
  readonly resyncBytes: number;
  /** The record without its terminator. */
  trim(record: Buffer): Buffer;
}
