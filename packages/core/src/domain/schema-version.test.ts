import { expect, it } from 'vitest';
import { compareSchemaVersions, findUpcastPath } from './schema-version.ts';

it('orders versions by their numbers', () => {
  const versions = ['1-0-10', '1-0-9', '2-0-0', '1-2-0', '10-0-0'];
  expect(versions.toSorted(compareSchemaVersions)).toEqual(['1-0-9', '1-0-10', '1-2-0', '2-0-0', '10-0-0']);
  expect(compareSchemaVersions('1-0-0', '1-0-0')).toBe(0);
});

it('finds the way up to the pinned version', () => {
  const steps = new Map([
    ['1-0-0', '1-1-0'],
    ['1-1-1', '2-0-0'],
    ['1-1-0', '1-1-1'],
    ['2-0-0', '3-0-0'],
  ]);
  expect(findUpcastPath(steps, '1-0-0', '2-0-0')).toEqual(['1-0-0', '1-1-0', '1-1-1']);
  expect(findUpcastPath(steps, '2-0-0', '2-0-0')).toEqual([]);
  // An addition needs no upcast, at the beginning or at the end of the way.
  expect(findUpcastPath(steps, '2-0-0', '2-0-4')).toEqual([]);
  expect(findUpcastPath(steps, '1-1-1', '2-0-4')).toEqual(['1-1-1']);
  for (const unreachable of ['0-9-0', '1-0-1', '2-0-1', '2-1-0', '3-0-0']) {
    expect(findUpcastPath(steps, unreachable, '2-0-0')).toBeUndefined();
  }
});
