import { createSecretKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type FileReading, openReading, sealReading } from './recount-seal.ts';

const key = createSecretKey(Buffer.alloc(32, 1));
const file = { batchId: 'b', fileNo: 3 };
const reading: FileReading = {
  plan_hash: 'a'.repeat(64),
  sha256: 'b'.repeat(64),
  lines: 5,
  outcomes: { accepted: 2, quarantined: 1, suppressed: 0, expired: 1, filtered: 1 },
  digest: 'c'.repeat(64),
};
const sealed = sealReading(key, file, reading);

describe('openReading', () => {
  it('gives back what was sealed', () => {
    expect(openReading(key, file, sealed)).toEqual(reading);
  });

  it.each([
    ['a changed result', file, { ...sealed, result: sealed.result.replace('"lines":5', '"lines":6') }],
    ['a changed seal', file, { ...sealed, seal: sealed.seal.replace(/^./, (c) => (c === '0' ? '1' : '0')) }],
    ['an empty seal', file, { ...sealed, seal: '' }],
    ['the reading of another file', { ...file, fileNo: 4 }, sealed],
    ['the reading of another batch', { ...file, batchId: 'b2' }, sealed],
  ])('refuses %s', (_, of, given) => {
    expect(openReading(key, of, given)).toBeUndefined();
  });

  it('refuses what was sealed under another key', () => {
    expect(openReading(createSecretKey(Buffer.alloc(32, 2)), file, sealed)).toBeUndefined();
  });

  it('refuses what has the form of no reading', () => {
    const odd = sealReading(key, file, { ...reading, lines: -1 });
    expect(openReading(key, file, odd)).toBeUndefined();
  });
});
