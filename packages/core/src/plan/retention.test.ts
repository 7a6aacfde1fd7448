import { expect, it } from 'vitest';
import { retentionCutoffs, retentionExceptionOf } from './retention.ts';

const retention = { raw_days: 90, event_months: 13 };
const now = Date.parse('2026-11-23T10:00:00Z');

it('counts days back for objects and months for events', () => {
  expect(retentionCutoffs(retention, null, now)).toEqual({
    objects: new Date('2026-08-25T10:00:00Z'),
    eventsMs: Date.parse('2025-10-23T10:00:00Z'),
  });
});

it('ends at the last day of a shorter month', () => {
  const march = Date.parse('2026-03-31T08:00:00Z');
  expect(retentionCutoffs(retention, null, march).eventsMs).toBe(Date.parse('2025-02-28T08:00:00Z'));
});

it('lets everything pass under an exception', () => {
  const exception = retentionExceptionOf({ retention_exception: { why: 'audit', until: '2027-01-01T00:00:00Z' } }, now);
  expect(exception).toEqual({ why: 'audit', until: '2027-01-01T00:00:00Z' });
  expect(retentionCutoffs(retention, exception, now)).toEqual({ objects: null, eventsMs: null });
  expect(retentionExceptionOf({}, now)).toBeNull();
});

it('refuses an exception that has ended or says nothing', () => {
  const ended = { retention_exception: { why: 'audit', until: '2026-11-23T10:00:00Z' } };
  expect(() => retentionExceptionOf(ended, now)).toThrow('ended at 2026-11-23T10:00:00Z');
  expect(() => retentionExceptionOf({ retention_exception: true }, now)).toThrow('not of the form');
});
