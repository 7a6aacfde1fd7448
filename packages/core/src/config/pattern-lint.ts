import { isJsonObject, type JsonValue } from '../domain/json.ts';
import type { ConfigMistake } from './config-error.ts';
import type { Taxonomy } from './taxonomy.ts';

/** The same search each time; one that takes longer than half a minute counts as a find. */
const OPTIONS = { randomSeed: 1, timeout: 30_000, attackTimeout: 30_000, incubationTimeout: 30_000 };

/** Adds a mistake for each `pattern` that some text could make slow: it is put to whatever stands in raw records. */
export async function checkPatterns(taxonomy: Taxonomy, mistakes: ConfigMistake[]): Promise<void> {
  const written = [...taxonomy].flatMap(([eventName, versions]) =>
    [...versions].flatMap(([version, schema]) =>
      patternsOf(schema, '').map((found) => ({
        file: `taxonomy/events/${eventName}/${version}.schema.json`,
        ...found,
      })),
    ),
  );
  if (written.length === 0) return;
  // Takes more memory than everything else here together, so only those pay for it who have patterns.
  const { checkSync } = await import('recheck');
  for (const { file, path, pattern } of written) {
    // Ajv compiles patterns with this flag, as JSON Schema wants it.
    const { status } = checkSync(pattern, 'u', OPTIONS);
    if (status === 'safe') continue;
    mistakes.push({ file, path, message: 'can be made slow by some texts: write it without repeats within repeats' });
  }
}

/** Below `properties` stand names, which may be `pattern` too; a pattern itself is text. */
function patternsOf(node: JsonValue, path: string): { path: string; pattern: string }[] {
  if (Array.isArray(node)) return node.flatMap((item, index) => patternsOf(item, `${path}/${index}`));
  if (!isJsonObject(node)) return [];
  return Object.entries(node).flatMap(([name, child]) => {
    const at = `${path}/${name}`;
    return name === 'pattern' && typeof child === 'string' ? [{ path: at, pattern: child }] : patternsOf(child, at);
  });
}
