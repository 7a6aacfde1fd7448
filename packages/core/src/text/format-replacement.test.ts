import { expect, it } from 'vitest';
import { formatReplacement } from './format-replacement.ts';

const counts = { replaced: 1_010, proposed: 1_008, identical: 900, changed: 100, added: 8, gone: 10 };

it('says what changes, in all and by type', () => {
  const changes = [
    { event_name: 'page_viewed', day: '2026-11-01', ...counts },
    { event_name: 'page_viewed', day: '2026-11-02', ...counts },
    { event_name: 'search_performed', day: '2026-11-02', ...counts, gone: 0 },
  ];
  const measured = { replaces: { batch_id: 'old' }, rows: 3_030, fingerprint: '3030:1', changes };
  expect(formatReplacement({ batch_id: 'old' }, measured)).toEqual([
    'the batch old: 3,024 events in place of 3,030; 2,700 the same, 300 changed, 24 added, 20 gone',
    'page_viewed: 1,800 the same, 200 changed, 16 added, 20 gone',
    'search_performed: 900 the same, 100 changed, 8 added, 0 gone',
  ]);
});

it('says whose place it is before anything is measured', () => {
  expect(formatReplacement({ live: true }, undefined)).toEqual([
    'live events; what changes is measured with the gates',
  ]);
});
