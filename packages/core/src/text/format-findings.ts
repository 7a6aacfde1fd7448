import type { Finding } from '../domain/finding.ts';
import { formatQuantity } from './format-number.ts';

/** A check's findings for a person, each with what mends it. */
export function formatFindings(check: string, findings: readonly Finding[]): string[] {
  if (findings.length === 0) return [`${check}: in order`];
  return [
    `${check}: ${formatQuantity(findings.length, 'finding')}`,
    ...findings.flatMap(({ subject, problem, remedy }) => [`  ${subject}: ${problem}.`, `    To mend it: ${remedy}.`]),
  ];
}
