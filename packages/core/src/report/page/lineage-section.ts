import { formatCount, formatMeasure, formatQuantity } from '../../text/format-number.ts';
import { formatRollback } from '../../text/format-rollback.ts';
import type { Report, ReportPublish } from '../report.ts';
import { shortTime } from '../verdict.ts';
import { type Html, html } from './html.ts';
import { words } from './parts.ts';

/** The hashes by which all of this can be checked again, years later. */
export function lineageSection(report: Report): Html {
  const { audit_head: head, rollback, publish } = report;
  const sums: [name: string, value: string | null, means: string][] = [
    ['plan', report.plan_hash, 'manifest, recipe, window and policy: what the run approvals sign'],
    ['recipe', report.recipe_hash, 'source file, taxonomy, upcasts, privacy rules, key versions, retention cut-off'],
    ['raw input', report.raw_checksum, 'over the pinned files, in the form of sha256sum'],
    ['mirror', report.mirror_checksum, 'over the objects of the mirror, as in its manifest.json'],
    ['rows', report.rows_digest, 'over every column of the rows to publish, in the order of their ids'],
    ['event ids', report.checksum, 'over the sorted ids of those rows, each with a line end'],
    [
      'gate set',
      report.gate_set_hash,
      'plan, every gate with its numbers, procedure and figures, and rows: what the publish approvals sign',
    ],
    [
      'audit log',
      head === null ? null : head.mac,
      head === null
        ? 'no entry was sealed yet'
        : `entry ${formatCount(head.chain_no)} of the chain; all that led to this report is before it`,
    ],
  ];
  return html`<section aria-labelledby="lineage"><h2 id="lineage">Lineage and checksums</h2>
<p>All are SHA-256; the audit log's is keyed. <code>./backfill trace EVENT_ID</code> leads from an event to its file and line.</p>
<dl class="sums">${sums.map(([name, value, means]) => html`<dt>${name}</dt><dd>${value === null ? '–' : html`<code>${value}</code>`}<small>${means}</small></dd>`)}${publish !== null && publishEntries(publish)}
${rollback !== null && html`<dt>rollback</dt><dd>${rollback.mode} by ${rollback.actor}, ${shortTime(rollback.rolled_back_at)}${formatRollback(rollback).map((line) => html`<small>${line}</small>`)}</dd>`}</dl></section>`;
}

/** What was there before the rows went live, and what the go has done so far. */
function publishEntries(publish: ReportPublish): Html {
  const { outcome, step, go_by, go_at, visible_seconds, snapshot_sha256, snapshot_rows, snapshot_path } = publish;
  const end = outcome === null ? `under way, ${step} is next` : words(outcome);
  const seen = visible_seconds === null ? '' : `; readers saw the rows ${formatMeasure(visible_seconds)} s after it`;
  return html`
<dt>snapshot</dt><dd>${snapshot_sha256 === null ? '–' : html`<code>${snapshot_sha256}</code>`}<small>${snapshot_path === null ? 'not taken yet' : `${formatQuantity(snapshot_rows ?? 0, 'row')} that were live in the window: ${snapshot_path}`}</small></dd>
<dt>publish</dt><dd>${end}; the go by ${go_by}, ${shortTime(go_at)}${seen}<small>${publish.published === null ? 'no row is live yet' : publishedOf(publish)}</small></dd>`;
}

function publishedOf({
  published,
  counted,
  taken_over,
  newly_suppressed,
  newly_live,
  withheld,
}: ReportPublish): string {
  const count = (value: number | null) => formatCount(value ?? 0);
  const found = counted === null ? 'not counted yet' : `${count(counted)} counted afterwards`;
  return (
    `${formatQuantity(published ?? 0, 'row')} made live, ${count(taken_over)} of them taken over, ${found}; left out: ` +
    `${count(newly_suppressed)} newly suppressed, ${count(newly_live)} newly live; ${count(withheld)} withheld before the signing`
  );
}
