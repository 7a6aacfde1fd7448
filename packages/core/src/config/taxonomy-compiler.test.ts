import { expect, it } from 'vitest';
import { createTaxonomyCompiler } from './taxonomy-compiler.ts';

const schemaOf = (maximum: number) => ({
  type: 'object',
  properties: { count: { type: 'integer', minimum: 0, maximum, 'x-pii': 'none' } },
});

it('compiles a schema once for all who ask, and another one by its own rules', () => {
  const first = createTaxonomyCompiler()(schemaOf(1));
  expect(createTaxonomyCompiler()(schemaOf(1))).toBe(first);
  const second = createTaxonomyCompiler()(schemaOf(2));
  expect([first({ count: 2 }), second({ count: 2 })]).toEqual([false, true]);
});

it('refuses a schema each time that it is asked', () => {
  const compile = createTaxonomyCompiler();
  const wrong = { type: 'object', properties: { count: { type: 'integer', 'x-pii': 'perhaps' } } };
  expect(() => compile(wrong)).toThrow();
  expect(() => compile(wrong)).toThrow();
});
