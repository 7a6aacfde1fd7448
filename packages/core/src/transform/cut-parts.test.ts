import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import type { RawLine } from '../formats/raw-line.ts';
import type { LineOutcome } from '../recipe/line-outcome.ts';
import { cutParts } from './cut-parts.ts';

const chunk = { batch_id: 'b', source_file: 'a.log', first_line: 1, line_count: 10 };
const lines: RawLine[] = Array.from({ length: 10 }, (_, index) => ({
  lineNo: index + 1,
  bytes: undefined,
  byteLength: 5,
}));

function transform({ lineNo }: RawLine): LineOutcome {
  const event = { eventId: `id-${lineNo}`, eventName: 'e', schemaVersion: '1-0-0', eventTsMs: 0 };
  return { outcome: 'accepted', event: { ...event, sessionId: null, subjectId: null, payload: '{"größe":1}' } };
}

async function* streamed(): AsyncGenerator<RawLine[]> {
  yield lines.slice(0, 3);
  yield lines.slice(3);
}

it('gives each part whole, under its checksum, in memory that the one before had', async () => {
  const seen: { text: string; memory: ArrayBufferLike | undefined }[] = [];
  const options = { done: { parts: 0, lines: 0 }, nextPart: async () => ({ isCanary: false, maxLines: 4 }) };
  for await (const { partNo, part } of cutParts(streamed(), transform, chunk, options)) {
    expect(partNo).toBe(seen.length);
    const body = Buffer.concat(part.body);
    expect(part.bodyBytes).toBe(body.length);
    expect(part.sha256).toBe(createHash('sha256').update(body).digest('hex'));
    const accepted = Buffer.concat(part.acceptedRows).toString();
    seen.push({ text: `${body}${accepted}`, memory: part.body[0]?.buffer });
  }
  const ids = seen.map(({ text }) => [...text.matchAll(/id-\d+/g)].map(([id]) => id));
  expect(ids).toEqual([
    ['id-1', 'id-2', 'id-3', 'id-4', 'id-1', 'id-2', 'id-3', 'id-4'],
    ['id-5', 'id-6', 'id-7', 'id-8', 'id-5', 'id-6', 'id-7', 'id-8'],
    ['id-9', 'id-10', 'id-9', 'id-10'],
  ]);
  expect(new Set(seen.map(({ memory }) => memory)).size).toBeLessThan(3);
});
