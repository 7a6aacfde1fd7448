import type { ResidencyFinding } from '../residency/residency-facts.ts';
import { formatQuantity } from './format-number.ts';

/** A check's findings for a person, each with what mends it. */
export function formatFindings(check: string, findings: readonly ResidencyFinding[]): string[] {
  if (findings.length === 0) return [`${check}: in order`];
  return [
    `${check}: ${formatQuantity(findings.length, 'finding')}`,
    ...findings.flatMap(({ subject, problem, remedy }) => [`  ${subject}: ${problem}.`, `    To mend it: ${remedy}.`]),
  ];
}
