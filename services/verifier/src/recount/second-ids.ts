import { createHash, createHmac } from 'node:crypto';
import type { IdentifierMapping } from '@backfill/core/config/source';
import { DETECTOR_NAMES } from '@backfill/core/domain/detector-name';
import type { JsonObject, JsonValue } from '@backfill/core/domain/json';
import { compileIdentifierCheck } from '@backfill/core/recipe/detectors/mask-personal-data';
import type { KeyRing } from '@backfill/core/recipe/key-ring';
import type { Recipe } from '@backfill/core/recipe/recipe';

/** An identifier that may not be stored, or is none. */
export const UNUSABLE = Symbol('unusable identifier');

const MAX_LENGTH = 512;
/** Printable ASCII without spaces, quotes and backslashes. */
const PLAIN = /^[!#-[\]-~]{1,128}$/;
const REMEMBERED = 20_000;

/** What the identifiers of a recipe become. */
export interface SecondIds {
  /** The identifier at its place in the record; null where there is none. */
  read(mapping: IdentifierMapping | undefined, record: JsonObject, timeMs: number): string | null | typeof UNUSABLE;
  /** The pseudonym of a raw value; undefined for a value that is no identifier. */
  pseudonym(domain: string, value: JsonValue, timeMs: number): string | typeof UNUSABLE | undefined;
}

const pathNames = new Map<string, string[]>();

function namesOf(path: string): string[] {
  const known = pathNames.get(path) ?? path.split('.');
  pathNames.set(path, known);
  return known;
}

/** The field at a path of names with dots between them; undefined where it, or an object on the way, is missing. */
export function fieldAt(record: JsonObject, path: string): JsonValue | undefined {
  let value: JsonValue | undefined = record;
  for (const name of namesOf(path)) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    value = value[name];
  }
  return value;
}

function asIdentifier(value: JsonValue): string | undefined {
  if (Number.isSafeInteger(value)) return String(value);
  if (typeof value !== 'string' || value === '' || value.length > MAX_LENGTH) return undefined;
  return value.isWellFormed() ? value : undefined;
}

/** Identifiers by the contract: straight from node's own HMAC, with nothing of the transformer's. */
export function secondIds({ source, keyPeriods }: Recipe, keys: KeyRing): SecondIds {
  const isPersonal = compileIdentifierCheck(source.pii?.detectors ?? DETECTOR_NAMES);
  const isKept = (id: string) => PLAIN.test(id) && !isPersonal(id);
  const remembered = new Map<string, string>();

  function versionAt(timeMs: number): number {
    const period = keyPeriods.findLast(({ fromMs }, index) => index === 0 || timeMs >= (fromMs ?? 0));
    return period?.version ?? 1;
  }

  function derive(version: number, domain: string, id: string): string {
    const key = keys.get(version);
    if (key === undefined) throw new RangeError(`analytics_salt has no key version ${version}`);
    if (source.pseudonym === 'sha256-salt-suffix') {
      return createHash('sha256').update(id).update(key.export()).digest('hex');
    }
    const mac = createHmac('sha256', key).update(`${domain}\x1f${id}`).digest().subarray(0, 16);
    return `p${version}_${mac.toString('base64url')}`;
  }

  function pseudonym(domain: string, value: JsonValue, timeMs: number): string | typeof UNUSABLE | undefined {
    const id = asIdentifier(value);
    if (id === undefined) return undefined;
    if (source.pseudonym === 'passthrough') return isKept(id) ? id : UNUSABLE;
    const version = versionAt(timeMs);
    const name = `${version} ${domain} ${id}`;
    const known = remembered.get(name);
    if (known !== undefined) return known;
    if (remembered.size >= REMEMBERED) remembered.clear();
    const derived = derive(version, domain, id);
    remembered.set(name, derived);
    return derived;
  }

  return {
    pseudonym,
    read(mapping, record, timeMs) {
      const value = mapping === undefined ? undefined : fieldAt(record, mapping.path);
      if (mapping === undefined || value === undefined || value === null || value === '') return null;
      if (mapping.pii === 'pseudonymise') return pseudonym(mapping.domain, value, timeMs) ?? UNUSABLE;
      const id = asIdentifier(value);
      return id !== undefined && isKept(id) ? id : UNUSABLE;
    },
  };
}
