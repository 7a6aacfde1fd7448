import { checkSync } from 'recheck';
import { expect, it } from 'vitest';
import { patternsInUse } from '../support/patterns/patterns-in-use.ts';
import { findPatterns } from '../support/patterns/written-patterns.ts';

/**
 * What the analysis cannot prove, a search tries to break: few rounds, the same ones each time, and bounded by the steps of
 * a match. Bounds of time would blame a pattern for a busy machine.
 */
const OPTIONS = {
  ...{ maxIteration: 1, randomSeed: 1 },
  ...{ timeout: 50_000, attackTimeout: 50_000, incubationTimeout: 50_000 },
};
const DETECTORS = 'packages/core/src/recipe/detectors';

const { literals, makers } = findPatterns();
const used = patternsInUse();
const patterns = new Map([
  ...used.map(({ source, flags }) => [`${source} ${flags}`, { place: 'in use', source, flags }] as const),
  ...literals.map((literal) => [`${literal.source} ${literal.flags}`, literal] as const),
]);

it('are found in the code, and by watching it at work', () => {
  expect([literals.length > 120, used.length > 60, patterns.size > literals.length]).toEqual([true, true, true]);
});

it('are written as they are, but for those of detectors, which are seen at work', () => {
  expect(makers).toEqual(
    ['api-token', 'email', 'german-social-security', 'mask-personal-data', 'phone'].map(
      (name) => `${DETECTORS}/${name}.ts`,
    ),
  );
});

it.each([...patterns.values()])('cannot be made slow: $source ($place)', ({ source, flags }) => {
  expect(checkSync(source, flags, OPTIONS)).toMatchObject({ status: 'safe' });
});
