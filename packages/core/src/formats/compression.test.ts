import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decompress, detectCompression } from './compression.ts';
import { CorruptInputError } from './corrupt-input-error.ts';

const first = gzipSync('first line\n'.repeat(500));
const second = gzipSync('second line\n'.repeat(500));
const bothTexts = 'first line\n'.repeat(500) + 'second line\n'.repeat(500);

async function read(parts: Buffer[]): Promise<string> {
  const chunks = await decompress(Readable.from(parts), 'gzip').toArray();
  return Buffer.concat(chunks).toString();
}

describe('detectCompression', () => {
  it('knows gzip by its first bytes', () => {
    expect(detectCompression(first)).toBe('gzip');
    expect(detectCompression(Buffer.from('{"a":1}'))).toBe('none');
    expect(detectCompression(Buffer.alloc(0))).toBe('none');
    expect(detectCompression(first.subarray(0, 2))).toBe('none');
  });
});

describe('decompress', () => {
  it('leaves plain bytes alone', async () => {
    const chunks = await decompress(Readable.from([Buffer.from('a\n')]), 'none').toArray();
    expect(Buffer.concat(chunks).toString()).toBe('a\n');
  });

  it('reads every member, however the bytes come', async () => {
    const bytes = Buffer.concat([first, second]);
    expect(await read([bytes])).toBe(bothTexts);
    expect(await read([first, second])).toBe(bothTexts);
    expect(await read([...bytes].map((byte) => Buffer.from([byte])))).toBe(bothTexts);
  });

  it.each([
    ['a cut member', [first.subarray(0, -3)]],
    ['a cut second member', [first, second.subarray(0, 30)]],
    ['one byte of a second member', [first, second.subarray(0, 1)]],
    ['a damaged byte', [Buffer.concat([first.subarray(0, 15), Buffer.from([0x55]), first.subarray(16)])]],
    ['a wrong checksum', [Buffer.concat([first.subarray(0, -8), Buffer.alloc(4), first.subarray(-4)])]],
    ['text behind the end', [Buffer.concat([first, Buffer.from('more')])]],
    ['zero padding', [Buffer.concat([first, Buffer.alloc(512)])]],
    ['zero padding in a piece of its own', [first, Buffer.alloc(512)]],
    ['a member behind zero padding', [Buffer.concat([first, Buffer.alloc(512), second])]],
    ['a member behind zero padding, in pieces', [first, Buffer.alloc(512), second]],
    ['nothing at all', []],
  ])('refuses %s', async (_, parts) => {
    await expect(read(parts)).rejects.toBeInstanceOf(CorruptInputError);
  });

  it('passes an error of the source on as it is', async () => {
    const broken = new Error('connection reset');
    const source = Readable.from(
      (async function* () {
        yield first.subarray(0, 20);
        throw broken;
      })(),
    );
    await expect(decompress(source, 'gzip').toArray()).rejects.toBe(broken);
  });

  it('destroys the source when the reader stops early', async () => {
    const source = new Readable({ read: () => undefined });
    source.push(first);
    const closed = new Promise((resolve) => source.once('close', resolve));
    for await (const chunk of decompress(source, 'gzip')) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    await closed;
    expect(source.destroyed).toBe(true);
  });
});
