import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from './canonical-json.ts';
import { tryParseJson } from './try-json.ts';

const hex = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().min(0);

/** Lines by what the second reading made of them. */
export const RecountedLines = z.object({
  accepted: count,
  quarantined: count,
  suppressed: count,
  expired: count,
  filtered: count,
});
export type RecountedLines = z.infer<typeof RecountedLines>;

/** What the second reading found in a mirrored file. */
export const FileReading = z.object({
  plan_hash: hex,
  /** Of the object that was read. */
  sha256: hex,
  lines: count,
  outcomes: RecountedLines,
  /** Over the number and the event of each accepted, the number of each quarantined line. */
  digest: hex,
});
export type FileReading = z.infer<typeof FileReading>;

/** Which file a reading is of. */
export interface ReadFile {
  batchId: string;
  fileNo: number;
}

/** A reading as it is kept: its text, and the proof that somebody with the key has written it. */
export interface SealedReading {
  result: string;
  seal: string;
}

const PURPOSE = 'backfill recount 1';

function sealOf(key: KeyObject, { batchId, fileNo }: ReadFile, result: string): Buffer {
  return createHmac('sha256', key).update(`${PURPOSE}\n${batchId}\n${fileNo}\n${result}`).digest();
}

/** Seals a reading with the key of the audit log (HMAC, RFC 2104), so that who owns the database cannot write one. */
export function sealReading(key: KeyObject, file: ReadFile, reading: FileReading): SealedReading {
  const result = canonicalJson(reading);
  return { result, seal: sealOf(key, file, result).toString('hex') };
}

/** The reading that was sealed; undefined when the seal or the text is not what the key's holder has written. */
export function openReading(key: KeyObject, file: ReadFile, sealed: SealedReading): FileReading | undefined {
  const given = Buffer.from(sealed.seal, 'hex');
  const expected = sealOf(key, file, sealed.result);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  return FileReading.safeParse(tryParseJson(sealed.result)).data;
}
