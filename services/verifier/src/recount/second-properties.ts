import { DETECTOR_NAMES } from '@backfill/core/domain/detector-name';
import { isJsonObject, type JsonObject, type JsonValue } from '@backfill/core/domain/json';
import { maskIp } from '@backfill/core/domain/mask-ip';
import { userAgentFamily } from '@backfill/core/domain/user-agent-family';
import { compileTextMask } from '@backfill/core/recipe/detectors/mask-personal-data';
import type { Recipe } from '@backfill/core/recipe/recipe';
import { compileReduceUrl } from '@backfill/core/recipe/reduce-url';
import { remember } from '@backfill/core/recipe/remember';
import { fieldAt, type SecondIds, UNUSABLE } from './second-ids.ts';

type Mapping = Recipe['source']['mapping']['properties'];

const REMEMBERED_AGENTS = 1_000;

/** A value that may not be stored and stops its line. */
class Refused extends Error {}

/** What of a record the schema's allow-list lets through; undefined when a rule refuses the whole line. */
export type PropertiesReading = (schema: JsonObject, record: JsonObject, timeMs: number) => JsonObject | undefined;

const typesOf = (node: JsonObject): JsonValue[] => (Array.isArray(node.type) ? node.type : [node.type ?? null]);

const propertiesOfNodes = new WeakMap<JsonObject, [string, JsonObject][]>();

/** The properties of a schema's node that are not dropped, in the order of canonical JSON. */
function keptProperties(node: JsonObject): [string, JsonObject][] {
  const known = propertiesOfNodes.get(node);
  if (known !== undefined) return known;
  const kept = Object.entries(node.properties ?? {})
    .filter((entry): entry is [string, JsonObject] => isJsonObject(entry[1]) && entry[1]['x-pii'] !== 'drop')
    .sort(([a], [b]) => (a < b ? -1 : 1));
  propertiesOfNodes.set(node, kept);
  return kept;
}

/** Where a property's value stands in a record, and what the mapping makes of it. */
function compileMapped(mapping: Mapping, name: string): (record: JsonObject) => JsonValue | undefined {
  const own = mapping[name];
  if (typeof own === 'object' && 'constant' in own) return () => own.constant;
  if (typeof own === 'object') {
    const values = new Map(Object.entries(own.values));
    return (record) => {
      const raw = fieldAt(record, own.path);
      return raw === undefined || typeof raw === 'object' ? raw : (values.get(String(raw)) ?? raw);
    };
  }
  const rest = mapping['*'];
  const path = own ?? (typeof rest === 'string' ? rest.split('*').join(name) : undefined);
  return path === undefined ? () => undefined : (record) => fieldAt(record, path);
}

/**
 * Reads properties by the schema itself, node by node, for every record anew: slow, and nothing of it is shared with the
 * transformer but the rules for single values (detectors, addresses, URLs, user agents).
 *
 * @param isOpen true leaves values as they are, but for those that are dropped: an upcast sees them like that
 */
export function propertiesReading(
  { source }: Recipe,
  ids: SecondIds,
  mapping: Mapping,
  isOpen = false,
): PropertiesReading {
  const mask = compileTextMask(source.pii?.detectors ?? DETECTOR_NAMES);
  const onFind = source.pii?.scan ?? 'mask';
  const reduceUrls = new Map<string, (url: string) => string>();

  function reduceUrl(queryKeys: string[]): (url: string) => string {
    const name = queryKeys.join('\n');
    const known = reduceUrls.get(name) ?? compileReduceUrl(queryKeys, (text) => mask(text));
    reduceUrls.set(name, known);
    return known;
  }

  function scanned(text: string): string | undefined {
    const masked = mask(text);
    if (masked === text || onFind === 'mask') return masked;
    if (onFind === 'quarantine') throw new Refused();
    return undefined;
  }

  const familyOf = remember(REMEMBERED_AGENTS, userAgentFamily);
  const textRules: Record<string, (text: string, node: JsonObject) => string | undefined> = {
    'ip-mask': maskIp,
    'user-agent': familyOf,
    url: (text, node) => reduceUrl((node['x-pii-query-keys'] ?? []) as string[])(text),
    scan: scanned,
  };

  function pseudonymised(node: JsonObject, name: string, value: JsonValue, timeMs: number): string | undefined {
    const id = ids.pseudonym((node['x-pii-domain'] as string | undefined) ?? name, value, timeMs);
    if (id === UNUSABLE) throw new Refused();
    return id;
  }

  function kept(node: JsonObject, name: string, value: JsonValue, timeMs: number): JsonValue | undefined {
    const rule = isOpen ? 'none' : String(node['x-pii']);
    if (rule === 'none') return value;
    if (rule === 'pseudonymise') return pseudonymised(node, name, value, timeMs);
    const change = textRules[rule];
    if (change === undefined) throw new RangeError(`there is no rule ${rule}`);
    return typeof value === 'string' ? change(value, node) : undefined;
  }

  /** @param ruled the node whose rule holds: items are under their array's */
  function project(
    node: JsonObject,
    ruled: JsonObject,
    name: string,
    value: JsonValue,
    timeMs: number,
  ): JsonValue | undefined {
    if (node['x-pii'] === 'drop') return undefined;
    const type = typesOf(node).find((each) => each !== 'null');
    if (type === 'object') return isJsonObject(value) ? members(node, (member) => value[member], timeMs) : false;
    if (type !== 'array') return kept(ruled, name, value, timeMs);
    if (!Array.isArray(value)) return false;
    // One more than allowed, so that the schema still refuses too many.
    const items = value.slice(0, (node.maxItems as number) + 1);
    return items.map((item) => project(node.items as JsonObject, ruled, name, item, timeMs) ?? null);
  }

  function member(node: JsonObject, name: string, value: JsonValue, timeMs: number): JsonValue | undefined {
    if (value !== null) return project(node, node, name, value, timeMs);
    return typesOf(node).includes('null') ? null : undefined;
  }

  function members(node: JsonObject, read: (name: string) => JsonValue | undefined, timeMs: number): JsonObject {
    const found: JsonObject = {};
    for (const [name, property] of keptProperties(node)) {
      const value = read(name);
      const stored = value === undefined ? undefined : member(property, name, value, timeMs);
      if (stored !== undefined) found[name] = stored;
    }
    return found;
  }

  const mapped = new Map<string, (record: JsonObject) => JsonValue | undefined>();

  function readMapped(name: string, record: JsonObject): JsonValue | undefined {
    const known = mapped.get(name) ?? compileMapped(mapping, name);
    mapped.set(name, known);
    return known(record);
  }

  return (schema, record, timeMs) => {
    try {
      return members(schema, (name) => readMapped(name, record), timeMs);
    } catch (error) {
      if (error instanceof Refused) return undefined;
      throw error;
    }
  };
}
