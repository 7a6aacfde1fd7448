import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { hashedStream } from './hashed-stream.ts';

const SHA256_OF_ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';

it('passes the bytes on and hashes them', async () => {
  const body = new PassThrough();
  const { stream, sha256, size } = hashedStream(body, new AbortController().signal);
  body.write('a');
  body.end('bc');
  expect((await buffer(stream)).toString()).toBe('abc');
  expect([size(), sha256()]).toEqual([3, SHA256_OF_ABC]);
});

it('ends with the reason of the signal, also while the body does not come on', async () => {
  const body = new PassThrough();
  const stop = new AbortController();
  const { stream } = hashedStream(body, stop.signal);
  body.write('a');
  const read = expect(buffer(stream)).rejects.toThrow('stopped');
  stop.abort(new Error('stopped'));
  await read;
  expect(body.destroyed).toBe(true);
});

it('ends at once when it was stopped before', async () => {
  const reason = new Error('stopped');
  await expect(buffer(hashedStream(new PassThrough(), AbortSignal.abort(reason)).stream)).rejects.toBe(reason);
});

it('ends the body when nobody wants more of it, also while the body does not come on', async () => {
  const body = new PassThrough();
  const { stream } = hashedStream(body, new AbortController().signal);
  const closed = new Promise((resolve) => body.once('close', resolve));
  stream.destroy();
  await closed;
});

it('hands an error of the body on', async () => {
  const body = new PassThrough();
  const read = expect(buffer(hashedStream(body, new AbortController().signal).stream)).rejects.toThrow('broken');
  body.destroy(new Error('broken'));
  await read;
});
