import type { Report, ReportApproval } from '../report.ts';
import { shortTime } from '../verdict.ts';
import { type Html, html } from './html.ts';
import { scrolling, words } from './parts.ts';

/** Who said what, when, about which hash; and whose word is missing. */
export function approvalsSection({ approvals, missing_approvals: missing }: Report): Html {
  const waiting = (['run', 'publish'] as const).flatMap((stage) =>
    (missing?.[stage] ?? []).map((role) => ({ stage, role })),
  );
  const nobody = approvals.length === 0 && waiting.length === 0;
  return html`<section aria-labelledby="approvals"><h2 id="approvals">Approvals</h2>
${nobody ? html`<p>The policy asks nobody for an approval of this batch.</p>` : table(approvals, waiting)}</section>`;
}

function table(approvals: readonly ReportApproval[], waiting: readonly { stage: string; role: string }[]): Html {
  return scrolling(
    'Approvals',
    html`<table><caption class="hidden">Approvals</caption><thead><tr><th scope="col">stage</th><th scope="col">role</th><th scope="col">who</th><th scope="col">decision</th><th scope="col">when</th><th scope="col">signed hash</th></tr></thead>
<tbody>${approvals.map(row)}${waiting.map(({ stage, role }) => html`<tr><td>${words(stage)}</td><td>${words(role)}</td><td class="fallen">–</td><td class="fallen">not yet</td><td class="fallen">–</td><td class="fallen">–</td></tr>`)}</tbody></table>`,
  );
}

function row({ stage, role, actor, decision, at, bound_hash, comment, counts }: ReportApproval): Html {
  const said =
    decision === 'approve'
      ? html`<span class="said good">✓ approved</span>`
      : html`<span class="said bad">✕ rejected</span>`;
  return html`<tr><td>${words(stage)}</td><td>${words(role)}</td><td>${actor}</td>
<td>${said}${!counts && html`<br><small class="fallen">fallen: for other figures, or decided anew</small>`}${comment !== null && html`<br><q>${comment}</q>`}</td>
<td>${shortTime(at)}</td><td><code>${bound_hash.slice(0, 12)}…</code></td></tr>`;
}
