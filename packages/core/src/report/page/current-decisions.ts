import type { Report } from '../report.ts';
import { approvalsSection } from './approvals-section.ts';
import { replacePlaced } from './place.ts';
import { verdictSection } from './verdict-section.ts';

/** A stored page with what people have decided since, and with what is left to do then. */
export function withDecisions(page: string, report: Report): string {
  return replacePlaced(replacePlaced(page, 'verdict', verdictSection(report)), 'approvals', approvalsSection(report));
}
