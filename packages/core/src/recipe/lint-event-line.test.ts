import { describe, expect, it } from 'vitest';
import { eventId } from '../domain/event-id.ts';
import type { JsonObject, JsonValue } from '../domain/json.ts';
import { eventLine } from '../transform/event-line.ts';
import { compileRecipe } from './compile-recipe.ts';
import { compileEventLineLinter } from './lint-event-line.ts';
import { TEST_KEYS, testLine, testRecipe, testRecord } from './recipe-fixture.ts';

const recipe = testRecipe();
const schema = recipe.taxonomy.purchased?.schema ?? {};
const lint = compileEventLineLinter(new Map([['purchased', new Map([['1-0-0', schema]])]]));

/** A line as the transformer writes it. */
function goodLine(): JsonObject {
  const transform = compileRecipe(recipe, { keys: TEST_KEYS, isSuppressed: () => false });
  const result = transform(testLine(JSON.stringify(testRecord({ data: { amount: 5, note: 'hi', tags: ['a'] } }))));
  if (result.outcome !== 'accepted') throw new Error(result.outcome);
  return JSON.parse(eventLine(result.event, { source: 'shop', sourceFile: 'a.ndjson', lineNo: 1 })) as JsonObject;
}

/** The good line with another payload and the id that belongs to it. */
function lineWith(properties: JsonObject, more: JsonObject = {}): JsonObject {
  const line = goodLine();
  const payload = JSON.stringify({ event_name: 'purchased', properties, ...more });
  const id = eventId('shop', Date.parse(String(line.event_ts)), payload);
  return { ...line, event_id: id, payload, session_id: null, subject_id: null };
}

function placesOf(line: JsonValue): string[] {
  return lint(JSON.stringify(line)).map(({ path }) => path);
}

describe('compileEventLineLinter', () => {
  it('finds nothing in what the transformer makes, the payload embedded or as text', () => {
    const line = goodLine();
    expect(lint(JSON.stringify(line))).toEqual([]);
    expect(lint(JSON.stringify({ ...line, payload: JSON.stringify(line.payload) }))).toEqual([]);
    expect(lint(JSON.stringify({ ...line, event_ts: '2026-03-14T17:09:26.535+02:00' }))).toEqual([]);
  });

  it.each<[JsonObject, string[]]>([
    [{ event_id: 'shop:1' }, ['/event_id']],
    [{ source: 'other' }, ['/event_id']],
    [{ source: 'No Source' }, ['/source', '/event_id']],
    [{ event_ts: '2026-03-14T15:09:26.536Z' }, ['/event_id']],
    [{ event_ts: '2026-03-14T15:09:26' }, ['/event_ts', '/event_ts']],
    [{ event_ts: '2026-02-30T15:09:26Z' }, ['/event_ts']],
    [{ session_id: null }, ['/payload/session_id']],
    [{ subject_id: 'jane' }, ['/payload/subject_id']],
    [{ event_name: 'sold' }, ['/payload/event_name', '/event_name']],
    [{ schema_version: '2-0-0' }, ['/schema_version']],
    [{ source_file: '' }, ['/source_file']],
    [{ line_no: 0 }, ['/line_no']],
    [{ extra: 1 }, ['']],
    [{ payload: 5 }, ['/payload']],
    [{ payload: '{"b":1' }, ['/payload']],
  ])('places what is wrong with %j', (changes, places) => {
    expect(placesOf({ ...goodLine(), ...changes })).toEqual(places);
  });

  it('lists every violation of the schema, and what the rules forbid', () => {
    const line = lineWith({ amount: -1, email: 'x', note: 'ask jane.doe@example.org', tags: [1, 'a', 2] });
    expect(placesOf(line).sort()).toEqual(
      [
        '/payload/properties/amount',
        '/payload/properties/email',
        '/payload/properties/note',
        '/payload/properties/tags/0',
        '/payload/properties/tags/2',
      ].sort(),
    );
    expect(placesOf(lineWith({ amount: 1, item: { owner: 'x' } }))).toEqual(['/payload/properties/item/owner']);
    expect(placesOf(lineWith({}))).toEqual(['/payload/properties']);
    expect(placesOf(lineWith({ amount: 1 }, { seen_at: 'x' }))).toEqual(['/payload']);
  });

  it('wants the canonical text of the payload', () => {
    const line = goodLine();
    expect(placesOf({ ...line, payload: JSON.stringify(line.payload, null, 1) })).toEqual(['/payload', '/event_id']);
  });

  it('lists every missing field, and says what is no object', () => {
    expect(placesOf({})).toHaveLength(10);
    for (const text of ['', '{', '[]', '"x"', 'null']) expect(lint(text).map(({ path }) => path)).toEqual(['']);
  });

  it('repeats no value', () => {
    const line = { ...lineWith({ amount: 'SECRET', SECRET: 1 }, { SECRET: 2 }), SECRET: 3, event_ts: 'SECRET' };
    const found = lint(JSON.stringify(line));
    expect(found.length).toBeGreaterThan(4);
    expect(JSON.stringify(found)).not.toContain('SECRET');
  });
});
