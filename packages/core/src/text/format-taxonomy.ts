import type { BackfillConfig } from '../config/load-config.ts';
import { isNullable, schemaTypes } from '../config/taxonomy-lint.ts';
import { isJsonObject, type JsonObject } from '../domain/json.ts';
import { compareSchemaVersions } from '../domain/schema-version.ts';

const HEAD = `<!-- Written by ./backfill taxonomy docs; edit the schemas instead. -->

# Analytics taxonomy

Every event that may be stored, with its properties as they are stored. What is not listed here is dropped. \`x-pii\` says
what was done to a value before: \`none\` nothing, \`drop\` it is left out, \`pseudonymise\` replaced by a keyed hash,
\`ip-mask\` cut to its network, \`url\` without fragment and query (but for the keys that it keeps), \`user-agent\` family
and major version, \`scan\` searched for personal data.
`;

/** The taxonomy as a Markdown document: the same text for the same configuration. */
export function formatTaxonomy({
  taxonomy,
  sources,
  upcasts,
}: Pick<BackfillConfig, 'taxonomy' | 'sources' | 'upcasts'>): string {
  const events = [...taxonomy].sort(([a], [b]) => (a < b ? -1 : 1));
  const sourcesOf = (eventName: string): string[] =>
    [...sources.values()].flatMap(({ source, events: pinned }) =>
      pinned[eventName] === undefined ? [] : [`\`${source}\` (${pinned[eventName]})`],
    );
  const overview = events.map(([eventName, versions]) => [
    `[${eventName}](#${eventName})`,
    sourcesOf(eventName).join(', '),
    description(newestFirst(versions)[0]?.[1] ?? {}),
  ]);
  const sections = events.map(([eventName, versions]) => {
    const steps = [...(upcasts.get(eventName)?.values() ?? [])];
    return [
      `## ${eventName}`,
      ...newestFirst(versions).map(([version, schema]) => formatVersion(version, schema, steps)),
    ].join('\n\n');
  });
  return `${[HEAD, formatTable(['event', 'from (version)', 'meaning'], overview), '', sections.join('\n\n')].join('\n')}\n`;
}

function newestFirst(versions: ReadonlyMap<string, JsonObject>): [string, JsonObject][] {
  return [...versions].sort(([a], [b]) => compareSchemaVersions(b, a));
}

function formatVersion(version: string, schema: JsonObject, steps: readonly { from: string; to: string }[]): string {
  const next = steps.find(({ from }) => from === version);
  const lifted = next === undefined ? '' : ` Records of this version are lifted to ${next.to}.`;
  const rows = propertyRows(schema, '');
  return [
    `### ${version}`,
    `${description(schema)}${lifted}`.trim(),
    formatTable(['property', 'type', 'required', 'x-pii', 'meaning'], rows),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function propertyRows(node: JsonObject, prefix: string): string[][] {
  const required = Array.isArray(node.required) ? node.required : [];
  return childSchemas(node).flatMap(([name, property]) => [
    [
      `\`${prefix}${name}\``,
      typeText(property),
      required.includes(name) ? 'yes' : '',
      ruleText(property),
      description(property),
    ],
    ...propertyRows(property, `${prefix}${name}.`),
  ]);
}

function childSchemas(node: JsonObject): [string, JsonObject][] {
  if (!isJsonObject(node.properties)) return [];
  return Object.entries(node.properties).filter((entry): entry is [string, JsonObject] => isJsonObject(entry[1]));
}

/** Such as `string ≤ 64`, `integer 0…10 or null`, `one of a, b`. */
function typeText(node: JsonObject): string {
  return isNullable(node) ? `${plainTypeText(node)} or null` : plainTypeText(node);
}

function plainTypeText(node: JsonObject): string {
  const [type = ''] = schemaTypes(node);
  if ('const' in node) return `always \`${String(node.const)}\``;
  if (Array.isArray(node.enum)) return `one of ${node.enum.map((value) => `\`${String(value)}\``).join(', ')}`;
  if (type === 'array')
    return `up to ${String(node.maxItems)} × ${isJsonObject(node.items) ? typeText(node.items) : ''}`;
  if (type === 'string' && 'maxLength' in node) return `string ≤ ${String(node.maxLength)}`;
  if ('minimum' in node && 'maximum' in node) return `${type} ${String(node.minimum)} … ${String(node.maximum)}`;
  return type;
}

/** The rule, with the keys of a query that it keeps. */
function ruleText(node: JsonObject): string {
  const keys = node['x-pii-query-keys'];
  const kept = Array.isArray(keys) ? `, keeps ${keys.map((key) => `\`${String(key)}\``).join(', ')}` : '';
  return `\`${String(node['x-pii'])}\`${kept}`;
}

function description(node: JsonObject): string {
  return typeof node.description === 'string' ? node.description : '';
}

function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escapeCell).join(' | ')} |`;
  return [line(head), `| ${head.map(() => '---').join(' | ')} |`, ...rows.map(line)].join('\n');
}

function escapeCell(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('|', '\\|').replace(/\s+/g, ' ');
}
