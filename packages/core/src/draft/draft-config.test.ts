import { describe, expect, it } from 'vitest';
import { sourceSchema } from '../config/source.ts';
import { lintTaxonomySchema } from '../config/taxonomy-lint.ts';
import type { JsonObject } from '../domain/json.ts';
import { findCsvTypes, withCsvTypes } from './csv-types.ts';
import { draftConfig } from './draft-config.ts';

const PLANS = ['free', 'team', 'business'];

/** Records of a made-up shop; every 20th has a time that nobody can read. */
function records(count: number, more: (index: number) => JsonObject = () => ({})): JsonObject[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `0199f000-0000-7000-8000-${String(index).padStart(12, '0')}`,
    ts: index % 40 === 39 ? 'yesterday' : `2026-11-01T08:00:${String(index % 60).padStart(2, '0')}Z`,
    name: index % 2 === 0 ? 'Signup Started' : 'signupCompleted',
    user: { id: `u_${index % 7}`, email: 'jane.doe@example.org', fullName: 'Jane Doe' },
    data: {
      plan: PLANS[index % 3] as string,
      paid: index % 2 === 0,
      seats: index % 9,
      ip: '192.0.2.7',
      agent: 'Mozilla/5.0 (X11)',
      page: '/pricing?x=1',
      words: `no ${index}`,
      phone: 491_701_234_567 + index,
      tags: ['a'],
      odd: index % 4 < 2 ? 1 : 'one',
      ...more(index),
    },
  }));
}

describe('draftConfig', () => {
  const draft = draftConfig('shop', 'ndjson', records(120));
  const schema = draft.schemas.get('signup_started') ?? {};
  const rules = Object.fromEntries(
    Object.entries(schema.properties as Record<string, JsonObject>).map(([name, property]) => [
      name,
      property['x-pii'],
    ]),
  );

  it('is a source that can be used', () => {
    expect(sourceSchema.parse(draft.source)).toEqual(draft.source);
    for (const drafted of draft.schemas.values()) expect(lintTaxonomySchema(drafted)).toEqual([]);
  });

  it('finds time, event name and ids', () => {
    expect(draft.source).toMatchObject({
      identity: 'record-id',
      events: { signup_started: '1-0-0', signup_completed: '1-0-0' },
      mapping: {
        time: { path: 'ts', format: 'iso' },
        event_name: {
          path: 'name',
          values: { 'Signup Started': 'signup_started', signupCompleted: 'signup_completed' },
        },
        record_id: { path: 'id', pii: 'none' },
        subject_id: { path: 'user.id', pii: 'pseudonymise', domain: 'user' },
      },
    });
  });

  it('keeps what is harmless beyond doubt, and drops the rest', () => {
    expect(rules).toEqual({
      plan: 'none',
      paid: 'none',
      seats: 'none',
      email: 'drop',
      full_name: 'drop',
      ip: 'drop',
      agent: 'drop',
      page: 'drop',
      words: 'drop',
      phone: 'drop',
      tags: 'drop',
      odd: 'drop',
    });
    expect(draft.todo.join('\n')).toContain('signup_started: decide on');
  });

  it('writes no value but the names of events', () => {
    const text = JSON.stringify({ ...draft, schemas: [...draft.schemas] });
    for (const value of ['jane', 'Jane', 'business', '192.0.2', '4917', 'u_1', '/pricing?']) {
      expect(text).not.toContain(value);
    }
  });

  it('says what it could not find', () => {
    const { source, todo } = draftConfig('Bare Log'.toLowerCase().replace(' ', '-'), 'ndjson', [{ a: true }]);
    expect(source).toMatchObject({ identity: 'payload', mapping: { event_name: { constant: 'bare_log_recorded' } } });
    for (const topic of ['mapping.time', 'mapping.event_name', 'identity', 'mapping.subject_id', 'region']) {
      expect(todo.filter((line) => line.startsWith(`${topic}:`))).toHaveLength(1);
    }
    expect(() => draftConfig('shop', 'ndjson', [])).toThrow(RangeError);
  });

  it('knows times without a zone, and seconds and milliseconds', () => {
    const timeOf = (record: JsonObject) => draftConfig('shop', 'ndjson', [record]).source.mapping.time;
    expect(timeOf({ at: '2026-11-01 08:00' })).toEqual({ path: 'at', format: 'iso', zone: 'Z' });
    expect(timeOf({ n: 1_700_000_000, time: 1_700_000_000 })).toEqual({ path: 'time', format: 'epoch-s' });
    expect(timeOf({ createdAt: 1_700_000_000_000 })).toEqual({ path: 'createdAt', format: 'epoch-ms' });
    expect(timeOf({ when: '17/May/2015:10:05:03 +0000' })).toEqual({ path: 'when', format: 'clf' });
  });

  it('gives every field a name of its own', () => {
    const more = (): JsonObject => ({
      Plan: 'x',
      'a-b': 1,
      A_b: 2,
      '1st': true,
      ünder: 1,
      constructor_: 1,
      nested: { plan: 'y' },
    });
    const { source, schemas } = draftConfig('shop', 'ndjson', records(40, more));
    const names = Object.keys(source.mapping.properties);
    expect(new Set(names).size).toBe(names.length);
    expect(sourceSchema.safeParse(source).success).toBe(true);
    for (const drafted of schemas.values()) expect(lintTaxonomySchema(drafted)).toEqual([]);
  });
});

it('finds the types of CSV columns', () => {
  const rows: JsonObject[] = [
    { n: '1', d: '-1.5', code: '007', yes: 'TRUE', text: 'x', user: { seats: '3' }, none: null },
    { n: '20', d: '2', code: '1', yes: 'false', text: '1', user: { seats: null }, none: null },
  ];
  const types = findCsvTypes(rows);
  expect(types).toEqual({ n: 'number', d: 'number', yes: 'boolean', 'user.seats': 'number' });
  expect(withCsvTypes(rows, types)).toEqual([
    { n: 1, d: -1.5, code: '007', yes: true, text: 'x', user: { seats: 3 }, none: null },
    { n: 20, d: 2, code: '1', yes: false, text: '1', user: { seats: null }, none: null },
  ]);
});
