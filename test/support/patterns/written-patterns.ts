import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';

const ROOT = path.join(import.meta.dirname, '../../..');
const SHIPPED = ['packages/*/src/**/*.ts', 'services/*/src/**/*.ts', 'infra/src/**/*.ts', 'scripts/**/*.mjs'];
const FOR_TESTS = /\.test\.ts$|-fixture\.ts$/;

export interface WrittenPattern {
  /** File and line. */
  place: string;
  source: string;
  flags: string;
}

/** Every regular expression in the code that is shipped, and the files that make others when they run. */
export function findPatterns(): { literals: WrittenPattern[]; makers: string[] } {
  const literals: WrittenPattern[] = [];
  const makers = new Set<string>();
  for (const file of globSync(SHIPPED, { cwd: ROOT }).sort()) {
    if (FOR_TESTS.test(file)) continue;
    const text = readFileSync(path.join(ROOT, file), 'utf8');
    const { program, errors } = parseSync(file, text);
    if (errors.length > 0) throw new Error(`${file} cannot be parsed`);
    new Visitor({
      Literal(node) {
        if (!('regex' in node)) return;
        const { pattern, flags } = node.regex;
        const line = text.slice(0, node.start).split('\n').length;
        literals.push({ place: `${file}:${line}`, source: pattern, flags });
      },
      NewExpression({ callee }) {
        if (callee.type === 'Identifier' && callee.name === 'RegExp') makers.add(file);
      },
      CallExpression({ callee }) {
        if (callee.type === 'Identifier' && callee.name === 'RegExp') makers.add(file);
      },
    }).visit(program);
  }
  return { literals, makers: [...makers] };
}
