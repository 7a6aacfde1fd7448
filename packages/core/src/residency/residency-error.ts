import { FatalError } from '../errors.ts';
import type { ResidencyFinding } from './residency-facts.ts';
import { formatResidencyFindings } from './residency-findings.ts';

/** Data would leave the EU, or nobody can say that it would not: nothing is sent. */
export class ResidencyError extends FatalError {
  override readonly name = 'ResidencyError';
  readonly findings: readonly ResidencyFinding[];

  constructor(findings: readonly ResidencyFinding[]) {
    super(`Refused by the residency policy:\n${formatResidencyFindings(findings).join('\n')}`);
    this.findings = findings;
  }
}
