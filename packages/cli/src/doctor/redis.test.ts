import { expect, it } from 'vitest';
import { infoFindings } from './redis.ts';

// What a test cannot make a server say that others use.
const GOOD = { maxmemory_policy: 'noeviction', aof_enabled: '1', aof_last_write_status: 'ok', role: 'master' };

it.each([
  ['all in order', { maxmemory: '1000', used_memory: '800' }, undefined],
  ['a server that says little', Object.fromEntries(Object.keys(GOOD).map((key) => [key, undefined])), undefined],
  ['a full disk', { aof_last_write_status: 'err' }, /cannot write its append-only file/],
  ['a replica', { role: 'slave' }, /it is a replica/],
  ['nearly no memory left', { maxmemory: '1000', used_memory: '950' }, /950 of its 1000 bytes/],
])('%s', (_what, given, text) => {
  const info = Object.fromEntries(
    Object.entries({ ...GOOD, ...given }).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const problems = infoFindings(info).map(({ problem }) => problem);
  expect(problems).toEqual(text === undefined ? [] : [expect.stringMatching(text)]);
});
