import { checkSync } from 'recheck';
import { expect, it, vi } from 'vitest';
import { compileRecipe } from './compile-recipe.ts';
import { TEST_KEYS, testLine, testRecipe, testRecord } from './recipe-fixture.ts';

/** Something for every detector and rule, so that each of their patterns is used. */
const TEXT =
  'jane@example.org "jane"@example.org +4915123456789 DE89370400440532013000 4111111111111111 eyJhbGciOiJIUzI1NiJ9.e ' +
  'token=abcdef123 192.0.2.7 2001:db8::7 0123456789abcdef0123456789abcdef 15070649C103 86095742719 %40 ＠';

/** Every pattern that is put to text which somebody else wrote, found by watching the matching itself. */
function patternsInUse(): RegExp[] {
  const transforms = [{}, { pseudonym: 'passthrough' as const }].map((source) =>
    compileRecipe(testRecipe({}, source), { keys: TEST_KEYS, isSuppressed: () => false }),
  );
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
  vi.restoreAllMocks();
  return [...patterns.values()];
}

const patterns = patternsInUse();

it('are found by watching', () => {
  expect(patterns.length).toBeGreaterThan(30);
});

it.each(patterns)('cannot be made slow: %s', (pattern) => {
  // The pure build and few rounds of search: what the analysis cannot prove, a search tries to break.
  const diagnostics = checkSync(pattern.source, pattern.flags, { maxIteration: 1, timeout: 50_000 });
  expect(diagnostics).toMatchObject({ status: 'safe' });
});
