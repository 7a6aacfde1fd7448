import { expect, it } from 'vitest';
import type { BatchDetail } from '../schemas/batch-view.ts';
import { progressEvents } from './stream-progress.ts';

const view = (status: string, linesRead: number) =>
  ({ status, progress: { lines_read: linesRead } }) as unknown as BatchDetail;

async function collect(views: BatchDetail[], looks = views.length): Promise<string[]> {
  let at = 0;
  let left = looks;
  const events = progressEvents(
    async () => views[Math.min(at++, views.length - 1)] as BatchDetail,
    async () => --left > 0,
  );
  const texts: string[] = [];
  for await (const text of events) texts.push(text);
  return texts;
}

it('tells changes only, and ends when the batch rests', async () => {
  const views = [view('importing', 1), view('importing', 1), view('importing', 2), view('published', 2)];
  const events = await collect(views, 100);
  expect(events).toEqual([
    `event: batch\ndata: ${JSON.stringify(views[0])}\n\n`,
    `event: batch\ndata: ${JSON.stringify(views[2])}\n\n`,
    `event: batch\ndata: ${JSON.stringify(views[3])}\n\n`,
  ]);
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
