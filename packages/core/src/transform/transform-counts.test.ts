import { expect, it } from 'vitest';
import type { LineOutcome } from '../recipe/line-outcome.ts';
import { TransformCounts } from './transform-counts.ts';

const accepted = (eventName: string, time: string): LineOutcome => ({
  outcome: 'accepted',
  event: {
    ...{ eventId: 'id', eventName, schemaVersion: '1-0-0', eventTsMs: Date.parse(time) },
    ...{ sessionId: null, subjectId: null, payload: '{}' },
  },
});

it('counts outcomes, events by type and UTC day, and reasons with their places', () => {
  const counts = new TransformCounts();
  counts.add('a', 1, accepted('viewed', '2026-11-01T23:59:59.999Z'));
  counts.add('a', 2, accepted('viewed', '2026-11-02T00:00:00Z'));
  counts.add('a', 3, accepted('bought', '2026-11-02T00:00:00Z'));
  counts.add('a', 4, accepted('viewed', '2026-11-02T12:00:00Z'));
  counts.add('b', 1, { outcome: 'filtered' });
  counts.add('b', 2, { outcome: 'quarantined', reason: 'time: missing' });
  counts.add('b', 3, { outcome: 'suppressed' });
  counts.add('b', 4, { outcome: 'quarantined', reason: 'time: missing' });
  counts.pii.hit('/note', 'email');
  counts.pii.hit('/note', 'email');
  counts.pii.dropped('/email');
  counts.pii.unknown(3);
  expect(counts.summary()).toEqual({
    ...{ read: 8, accepted: 4, suppressed: 1, expired: 0, filtered: 1, quarantined: 2 },
    events: [
      { event_name: 'bought', day: '2026-11-02', events: 1 },
      { event_name: 'viewed', day: '2026-11-01', events: 1 },
      { event_name: 'viewed', day: '2026-11-02', events: 2 },
    ],
    pii_hits: [{ field: '/note', detector: 'email', hits: 2 }],
    dropped_fields: [{ field: '/email', values: 1 }],
    unknown_fields: 3,
    quarantine: [
      {
        ...{ reason: 'time: missing', lines: 2 },
        places: [
          { source_file: 'b', line_no: 2 },
          { source_file: 'b', line_no: 4 },
        ],
      },
    ],
  });
});

it('keeps a bounded number of places', () => {
  const counts = new TransformCounts();
  for (let line = 1; line <= 2_000; line += 1) counts.add('a', line, { outcome: 'quarantined', reason: 'r' });
  const [reason] = counts.summary().quarantine;
  expect([reason?.lines, reason?.places.length]).toEqual([2_000, 1_000]);
});
