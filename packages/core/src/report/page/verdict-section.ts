import { formatCount } from '../../text/format-number.ts';
import type { Report, ReportOutcome } from '../report.ts';
import { passedGates } from '../verdict.ts';
import { type Html, html } from './html.ts';

const TONES: Record<ReportOutcome, { tone: string; mark: string }> = {
  ready: { tone: 'good', mark: '✓' },
  published: { tone: 'good', mark: '✓' },
  gates_failed: { tone: 'bad', mark: '✕' },
  rolled_back: { tone: 'back', mark: '↩' },
  unproven: { tone: '', mark: '…' },
};

/** The verdict in one sentence, what to do next, and the figures that people ask for first. */
export function verdictSection({ verdict, balance, gates, rows, files }: Report): Html {
  const { tone, mark } = TONES[verdict.outcome];
  const facts: [name: string, value: string][] = [
    [verdict.outcome === 'published' ? 'events live' : 'events to publish', rows === null ? '–' : formatCount(rows)],
    ['lines read', formatCount(balance.read)],
    ['files', formatCount(files.length)],
    ['quarantined', formatCount(balance.quarantined)],
    ['gates passed', gates.length === 0 ? '–' : passedGates(gates)],
  ];
  return html`<section class="verdict ${tone}" aria-labelledby="verdict">
<h2 id="verdict"><span class="mark" aria-hidden="true">${mark}</span>${verdict.sentence}</h2>
${verdict.notes.map((note) => html`<p>${note}</p>`)}
${verdict.next.length > 0 && html`<p><strong>What to do next</strong></p><ul class="next">${verdict.next.map(({ command, effect }) => html`<li><code>${command}</code><span>${effect}</span></li>`)}</ul>`}
</section>
<dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}
