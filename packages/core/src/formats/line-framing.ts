import type { Framing } from './framing.ts';

const LF = 0x0a;
const CR = 0x0d;

/** Records that end with LF; a CR before it belongs to the terminator. The last one may lack it. */
export function createLineFraming(): Framing {
  return {
    findEnd: (bytes, start) => bytes.indexOf(LF, start) + 1 || -1,
    reset: () => undefined,
    isDamaged: false,
    resync: (record) => record.length,
    resyncBytes: 0,
    trim: trimLineEnd,
  };
}

/** Without LF or CR LF at the end; a CR alone is content. */
export function trimLineEnd(record: Buffer): Buffer {
  if (record.at(-1) !== LF) return record;
  return record.subarray(0, record.at(-2) === CR ? -2 : -1);
}
