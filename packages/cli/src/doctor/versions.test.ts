import { expect, it } from 'vitest';
import { versionFindings } from './versions.ts';

const GOOD = { node: '24.1.0', postgresql: 180_000, keyPostgresql: 140_000, redis: '7.0.15' };

it.each([
  ['new enough', {}, []],
  ['an old Node', { node: '22.19.0' }, ['Node']],
  ['an old PostgreSQL', { postgresql: 170_006 }, ['DATABASE_URL']],
  ['an old PostgreSQL of the dedup store', { keyPostgresql: 130_021 }, ['CHECKPOINT_DATABASE_URL']],
  ['one database', { keyPostgresql: undefined }, []],
  ['an old Redis', { redis: '6.2.14' }, ['REDIS_URL']],
])('%s', (_what, given, subjects) => {
  expect(versionFindings({ ...GOOD, ...given }).map(({ subject }) => subject)).toEqual(subjects);
});
