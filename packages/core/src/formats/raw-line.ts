/** One record of a raw file, as bytes, before anything is known about it: a text line, a CSV record, a JSON value. */
export interface RawLine {
  /** Counted from 1 in the source file, whatever chunk the line is read from. */
  lineNo: number;
  /** The record without its terminator; undefined when it is longer than the limit. */
  bytes: Buffer | undefined;
  /** Length in the file with the terminator, so that the sum over all records is the file's size. */
  byteLength: number;
  /**
   * The record's event is the n-th of its kind in the file, as the plan has numbered it; absent for the first, and where
   * nobody counts.
   */
  occurrence?: number;
  /** The record was emptied because its person is to be forgotten: it counts as suppressed, whatever stands there. */
  isErased?: true;
  /** The record's end was guessed (see {@link Framing}): a chunk must not end here. */
  isDamaged?: true;
}
