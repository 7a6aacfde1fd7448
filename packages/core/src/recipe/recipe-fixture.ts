import { createSecretKey, type KeyObject } from 'node:crypto';
import type { SourceConfig } from '../config/source.ts';
import type { JsonObject } from '../domain/json.ts';
import type { RawLine } from '../formats/raw-line.ts';
import type { KeyRing } from './key-ring.ts';
import { keyCheck } from './pseudonym.ts';
import { PII_RULES_VERSION, type Recipe } from './recipe.ts';

/** The key of the unit tests. */
export const TEST_SALT: KeyObject = createSecretKey(Buffer.from('only for tests, thirty-two bytes'));
export const TEST_KEYS: KeyRing = new Map([[1, TEST_SALT]]);

const PURCHASED: JsonObject = {
  type: 'object',
  additionalProperties: false,
  required: ['amount'],
  properties: {
    amount: { type: 'integer', minimum: 0, maximum: 1_000_000, 'x-pii': 'none' },
    note: { type: 'string', maxLength: 100, 'x-pii': 'scan' },
    page: { type: 'string', maxLength: 100, 'x-pii': 'url' },
    agent: { type: 'string', maxLength: 40, 'x-pii': 'user-agent' },
    network: { type: 'string', maxLength: 43, 'x-pii': 'ip-mask' },
    buyer: { type: 'string', maxLength: 64, 'x-pii': 'pseudonymise', 'x-pii-domain': 'user' },
    email: { type: 'string', maxLength: 254, 'x-pii': 'drop' },
    coupon: { type: ['string', 'null'], maxLength: 20, 'x-pii': 'none' },
    ratio: { type: 'number', minimum: 0, maximum: 1, 'x-pii': 'none' },
    tags: { type: 'array', maxItems: 3, items: { type: 'string', maxLength: 40 }, 'x-pii': 'scan' },
    item: {
      type: 'object',
      additionalProperties: false,
      'x-pii': 'none',
      properties: {
        sku: { type: 'string', maxLength: 20, 'x-pii': 'none' },
        owner: { type: 'string', maxLength: 20, 'x-pii': 'drop' },
      },
    },
  },
};

const SOURCE: SourceConfig = {
  version: 1,
  source: 'shop',
  format: 'ndjson',
  region: 'eu',
  pseudonym: 'hmac',
  identity: 'record-id',
  events: { purchased: '1-0-0' },
  mapping: {
    time: { path: 'at', format: 'iso' },
    event_name: { path: 'type', values: { Purchase: 'purchased' } },
    record_id: { path: 'id', pii: 'none' },
    session_id: { path: 'session', pii: 'none' },
    subject_id: { path: 'user.id', pii: 'pseudonymise', domain: 'user' },
    properties: { '*': 'data.*' },
  },
};

/** A recipe of a small shop for the whole of 2026, with what a test changes in it. */
export function testRecipe(changes: Partial<Recipe> = {}, source: Partial<SourceConfig> = {}): Recipe {
  return {
    recipeVersion: 1,
    piiRulesVersion: PII_RULES_VERSION,
    source: { ...SOURCE, ...source },
    taxonomy: { purchased: { version: '1-0-0', schema: PURCHASED } },
    upcasts: {},
    keyChecks: { '1': keyCheck(TEST_SALT) },
    keyPeriods: [{ version: 1, fromMs: null }],
    latestEventMs: null,
    window: { startMs: Date.UTC(2026, 0, 1), endMs: Date.UTC(2027, 0, 1) },
    retentionCutoffMs: null,
    limits: { maxLineBytes: 10_000 },
    ...changes,
  };
}

/** A record that the test recipe accepts, with what a test changes in it. */
export function testRecord(changes: JsonObject = {}): JsonObject {
  return {
    id: 'r-1',
    at: '2026-03-14T15:09:26.535897Z',
    type: 'Purchase',
    session: 's-1',
    user: { id: 4711, email: 'jane.doe@example.org' },
    data: { amount: 5 },
    ...changes,
  };
}

/** A raw line as the line splitter gives it. */
export function testLine(content: string | Buffer, lineNo = 2): RawLine {
  const bytes = Buffer.from(content as string);
  return { lineNo, bytes, byteLength: bytes.length + 1 };
}
