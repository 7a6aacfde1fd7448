import { expect, it } from 'vitest';
import type { BatchDetail } from '../schemas/batch-view.ts';
import { eventId, progressEvents } from './stream-progress.ts';

const view = (status: string, linesRead: number) =>
  ({ status, progress: { lines_read: linesRead } }) as unknown as BatchDetail;

async function collect(views: BatchDetail[], looks = views.length, seen?: string): Promise<string[]> {
  let at = 0;
  let left = looks;
  const events = progressEvents(
    async () => views[Math.min(at++, views.length - 1)] as BatchDetail,
    async () => --left > 0,
    seen,
  );
  const texts: string[] = [];
  for await (const text of events) texts.push(text);
  expect(texts.shift()).toBe('retry: 2000\n\n');
  return texts;
}

it('tells changes only, and ends when the batch rests', async () => {
  const views = [view('importing', 1), view('importing', 1), view('importing', 2), view('published', 2)];
  const events = await collect(views, 100);
  expect(events).toEqual(
    [views[0], views[2], views[3]].map(
      (told) => `id: ${eventId(told as BatchDetail)}\nevent: batch\ndata: ${JSON.stringify(told)}\n\n`,
    ),
  );
});

it('goes on behind what the client has seen', async () => {
  const views = [view('importing', 1), view('importing', 2), view('published', 2)];
  const [, second, third] = await collect(views, 100);
  expect(await collect(views, 100, eventId(views[0] as BatchDetail))).toEqual([second, third]);
  // What is not seen any more cannot be told: it begins with what is now.
  expect(await collect(views, 100, 'unknown')).toHaveLength(3);
});

it('tells a batch that rests once', async () => {
  expect(await collect([view('halted', 1)])).toHaveLength(1);
});

it('ends when the service stops', async () => {
  expect(await collect([view('importing', 1)], 1)).toHaveLength(1);
});

it('keeps a silent stream open with comments', async () => {
  const events = await collect([view('importing', 1)], 61);
  expect(events.slice(1)).toEqual([': still here\n\n', ': still here\n\n']);
});
