import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { withoutProof } from '../config-dir.ts';

const EXAMPLES = path.join(import.meta.dirname, '../../../examples/config');

/** Lines that are longer are refused. */
export const MAX_LINE_BYTES = 65_536;

const text = (pii: string, more: object = {}) => ({ type: 'string', maxLength: 2_000, 'x-pii': pii, ...more });

const EVENT = {
  type: 'object',
  additionalProperties: false,
  properties: {
    comment: text('scan', { maxLength: 500 }),
    words: { type: 'array', maxItems: 5, items: { type: 'string', maxLength: 500 }, 'x-pii': 'scan' },
    page: text('url', { 'x-pii-query-keys': ['topic'] }),
    agent: text('user-agent'),
    network: text('ip-mask'),
    buyer: text('pseudonymise'),
    contact: text('drop'),
    kind: { enum: ['a', 'b'], type: 'string', 'x-pii': 'none' },
    amount: { type: 'integer', minimum: 0, maximum: 1_000_000, 'x-pii': 'none' },
    item: {
      type: 'object',
      additionalProperties: false,
      'x-pii': 'none',
      properties: { note: text('scan'), owner: text('drop'), customer: text('pseudonymise') },
    },
  },
};

const REQUEST = {
  type: 'object',
  additionalProperties: false,
  properties: {
    method: { enum: ['GET', 'POST'], type: 'string', 'x-pii': 'none' },
    path: text('url', { 'x-pii-query-keys': ['topic'] }),
    status: { type: 'integer', minimum: 100, maximum: 999, 'x-pii': 'none' },
    referer: text('url'),
    browser: text('user-agent'),
  },
};

/** Formats whose records say what they are, with ids of their own. */
const RECORD_FORMATS = ['ndjson', 'json-concat', 'csv'];

const COMMON = { version: 1, region: 'eu', pseudonym: 'hmac' };
const subject = (place: string) => ({ path: place, pii: 'pseudonymise', domain: 'user' });

/** Sources that declare every field properly, so that nothing planted may stay: one per format, all of one event. */
function recordSource(source: string, format: string): { source: string; mapping: object } & Record<string, unknown> {
  return {
    ...COMMON,
    source,
    format,
    identity: 'record-id',
    events: { leak_event: '1-0-0' },
    mapping: {
      time: { path: 'ts', format: 'iso' },
      event_name: { path: 'name', values: { Leak: 'leak_event' } },
      record_id: { path: 'id', pii: 'none' },
      session_id: { path: 'session', pii: 'none' },
      subject_id: subject('user'),
      properties: { '*': format === 'csv' ? '*' : 'data.*' },
    },
  };
}

const COMBINED = {
  ...COMMON,
  source: 'leak-web',
  format: 'combined',
  identity: 'payload',
  events: { leak_request: '1-0-0' },
  mapping: {
    time: { path: 'time', format: 'clf' },
    event_name: { constant: 'leak_request' },
    session_id: { path: 'remote_user', pii: 'pseudonymise', domain: 'login' },
    subject_id: subject('remote_addr'),
    properties: { browser: 'user_agent', '*': '*' },
  },
};

const CLOUDFRONT = {
  ...COMBINED,
  source: 'leak-cloudfront',
  format: 'cloudfront',
  mapping: {
    time: { path: 'timestamp', format: 'iso' },
    event_name: { constant: 'leak_request' },
    subject_id: subject('c-ip'),
    properties: {
      method: 'cs-method',
      path: 'cs-uri-stem',
      status: 'sc-status',
      referer: 'cs(Referer)',
      browser: 'cs(User-Agent)',
    },
  },
};

const CLOUDFRONT_JSON = { ...CLOUDFRONT, source: 'leak-cloudfront-json', format: 'cloudfront-json' };

/** A source whose records are of an older version than the stored events, and say themselves how their upcast fails. */
const UPCAST_SOURCE = {
  ...recordSource('leak-upcast', 'ndjson'),
  events: { leak_lifted: '2-0-0' },
};
const LIFTED_MAPPING = {
  ...UPCAST_SOURCE.mapping,
  event_name: { path: 'name', values: { Leak: 'leak_lifted' } },
  schema_version: { path: 'version' },
};

const LIFTED = {
  type: 'object',
  additionalProperties: false,
  properties: {
    comment: text('scan', { maxLength: 500 }),
    contact: text('drop'),
    amount: { type: 'integer', minimum: 0, maximum: 1_000_000, 'x-pii': 'none' },
    way: { enum: ['keep', 'throw', 'type', 'name', 'text'], type: 'string', 'x-pii': 'none' },
  },
};

/** Hands on what it was given in every wrong way there is. */
const UPCAST = `export function upcast({ way, comment, ...kept }) {
  if (way === 'throw') throw new Error(comment);
  if (way === 'type') return { ...kept, amount: comment };
  if (way === 'name') return { ...kept, [comment]: 1 };
  return way === 'text' ? comment : { ...kept, comment };
}
`;

/** The same from outside the EU, whose mirror must be as clean as everything else. */
function abroad(format: string) {
  const source = recordSource(`leak-abroad-${format}`, format);
  const session_id = { path: 'session', pii: 'pseudonymise', domain: 'session' };
  return { ...source, region: 'non-eu', mapping: { ...source.mapping, session_id } };
}

/** A configuration directory with the sources of the leak test; the policy is the example's, but for shorter lines and no KPIs. */
export async function createLeakConfig(): Promise<string> {
  const dir = await mkdtemp(path.join(tmpdir(), 'backfill-leak-config-'));
  const policy = parse(await readFile(path.join(EXAMPLES, 'policy.yaml'), 'utf8'));
  policy.limits.max_line_bytes = MAX_LINE_BYTES;
  withoutProof(policy);
  delete policy.kpi.funnel;
  await writeFile(path.join(dir, 'policy.yaml'), stringify(policy));
  await mkdir(path.join(dir, 'sources'));
  const lifted = { ...UPCAST_SOURCE, mapping: LIFTED_MAPPING };
  const sources = [
    COMBINED,
    CLOUDFRONT,
    CLOUDFRONT_JSON,
    lifted,
    ...RECORD_FORMATS.map((format) => recordSource(`leak-${format}`, format)),
  ];
  for (const source of [...sources, abroad('ndjson'), abroad('csv')]) {
    const { source: name } = source as { source: string };
    await writeFile(path.join(dir, 'sources', `${name}.yaml`), stringify(source));
  }
  for (const [event, schema] of Object.entries({ leak_event: EVENT, leak_request: REQUEST, leak_lifted: LIFTED })) {
    const folder = path.join(dir, 'taxonomy/events', event);
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, '1-0-0.schema.json'), JSON.stringify(schema));
  }
  await writeFile(path.join(dir, 'taxonomy/events/leak_lifted/2-0-0.schema.json'), JSON.stringify(LIFTED));
  await mkdir(path.join(dir, 'taxonomy/upcasts/leak_lifted'), { recursive: true });
  await writeFile(path.join(dir, 'taxonomy/upcasts/leak_lifted/1-0-0_2-0-0.mjs'), UPCAST);
  return dir;
}
