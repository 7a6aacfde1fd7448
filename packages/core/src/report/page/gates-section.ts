import { formatAllowed, formatObserved, gateMeaning } from '../gate-meanings.ts';
import type { Report, ReportGate, ReportVisibility } from '../report.ts';
import { passedGates, shortTime } from '../verdict.ts';
import { type Html, html } from './html.ts';
import { FAILED, PASSED, shareBar } from './parts.ts';

/** Longer figures than this stand in report.json only. */
const MAX_DETAIL_CHARACTERS = 6_000;
/** What is told elsewhere in the page. */
const TOLD_ELSEWHERE = ['days', 'changes', 'samples', 'why', 'note', 'error', 'not_applicable'];

/** Each gate with what was observed against what is allowed; the failed ones first. */
export function gatesSection({ gates, gate_set_hash, visibility }: Report): Html {
  const inOrder = gates.toSorted((a, b) => Number(a.passed) - Number(b.passed));
  return html`<section aria-labelledby="gates"><h2 id="gates">Gates</h2>
${gates.length === 0 ? html`<p>No gate was measured in this attempt.</p>` : html`<p>${passedGates(gates)} passed. Who signs the publish signs exactly these results${gate_set_hash !== null && html` (gate set <code>${gate_set_hash.slice(0, 12)}…</code>)`}.</p>`}
<ul class="gates">${inOrder.map(gateItem)}${visibility != null && visibilityItem(visibility)}</ul></section>`;
}

function gateItem(gate: ReportGate): Html {
  const { threshold, observed, passed, procedure, measured_at, detail } = gate;
  const meaning = gateMeaning(gate.gate);
  const { tone, mark, word } = passed ? PASSED : FAILED;
  const waived = textOf(detail.not_applicable);
  const measure = html`<dl class="measure"><div><dt>observed</dt><dd>${formatObserved(meaning, observed)}</dd></div><div><dt>allowed</dt><dd>${formatAllowed(meaning, threshold)}</dd></div>${bar(gate, meaning.isAtLeast === true)}</dl>`;
  return html`<li class="gate ${tone}"><span class="mark" aria-hidden="true">${waived === undefined ? mark : '–'}</span>
<div><h3>${meaning.title} <span class="hidden">${waived === undefined ? word : 'not applicable'}</span></h3>
<p class="note">${meaning.proves}</p>${noteOf(gate)}${reasonsOf(gate).map((reason) => html`<p class="why">${reason}</p>`)}</div>
${waived === undefined ? measure : html`<p class="note">Not applicable: ${waived}</p>`}
<details><summary>How it was measured, ${shortTime(measured_at)}</summary><pre>${procedure}</pre>${figures(detail)}</details></li>`;
}

/** What is held against its limit like a gate, but after everybody has signed: when readers saw the events. */
function visibilityItem({ allowed, observed }: ReportVisibility): Html {
  const meaning = gateMeaning('visibility');
  const isLate = observed !== null && observed > allowed;
  const { tone, mark, word } =
    observed === null ? { tone: '', mark: '…', word: 'not measured yet' } : isLate ? FAILED : PASSED;
  const bar = observed !== null && allowed > 0 && shareBar(observed / allowed);
  return html`<li class="gate ${tone}"><span class="mark" aria-hidden="true">${mark}</span>
<div><h3>${meaning.title} <span class="hidden">${word}</span></h3>
<p class="note">${meaning.proves} Measured after the go, and not part of what is signed.</p>${isLate && html`<p class="why">They saw them too late, which is an incident.</p>`}</div>
<dl class="measure"><div><dt>observed</dt><dd>${formatObserved(meaning, observed)}</dd></div><div><dt>allowed</dt><dd>${formatAllowed(meaning, allowed)}</dd></div>${bar}</dl></li>`;
}

/** How much of what is allowed was used up; nothing where nothing is allowed. */
function bar({ observed, threshold }: ReportGate, isAtLeast: boolean): Html | undefined {
  if (observed === null || threshold === 0) return undefined;
  return shareBar(isAtLeast ? observed : observed / threshold);
}

/** What has to be known of a gate, passed or not. */
function noteOf({ detail }: ReportGate): Html | undefined {
  const note = textOf(detail.note);
  return note === undefined ? undefined : html`<p class="note">${note}</p>`;
}

function reasonsOf({ passed, detail }: ReportGate): string[] {
  if (passed) return [];
  const error = textOf(detail.error);
  return [textOf(detail.why), error && `It could not be measured: ${error}`].filter((text) => text !== undefined);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function figures(detail: Record<string, unknown>): Html | undefined {
  const own = Object.entries(detail).filter(([name]) => !TOLD_ELSEWHERE.includes(name));
  if (own.length === 0) return undefined;
  const text = JSON.stringify(Object.fromEntries(own), null, 2);
  const cut =
    text.length > MAX_DETAIL_CHARACTERS
      ? `${text.slice(0, MAX_DETAIL_CHARACTERS)}\n… the rest is in report.json`
      : text;
  return html`<pre>${cut}</pre>`;
}
