import type { Report, ReportEscalation } from '../report.ts';
import { shortTime } from '../verdict.ts';
import { type Html, html } from './html.ts';
import { FAILED, PASSED, scrolling, words } from './parts.ts';

/** What is on record of the run elsewhere; nothing where nobody asked for one and nobody made one. */
export function rehearsalPart(rehearsal: Report['rehearsal']): Html | undefined {
  if (rehearsal === null || (!rehearsal.required && rehearsal.recorded === null)) return undefined;
  const { recorded } = rehearsal;
  const told =
    recorded === null
      ? html`<span class="said ${FAILED.tone}">${FAILED.mark} missing</span>: the run waits for the report of a run with the same recipe elsewhere.`
      : html`<span class="said ${PASSED.tone}">${PASSED.mark} went well</span> elsewhere as <code>${recorded.rehearsed_batch_id}</code>, says ${recorded.recorded_by}, ${shortTime(recorded.recorded_at)}. The report that was handed in is kept: <code>${recorded.report_sha256.slice(0, 12)}…</code>`;
  return html`<h3>Rehearsal</h3><p>${told}</p>`;
}

/** The conflicts that were brought before those who decide, and what they decided; nothing where there were none. */
export function escalationsPart(escalations: readonly ReportEscalation[]): Html | undefined {
  if (escalations.length === 0) return undefined;
  const table = html`<table class="people"><caption class="hidden">Escalations</caption><thead><tr><th scope="col" class="number">no.</th><th scope="col">about</th><th scope="col">raised by</th><th scope="col">decision</th></tr></thead>
<tbody>${escalations.map(row)}</tbody></table>`;
  return html`<h3>Escalations</h3>${scrolling('Escalations', table)}`;
}

function row({ escalation_no, about, status_reason, raised_by, why, raised_at, decision }: ReportEscalation): Html {
  return html`<tr><td class="number">${escalation_no}</td><td>${words(about)}${status_reason !== null && html`<br><small>${status_reason}</small>`}</td>
<td>${raised_by}, ${shortTime(raised_at)}<br><q>${why}</q></td><td>${decided(decision)}</td></tr>`;
}

function decided(decision: ReportEscalation['decision']): Html {
  if (decision === null) return html`<span class="fallen">not yet</span>`;
  const { role, decided_by, decided_at } = decision;
  return html`<strong>${decision.decision}</strong><br>${decided_by}, ${words(role)}, ${shortTime(decided_at)}<br><q>${decision.why}</q>`;
}
