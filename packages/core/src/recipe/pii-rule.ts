import type { PiiRule } from '../config/taxonomy.ts';
import type { JsonObject, JsonValue } from '../domain/json.ts';
import { maskIp } from '../domain/mask-ip.ts';
import { userAgentFamily } from '../domain/user-agent-family.ts';
import type { PiiContext } from './pii-context.ts';
import { rawIdentifier } from './raw-identifier.ts';
import { compileReduceUrl } from './reduce-url.ts';
import { remember } from './remember.ts';

const REMEMBERED_AGENTS = 1_000;

/**
 * What may be kept of a raw value; undefined for nothing. A value of another type than the rule
 * works on is dropped by every rule but `none`, so that it cannot slip past the rule.
 */
export type CompiledPiiRule = (value: JsonValue, eventTsMs: number) => JsonValue | undefined;

/**
 * Compiles the rule that a taxonomy property names in `x-pii`.
 *
 * @param node the property's schema
 * @param field JSON pointer to the property in the event
 * @param domain of a pseudonym, where the schema names none
 */
export function compilePiiRule(node: JsonObject, field: string, domain: string, context: PiiContext): CompiledPiiRule {
  const rule = node['x-pii'] as PiiRule;
  switch (rule) {
    case 'none':
      return (value) => value;
    case 'drop':
      return () => {
        context.observer?.dropped(field);
        return undefined;
      };
    case 'pseudonymise':
      return pseudonymiseRule((node['x-pii-domain'] as string | undefined) ?? domain, field, context);
    case 'ip-mask':
      return onText(maskIp);
    case 'url':
      return urlRule((node['x-pii-query-keys'] ?? []) as string[], field, context);
    case 'user-agent':
      return onText(remember(REMEMBERED_AGENTS, userAgentFamily));
    case 'scan':
      return scanRule(field, context);
  }
}

function pseudonymiseRule(domain: string, field: string, context: PiiContext): CompiledPiiRule {
  return (value, eventTsMs) => {
    const id = rawIdentifier(value);
    if (id === undefined) return undefined;
    const kept = context.pseudonymise(domain, id, eventTsMs);
    if (kept === undefined) context.refusal = `pii: ${field} personal_data`;
    return kept;
  };
}

function urlRule(queryKeys: readonly string[], field: string, context: PiiContext): CompiledPiiRule {
  const onHit = compileOnHit(field, context);
  const reduce = compileReduceUrl(queryKeys, (text) => context.maskText(text, onHit));
  return onText(reduce);
}

function scanRule(field: string, context: PiiContext): CompiledPiiRule {
  const { maskText, onFind } = context;
  const onHit = compileOnHit(field, context);
  if (onFind === 'mask') return onText((text) => maskText(text, onHit));
  return onText((text) => {
    if (maskText(text, onHit) === text) return text;
    if (onFind === 'quarantine') context.refusal = `pii: ${field} personal_data`;
    return undefined;
  });
}

type OnHit = NonNullable<Parameters<PiiContext['maskText']>[1]>;

function compileOnHit(field: string, { observer }: PiiContext): OnHit | undefined {
  return observer === undefined ? undefined : (detector) => observer.hit(field, detector);
}

function onText(change: (text: string) => string | undefined): (value: JsonValue) => string | undefined {
  return (value) => (typeof value === 'string' ? change(value) : undefined);
}
