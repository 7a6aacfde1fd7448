import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { sideBySide } from './side-by-side.ts';

const running = () => new AbortController().signal;

describe('sideBySide', () => {
  it('gives both results in their order', async () => {
    const both = await sideBySide(running(), () => [sleep(1, 'slow'), Promise.resolve('fast')]);
    expect(both).toEqual(['slow', 'fast']);
  });

  it('aborts the other when one fails, and waits for its end', async () => {
    const ended: string[] = [];
    const slow = async (signal: AbortSignal) => {
      await sleep(60_000, undefined, { signal }).catch(() => undefined);
      await sleep(1);
      ended.push('slow');
    };
    const both = sideBySide(running(), (signal) => [slow(signal), Promise.reject(new Error('broken'))]);
    await expect(both).rejects.toThrow('broken');
    expect(ended).toEqual(['slow']);
  });

  it('stops both at the signal of the caller', async () => {
    const stopping = new AbortController();
    const wait = (signal: AbortSignal) => sleep(60_000, undefined, { signal });
    const both = sideBySide(stopping.signal, (signal) => [wait(signal), wait(signal)]);
    stopping.abort(new Error('stopped'));
    await expect(both).rejects.toThrow();
  });
});
