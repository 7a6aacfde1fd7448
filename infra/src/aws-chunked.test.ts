import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { AwsChunkedDecoder, isAwsChunked } from './aws-chunked.ts';

const BODY = '5;chunk-signature=ab\r\nhello\r\n3\r\n\r\n!\r\n0;chunk-signature=cd\r\nx-amz-checksum-crc32:AAAA\r\n\r\n';

async function decode(pieces: string[]): Promise<string> {
  const source = Readable.from(pieces.map((piece) => Buffer.from(piece, 'latin1')));
  return (await buffer(source.compose(new AwsChunkedDecoder()))).toString('latin1');
}

it('takes the framing off, wherever the network cuts the body', async () => {
  expect(await decode([BODY])).toBe('hello\r\n!');
  expect(await decode([...BODY])).toBe('hello\r\n!');
});

it('decodes an empty body', async () => {
  expect(await decode(['0\r\n\r\n'])).toBe('');
});

it('refuses a body that ends early', async () => {
  await expect(decode(['5\r\nhel'])).rejects.toThrow('ends early');
});

it('refuses a body without framing', async () => {
  await expect(decode(['not framed\r\n'])).rejects.toThrow('not framed');
  await expect(decode(['2\r\nabc\r\n0\r\n'])).rejects.toThrow('longer than it says');
});

it('knows framed requests by their digest header', () => {
  expect(isAwsChunked({ 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' })).toBe(true);
  expect(isAwsChunked({ 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' })).toBe(false);
  expect(isAwsChunked({})).toBe(false);
});
