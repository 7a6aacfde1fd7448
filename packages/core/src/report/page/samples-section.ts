import { formatQuantity } from '../../text/format-number.ts';
import { MASK, type Sample, type Samples, type SamplesReference } from '../samples.ts';
import { type Content, type Html, html } from './html.ts';
import { FAILED, PASSED } from './parts.ts';
import { placed, replacePlaced } from './place.ts';

/** The samples themselves, or why they are not in the page. */
export type ShownSamples = Samples | 'apart' | 'gone';

/** More samples than this are folded up. */
const MAX_OPEN_SAMPLES = 4;

/** Each sampled event beside its raw line. */
export function samplesSection(reference: SamplesReference | null, shown: ShownSamples): Html {
  return html`<section aria-labelledby="samples"><h2 id="samples">Samples</h2>
${reference === null ? html`<p>No event was sampled.</p>` : placed('samples', samplesPart(reference, shown))}</section>`;
}

/** A stored page with the samples as they are now. Pages that have no place for them stay as they are. */
export function withSamples(page: string, reference: SamplesReference, shown: ShownSamples): string {
  return replacePlaced(page, 'samples', samplesPart(reference, shown));
}

function samplesPart(reference: SamplesReference, shown: ShownSamples): Html {
  const drawn = `${formatQuantity(reference.events, 'event')} ${reference.events === 1 ? 'was' : 'were'} drawn by the hash of plan and rows, of types and files in turn`;
  const where = html`<p class="note"><code>${reference.key}</code> in the archive, SHA-256 <code>${reference.sha256}</code></p>`;
  if (shown === 'apart') {
    return html`<p>${drawn}. They are kept apart from this page, so that they can expire or be erased while the report stays valid; the page that the API serves shows them for as long as they exist.</p>${where}`;
  }
  if (shown === 'gone') {
    return html`<p><strong>The samples are expired or erased.</strong> ${drawn}; what was found stands under the gate <em>sample</em> and stays valid.</p>${where}`;
  }
  return html`<p>${drawn}, and traced to their raw lines. Of a raw line only names that the configuration knows remain, and values that the event shows; <span class="masked" aria-hidden="true">${MASK}</span> stands for everything else, whatever it was and however long.</p>
${sampleList(shown.samples)}${where}`;
}

/** Those first that are not as they should be. */
function sampleList(samples: readonly Sample[]): Html {
  const inOrder = samples.toSorted((a, b) => Number(a.matches) - Number(b.matches)).map(sampleItem);
  const [open, folded] = [inOrder.slice(0, MAX_OPEN_SAMPLES), inOrder.slice(MAX_OPEN_SAMPLES)];
  return html`${open}${folded.length > 0 && html`<details><summary>${formatQuantity(folded.length, 'more sample')}</summary>${folded}</details>`}`;
}

function sampleItem({ event_id, source_file, line_no, format, raw_line, row, matches, problems }: Sample): Html {
  const { tone, mark, word } = matches ? PASSED : FAILED;
  const columns: [name: string, value: string | null][] = [
    ...(['event_ts', 'schema_version', 'session_id', 'subject_id', 'source'] as const).map(
      (name): [string, string | null] => [name, row[name]],
    ),
    ['event_id', event_id],
  ];
  return html`<article class="sample ${tone}"><h3><span class="mark" aria-hidden="true">${mark}</span>${row.event_name} <span class="hidden">${word}</span></h3>
<p>${source_file}, ${line_no === null ? 'line unknown' : `line ${line_no}`}</p>${problems.map((problem) => html`<p class="said">${problem}</p>`)}
<div class="pair"><div><h4>raw line, masked (${format})</h4><pre>${masked(prettyJson(raw_line))}</pre></div><div><h4>stored payload</h4><pre>${masked(prettyJson(row.payload))}</pre></div></div>
<dl class="columns">${columns.map(([name, value]) => html`<dt>${name}</dt><dd>${value === null ? '–' : masked(value)}</dd>`)}</dl></article>`;
}

/** The sign as a bar, for eyes; it reads "masked" for others. */
function masked(text: string): Content {
  const pieces = text.split(MASK);
  return pieces.map((piece, at) =>
    at === 0 ? piece : html`<span class="masked" role="img" aria-label="masked">${MASK}</span>${piece}`,
  );
}

function prettyJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}
