import { expect, it } from 'vitest';
import { listPage } from './s3-listing.ts';

// A directory walk gives a/x before a-b; S3 sorts by bytes, and "-" comes before "/".
const KEYS = ['a/x', 'a-b', 'b', 'a/y/z', 'ä'];

it('lists in the order of bytes', () => {
  expect(listPage(KEYS, {}).keys).toEqual(['a-b', 'a/x', 'a/y/z', 'b', 'ä']);
});

it('gives every key exactly once over pages', () => {
  const seen: string[] = [];
  for (let startAfter = '', more = true; more; startAfter = seen.at(-1) ?? '') {
    const page = listPage(KEYS, { startAfter, maxKeys: 2 });
    seen.push(...page.keys);
    more = page.isTruncated;
  }
  expect(seen).toEqual(['a-b', 'a/x', 'a/y/z', 'b', 'ä']);
});

it('rolls keys up into folders', () => {
  expect(listPage(KEYS, { delimiter: '/' })).toEqual({
    keys: ['a-b', 'b', 'ä'],
    commonPrefixes: ['a/'],
    isTruncated: false,
  });
  expect(listPage(KEYS, { delimiter: '/', prefix: 'a/' })).toMatchObject({ keys: ['a/x'], commonPrefixes: ['a/y/'] });
});
