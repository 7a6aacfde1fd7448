/** One line of a raw file, as bytes, before anything is known about it. */
export interface RawLine {
  /** Counted from 1 in the source file, whatever chunk the line is read from. */
  lineNo: number;
  /** The line without its terminator; undefined when it is longer than the limit. */
  bytes: Buffer | undefined;
  /** Length in the file with the terminator, so that the sum over all lines is the file's size. */
  byteLength: number;
}
