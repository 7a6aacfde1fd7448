import { Readable } from 'node:stream';
import { constants, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decompress, detectCompression } from './compression.ts';
import { CorruptInputError } from './corrupt-input-error.ts';

const CHECKSUM = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };
const first = zstdCompressSync('first line\n'.repeat(500));
const second = zstdCompressSync('second line\n'.repeat(500), CHECKSUM);
const empty = zstdCompressSync('');
const bothTexts = 'first line\n'.repeat(500) + 'second line\n'.repeat(500);

/** A skippable frame, as pzstd and seekable files have them (RFC 8878, 3.1.2). */
function skippable(content: Buffer, variant = 0): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x184d2a50 + variant, 0);
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content]);
}

async function read(parts: Buffer[]): Promise<string> {
  return Buffer.concat(await decompress(Readable.from(parts), 'zstd').toArray()).toString();
}

describe('zstd', () => {
  it('is known by its first bytes, a skippable frame included', () => {
    expect(detectCompression(first)).toBe('zstd');
    expect(detectCompression(skippable(Buffer.alloc(0), 15))).toBe('zstd');
    expect(detectCompression(first.subarray(0, 3))).toBe('none');
    expect(detectCompression(Buffer.from('(5/'))).toBe('none');
  });

  it.each([
    ['several frames', [first, second]],
    ['frames in one piece', [Buffer.concat([first, second])]],
    ['a byte at a time', [...Buffer.concat([first, second])].map((byte) => Buffer.from([byte]))],
    ['empty frames between', [empty, first, empty, empty, second, empty]],
    [
      'skippable frames between',
      [skippable(Buffer.from('x')), first, skippable(first, 7), second, skippable(Buffer.alloc(0))],
    ],
    [
      'skippable frames, a byte at a time',
      [...Buffer.concat([skippable(first), first, skippable(second), second])].map((byte) => Buffer.from([byte])),
    ],
  ])('reads %s', async (_, parts) => {
    expect(await read(parts)).toBe(bothTexts);
  });

  it('reads blocks of every type and size, however frames and bytes are cut', async () => {
    const texts = fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
        fc.nat(400_000).map((size) => Buffer.alloc(size, 'r')),
      ),
      { maxLength: 4 },
    );
    await fc.assert(
      fc.asyncProperty(texts, fc.integer({ min: 1, max: 5_000 }), async (contents, blockBytes) => {
        const bytes = Buffer.concat(contents.map((content) => zstdCompressSync(content, CHECKSUM)));
        const parts = Array.from({ length: Math.ceil(bytes.length / blockBytes) }, (__, n) =>
          bytes.subarray(n * blockBytes, (n + 1) * blockBytes),
        );
        const plain = Buffer.concat(await decompress(Readable.from(parts), 'zstd').toArray());
        expect(plain.equals(Buffer.concat(contents))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('refuses data that is cut anywhere', async () => {
    const whole = Buffer.concat([first, skippable(Buffer.from('abc')), second]);
    const ends = new Set([first.length, whole.length - second.length, 0]);
    for (let length = 1; length < whole.length; length++) {
      if (ends.has(length)) continue;
      await expect(read([whole.subarray(0, length)]), `cut to ${length}`).rejects.toBeInstanceOf(CorruptInputError);
    }
  });

  it.each([
    [
      'a wrong checksum',
      [first, Buffer.concat([second.subarray(0, -1), Buffer.from([(second.at(-1) as number) ^ 1])])],
    ],
    ['text behind the end', [first, Buffer.from('more text')]],
    ['zero padding', [first, Buffer.alloc(512)]],
    ['one byte behind the end', [first, Buffer.from([0x28])]],
    ['a block of a reserved type', [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x01, 0x07, 0x00, 0x00])]],
  ])('refuses %s', async (_, parts) => {
    await expect(read(parts)).rejects.toBeInstanceOf(CorruptInputError);
  });

  it('passes an error of the source on as it is', async () => {
    const broken = new Error('connection reset');
    const source = Readable.from(
      (async function* () {
        yield Buffer.concat([first, second.subarray(0, 12)]);
        throw broken;
      })(),
    );
    await expect(decompress(source, 'zstd').toArray()).rejects.toBe(broken);
  });

  it('destroys the source when the reader stops early', async () => {
    const source = new Readable({ read: () => undefined });
    source.push(first);
    const closed = new Promise((resolve) => source.once('close', resolve));
    for await (const chunk of decompress(source, 'zstd')) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    await closed;
    expect(source.destroyed).toBe(true);
  });
});
