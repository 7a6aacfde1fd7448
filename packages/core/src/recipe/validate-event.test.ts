import { describe, expect, it } from 'vitest';
import { compileRecipe } from './compile-recipe.ts';
import { TEST_KEYS, testLine, testRecipe, testRecord } from './recipe-fixture.ts';
import { compileTaxonomyCheck } from './validate-event.ts';

const check = compileTaxonomyCheck(testRecipe());

function stored(payload: string): string | undefined {
  return check({ event_name: 'purchased', schema_version: '1-0-0', payload });
}

describe('compileTaxonomyCheck', () => {
  it('finds nothing in what the transformer accepts', () => {
    const transform = compileRecipe(testRecipe(), { keys: TEST_KEYS, isSuppressed: () => false });
    const data = { amount: 5, note: 'ä "x" \\ €', ratio: 1e-7, tags: ['b', 'a'] };
    const result = transform(testLine(JSON.stringify(testRecord({ data }))));
    expect(result.outcome === 'accepted' && stored(result.event.payload)).toBeUndefined();
  });

  it.each([
    ['{"event_name":"purchased","properties":{"amount":"5"}}', 'schema: /properties/amount must be integer'],
    [
      '{"event_name":"purchased","properties":{"amount":5,"name":"Jane"}}',
      'schema: /properties must NOT have additional properties',
    ],
    ['{"event_name":"purchased"}', 'schema: /properties must be object'],
    ['{"event_name":"other","properties":{"amount":5}}', 'payload: another event_name'],
    ['{"email":"jane@example.org","event_name":"purchased","properties":{"amount":5}}', 'payload: an unknown field'],
    ['{"properties":{"amount":5},"event_name":"purchased"}', 'payload: not canonical'],
    ['{"event_name":"purchased","properties":{"amount":5.0}}', 'payload: not canonical'],
    [String.raw`{"event_name":"purchased","properties":{"amount":5,"note":"\ud800"}}`, 'payload: not canonical'],
    ['{"event_name":', 'payload: not a JSON object'],
    ['[]', 'payload: not a JSON object'],
  ])('reports %s', (payload, problem) => {
    expect(stored(payload)).toBe(problem);
  });

  it('reports an event or a version that the recipe does not have', () => {
    const payload = '{"event_name":"purchased","properties":{"amount":5}}';
    const problem = 'schema: the event is not in the recipe';
    expect(check({ event_name: 'purchased', schema_version: '1-0-1', payload })).toBe(problem);
    expect(check({ event_name: 'toString', schema_version: '1-0-0', payload })).toBe(problem);
  });
});
