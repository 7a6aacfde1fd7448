import { gateMeaning } from '../gate-meanings.ts';
import type { Report, ReportApproval } from '../report.ts';
import { shortTime } from '../verdict.ts';
import { escalationsPart, rehearsalPart } from './decisions.ts';
import { type Html, html } from './html.ts';
import { scrolling, words } from './parts.ts';

interface Waiting {
  stage: string;
  role: string;
  gate: string | null;
}

/** Who said what, when, about which hash; whose word is missing; and what people decided besides. */
export function approvalsSection({ approvals, missing_approvals: missing, rehearsal, escalations }: Report): Html {
  const waiting: Waiting[] = [
    ...(['run', 'publish'] as const).flatMap((stage) =>
      (missing?.[stage] ?? []).map((role) => ({ stage, role, gate: null })),
    ),
    ...(missing?.override ?? []).map(({ gate, role }) => ({ stage: 'override', role, gate })),
  ];
  const nobody = approvals.length === 0 && waiting.length === 0;
  return html`<section aria-labelledby="approvals"><h2 id="approvals">Approvals</h2>
${nobody ? html`<p>The policy asks nobody for an approval of this batch.</p>` : table(approvals, waiting)}${rehearsalPart(rehearsal)}${escalationsPart(escalations)}</section>`;
}

/** Of an override, the gate that it is about. */
function stageCell({ stage, gate }: Pick<ReportApproval, 'stage' | 'gate'>): Html {
  return html`<td>${words(stage)}${gate !== null && html`<br><small>${gateMeaning(gate).title}</small>`}</td>`;
}

function table(approvals: readonly ReportApproval[], waiting: readonly Waiting[]): Html {
  return scrolling(
    'Approvals',
    html`<table class="people"><caption class="hidden">Approvals</caption><thead><tr><th scope="col">stage</th><th scope="col">role</th><th scope="col">who</th><th scope="col">decision</th><th scope="col">when</th><th scope="col">signed hash</th></tr></thead>
<tbody>${approvals.map(row)}${waiting.map((missing) => html`<tr>${stageCell(missing)}<td>${words(missing.role)}</td><td class="fallen">–</td><td class="fallen">not yet</td><td class="fallen">–</td><td class="fallen">–</td></tr>`)}</tbody></table>`,
  );
}

function row(approval: ReportApproval): Html {
  const { role, actor, decision, at, bound_hash, comment, counts } = approval;
  const said =
    decision === 'approve'
      ? html`<span class="said good">✓ approved</span>`
      : html`<span class="said bad">✕ rejected</span>`;
  return html`<tr>${stageCell(approval)}<td>${words(role)}</td><td>${actor}</td>
<td>${said}${!counts && html`<br><small class="fallen">fallen: for other figures, or decided anew</small>`}${comment !== null && html`<br><q>${comment}</q>`}</td>
<td>${shortTime(at)}</td><td><code>${bound_hash.slice(0, 12)}…</code></td></tr>`;
}
