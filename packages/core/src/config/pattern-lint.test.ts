import { expect, it } from 'vitest';
import type { ConfigMistake } from './config-error.ts';
import { checkPatterns } from './pattern-lint.ts';

const text = (pattern: string) => ({ type: 'string', maxLength: 100, pattern, 'x-pii': 'none' });

it('names every pattern that some text could make slow, wherever it stands', async () => {
  const schema = {
    properties: {
      plain: text('^[A-Z]{3}$'),
      words: text('^[a-z]+(?:-[a-z]+)*$'),
      slow: text('^(a+)+$'),
      pattern: text('^(x|x)*y$'),
      list: { type: 'array', maxItems: 3, items: text('(a*)*b') },
      inner: { type: 'object', properties: { slow: text('\\s+$') } },
    },
  };
  const mistakes: ConfigMistake[] = [];
  await checkPatterns(new Map([['signed_up', new Map([['1-0-0', schema]])]]), mistakes);
  const file = 'taxonomy/events/signed_up/1-0-0.schema.json';
  const message = 'can be made slow by some texts: write it without repeats within repeats';
  expect(mistakes).toEqual(
    ['slow', 'pattern', 'list/items', 'inner/properties/slow'].map((place) => ({
      file,
      path: `/properties/${place}/pattern`,
      message,
    })),
  );
});
