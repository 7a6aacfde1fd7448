import type { PiiRule } from '../config/taxonomy.ts';
import type { JsonValue } from '../domain/json.ts';
import { maskIp } from '../domain/mask-ip.ts';
import { userAgentFamily } from '../domain/user-agent-family.ts';
import { maskPersonalData } from './detectors/mask-personal-data.ts';
import { reduceUrl } from './reduce-url.ts';
import { remember } from './remember.ts';

const REMEMBERED_AGENTS = 1_000;

/**
 * Replaces a raw identifier by its pseudonym in a domain, with the key of the event's time (ms).
 * Undefined for what a source passes through although it is no pseudonym.
 */
export type Pseudonymise = (domain: string, id: string, eventTsMs: number) => string | undefined;

/**
 * What may be kept of a raw value; undefined for nothing. A value of another type than the rule
 * works on is dropped by every rule but `none`, so that it cannot slip past the rule.
 */
export type CompiledPiiRule = (value: JsonValue, eventTsMs: number) => JsonValue | undefined;

/** Compiles the rule that a taxonomy property names in `x-pii`. */
export function compilePiiRule(rule: PiiRule, domain: string, pseudonymise: Pseudonymise): CompiledPiiRule {
  switch (rule) {
    case 'none':
      return (value) => value;
    case 'drop':
      return () => undefined;
    case 'pseudonymise':
      return (value, eventTsMs) => {
        const id = rawIdentifier(value);
        return id === undefined ? undefined : pseudonymise(domain, id, eventTsMs);
      };
    case 'ip-mask':
      return onText(maskIp);
    case 'url':
      return onText(reduceUrl);
    case 'user-agent':
      return onText(remember(REMEMBERED_AGENTS, userAgentFamily));
    case 'scan':
      return onText(maskPersonalData);
  }
}

const MAX_IDENTIFIER_LENGTH = 512;

/**
 * The text of a raw identifier: a string, or an integer in decimal digits. Undefined for what
 * would not tell persons apart reliably: anything else, an empty or overlong string, text with a
 * lone surrogate (every one is hashed alike), and an integer beyond 2^53.
 */
export function rawIdentifier(value: JsonValue): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined;
  const isUsable =
    typeof value === 'string' && value !== '' && value.length <= MAX_IDENTIFIER_LENGTH && value.isWellFormed();
  return isUsable ? value : undefined;
}

function onText(change: (text: string) => string | undefined): (value: JsonValue) => string | undefined {
  return (value) => (typeof value === 'string' ? change(value) : undefined);
}
