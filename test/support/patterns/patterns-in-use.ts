import { createTaxonomyAjv } from '@backfill/core/config/taxonomy-ajv';
import { compileRecipe } from '@backfill/core/recipe/compile-recipe';
import { DETECTORS } from '@backfill/core/recipe/detectors/detectors';
import { TEST_KEYS, testLine, testRecipe, testRecord } from '@backfill/core/recipe/recipe-fixture';
import { vi } from 'vitest';

/** Something for every detector and rule, so that each of their patterns is used. */
const TEXT =
  'jane@example.org "jane"@example.org +4915123456789 DE89370400440532013000 4111111111111111 eyJhbGciOiJIUzI1NiJ9.e ' +
  'token=abcdef123 192.0.2.7 2001:db8::7 0123456789abcdef0123456789abcdef 15070649C103 86095742719 %40 ＠';

const RUNTIME = { keys: TEST_KEYS, isSuppressed: () => false };

/** A schema may name any format; some of those are functions with expressions of their own. */
function useFormats(): void {
  const ajv = createTaxonomyAjv();
  for (const format of Object.keys(ajv.formats)) {
    const validate = ajv.compile({ type: 'string', format });
    for (const text of ['https://h/a?q#f', '2026-03-14T15:09:26Z', '15:09:26Z', 'YWJj', TEXT]) validate(text);
  }
}

/** Every pattern that is put to text which somebody else wrote, found by watching the matching itself. */
export function patternsInUse(): RegExp[] {
  const transforms = [{}, { pseudonym: 'passthrough' as const }].map((source) =>
    compileRecipe(testRecipe({}, source), RUNTIME),
  );
  const web = { mapping: { ...testRecipe().source.mapping, time: { path: 'time', format: 'clf' as const } } };
  const accessLog = compileRecipe(testRecipe({}, { ...web, format: 'combined' }), RUNTIME);
  const patterns = new Map<string, RegExp>();
  const exec = RegExp.prototype.exec;
  vi.spyOn(RegExp.prototype, 'exec').mockImplementation(function (this: RegExp, text: string) {
    patterns.set(String(this), this);
    return exec.call(this, text);
  });
  const data = {
    amount: 5,
    note: TEXT,
    page: `https://h/${TEXT};a?q=1#f`,
    agent: 'Safari/1 Version/2',
    network: '::1',
  };
  const lines = [testRecord({ data }), testRecord({ session: TEXT, data }), testRecord({ at: 'x' })];
  for (const transform of transforms) {
    for (const line of lines) transform(testLine(JSON.stringify(line)));
  }
  accessLog(testLine('::1 - - [14/Mar/2026:15:09:26 +0000] "GET /a HTTP/1.1" 200 5 "\\x20" "-"'));
  useFormats();
  vi.restoreAllMocks();
  // The union of all hints is linear if they are, and each is in the list; for the search it is too long.
  return [...patterns.values()].filter(({ source }) => !isUnionOfHints(source));
}

function isUnionOfHints(source: string): boolean {
  return DETECTORS.filter(({ hint }) => source !== hint.source && source.includes(hint.source)).length > 2;
}
