import { checkSync } from 'recheck';
import { describe, expect, it } from 'vitest';
import { findPatterns } from '../support/patterns.ts';

/** What the analysis cannot prove, a search tries to break: few rounds, and the same ones each time. */
const OPTIONS = { maxIteration: 1, randomSeed: 1, timeout: 50_000 };
const DETECTORS = 'packages/core/src/recipe/detectors';
const { literals, makers } = findPatterns();

describe('every regular expression that is written in the code', () => {
  it('is found', () => {
    expect(literals.length).toBeGreaterThan(120);
  });

  it.each(literals)('cannot be made slow: $source ($place)', ({ source, flags }) => {
    expect(checkSync(source, flags, OPTIONS)).toMatchObject({ status: 'safe' });
  });
});

it('every other one is made by a detector, and judged in the test that watches what they match with', () => {
  expect(makers).toEqual(
    ['api-token', 'email', 'german-social-security', 'mask-personal-data', 'phone'].map(
      (name) => `${DETECTORS}/${name}.ts`,
    ),
  );
});
