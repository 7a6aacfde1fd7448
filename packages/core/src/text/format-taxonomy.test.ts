import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { loadConfigDir } from '../config/load-config.ts';
import type { JsonObject } from '../domain/json.ts';
import { formatTaxonomy } from './format-taxonomy.ts';

const ROOT = new URL('../../../../', import.meta.url);

it('has been written to docs/analytics/taxonomy.md (mend it with ./backfill taxonomy docs)', async () => {
  const config = await loadConfigDir(fileURLToPath(new URL('examples/config', ROOT)));
  const committed = await readFile(new URL('docs/analytics/taxonomy.md', ROOT), 'utf8');
  expect(committed).toBe(formatTaxonomy(config));
});

it('writes every kind of property, newest version first', () => {
  const schema: JsonObject = {
    type: 'object',
    description: 'A sale | a gift.',
    additionalProperties: false,
    required: ['kind'],
    properties: {
      kind: { enum: ['a', 'b'], type: 'string', 'x-pii': 'none' },
      tags: { type: 'array', maxItems: 3, items: { type: 'string', maxLength: 9 }, 'x-pii': 'scan' },
      page: { type: 'string', maxLength: 9, 'x-pii': 'url', 'x-pii-query-keys': ['q', 'page'] },
      item: {
        type: 'object',
        additionalProperties: false,
        properties: { sku: { type: ['string', 'null'], maxLength: 5, 'x-pii': 'none' } },
        'x-pii': 'none',
      },
    },
  };
  const text = formatTaxonomy({
    taxonomy: new Map([
      [
        'sold',
        new Map([
          ['1-0-9', schema],
          ['1-0-10', schema],
        ]),
      ],
    ]),
    sources: new Map(),
    upcasts: new Map([['sold', new Map([['1-0-9', { from: '1-0-9', to: '1-0-10', sha256: '', text: '' }]])]]),
  });
  expect(text.indexOf('### 1-0-10')).toBeLessThan(text.indexOf('### 1-0-9'));
  expect(text).toContain('A sale | a gift. Records of this version are lifted to 1-0-10.');
  expect(text).toContain('| [sold](#sold) |  | A sale \\| a gift. |');
  expect(text).toContain('| `kind` | one of `a`, `b` | yes | `none` |  |');
  expect(text).toContain('| `tags` | up to 3 × string ≤ 9 |  | `scan` |  |');
  expect(text).toContain('| `page` | string ≤ 9 |  | `url`, keeps `q`, `page` |  |');
  expect(text).toContain('| `item.sku` | string ≤ 5 or null |  | `none` |  |');
});
