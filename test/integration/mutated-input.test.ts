import { gzipSync, zstdCompressSync } from 'node:zlib';
import { MAGIC_BYTES } from '@backfill/core/formats/compression';
import { testRecipe } from '@backfill/core/recipe/recipe-fixture';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { damage } from '../support/bad-input/damage.ts';
import { MAX_LINE_BYTES } from '../support/bad-input/hostile-values.ts';
import {
  createEventCheck,
  expectBalance,
  expectSafeReasons,
  quotesInput,
  rowsOf,
} from '../support/bad-input/invariants.ts';
import { BAD_INPUT_SOURCES } from '../support/bad-input/sources.ts';
import { type Cut, createFileTransform, type TransformedFile } from '../support/bad-input/transform-file.ts';

/** The same files each time, so that a failure can be repeated; other seeds are for whoever looks for more. */
const RUNS = { seed: Number(process.env.FUZZ_SEED ?? 42), numRuns: Number(process.env.FUZZ_RUNS ?? 200) };

const ZERO = Buffer.from([0]);
const WHOLE: Cut = { blockBytes: 1 << 20, chunkBytes: 1 << 30, partLines: 1_000 };
const cut = fc.record({
  blockBytes: fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1_000, max: 100_000 })),
  chunkBytes: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 2_000 })),
  partLines: fc.integer({ min: 1, max: 4 }),
});
const foreign = fc.oneof(...Object.values(BAD_INPUT_SOURCES).map(({ file }) => file));

/** What must not depend on how a file was cut. */
function essence({ refusal, scanned, lines, parts }: TransformedFile) {
  const rows = parts.flatMap((part) => rowsOf(part));
  const ledger = parts.flatMap((part) => part.quarantineRows.map(String)).join('');
  return { refusal, header: scanned?.header, sha256: scanned?.sha256, lines, rows, ledger };
}

describe.each(Object.entries(BAD_INPUT_SOURCES))('damaged %s', (_, { source, file }) => {
  const recipe = testRecipe({ limits: { maxLineBytes: MAX_LINE_BYTES } }, source);
  const transform = createFileTransform(recipe);
  const checkEvent = createEventCheck(recipe);
  const damaged = fc.tuple(file, damage(foreign)).map(([bytes, change]) => change(bytes));

  it('has events, when nothing is damaged', async () => {
    let accepted = 0;
    const count = async (bytes: Buffer) => {
      const { lines } = await transform(bytes, WHOLE);
      accepted += lines.filter(({ outcome }) => outcome.outcome === 'accepted').length;
    };
    await fc.assert(fc.asyncProperty(file, count), RUNS);
    expect(accepted).toBeGreaterThan(RUNS.numRuns);
  });

  it('is accounted for line by line, the same in every cut', async () => {
    const check = async (bytes: Buffer, pieces: Cut) => {
      const whole = await transform(bytes, WHOLE);
      expect(quotesInput(whole.refusal ?? '')).toBe(false);
      expect(essence(await transform(bytes, pieces))).toEqual(essence(whole));
      if (whole.scanned === undefined) return;
      expectBalance(whole, bytes.length);
      expectSafeReasons(whole);
      const events = whole.lines.flatMap(({ outcome }) => (outcome.outcome === 'accepted' ? [outcome.event] : []));
      for (const event of events) checkEvent(event);
      expect(whole.parts.flatMap(rowsOf).map((row) => [row[0], row[6]])).toEqual(
        events.map(({ eventId, payload }) => [eventId, payload]),
      );
    };
    await fc.assert(fc.asyncProperty(damaged, cut, check), RUNS);
  });

  it.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ] as const)('is the same in %s, which is refused when it is damaged itself', async (_name, compress) => {
    const check = async (bytes: Buffer, pieces: Cut, change: (bytes: Buffer) => Buffer) => {
      const plain = await transform(bytes, WHOLE);
      const packed = await transform(compress(bytes), pieces);
      expect({ ...essence(packed), sha256: '' }).toEqual({ ...essence(plain), sha256: '' });
      const archive = compress(bytes);
      // At least its magic number is left: what has none is a plain file.
      const kept = MAGIC_BYTES + (bytes.length % (archive.length - MAGIC_BYTES));
      for (const wrong of [archive.subarray(0, kept), Buffer.concat([archive, ZERO, bytes])]) {
        expect((await transform(wrong, pieces)).refusal).toMatch(/^the file cannot be read to its end/);
      }
      const broken = await transform(change(archive), pieces);
      expect(quotesInput(broken.refusal ?? '')).toBe(false);
      expectSafeReasons(broken);
    };
    const runs = { ...RUNS, numRuns: Math.ceil(RUNS.numRuns / 5) };
    await fc.assert(fc.asyncProperty(damaged, cut, damage(foreign.map((bytes) => compress(bytes))), check), runs);
  });
});
