import { codeOfSql } from './sql-code.ts';

/** Longest definition, in characters: it is pinned in every plan. */
const MAX_LENGTH = 20_000;

/**
 * What is wrong with a KPI's definition, as far as that can be told without a database; undefined when it is good. It
 * becomes a subquery: it must be one statement, and must not end the parentheses that it stands in.
 */
export function kpiDefinitionProblem(text: string): string | undefined {
  if (text.length > MAX_LENGTH) return `is longer than ${MAX_LENGTH} characters`;
  if (text.includes('\0')) return 'has a NUL character';
  const code = codeOfSql(text)?.trim();
  if (code === undefined) return 'has a comment or a quote that does not end';
  if (!/^(select|with)\b/i.test(code)) return 'must be one SELECT (or WITH … SELECT)';
  if (code.includes(';')) return 'must be one statement without a semicolon';
  if (!/\bkpi_events\b/i.test(code)) return 'does not read kpi_events';
  let depth = 0;
  for (const [parenthesis] of code.matchAll(/[()]/g)) {
    depth += parenthesis === '(' ? 1 : -1;
    if (depth < 0) return 'closes a parenthesis that it has not opened';
  }
  return depth === 0 ? undefined : 'opens a parenthesis that it does not close';
}
