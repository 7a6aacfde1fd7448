import { describe, expect, it } from 'vitest';
import { withNewStatus } from './page/news.ts';
import { withSamples } from './page/samples-section.ts';
import { renderReport } from './render-report.ts';
import type { Report, ReportGate } from './report.ts';
import {
  disputedReport,
  EMPTY_BALANCE,
  replacingReport,
  testDays,
  testFiles,
  testGate,
  testPublish,
  testReport,
  testRollback,
  testSamples,
} from './report-fixture.ts';

const EMPTY = {
  ...{ gates: [], kpis: [], days: [], files: [], balance: EMPTY_BALANCE, approvals: [], samples: null },
  ...{ rows: null, checksum: null, rows_digest: null, gate_set_hash: null, missing_approvals: null, audit_head: null },
};

const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</title></style><script>alert(2)</script>',
  '<!--/samples--><!--news--><b>',
  '{a|rich} {b} {c} $& $1',
  '&lt;b&gt; &amp;',
  ']]><svg onload=alert(3)>',
  'evil\u202etxt.exe\u0000\u200b',
  'style="x" class="y" fill="none"',
];

/** A report in which every text that comes from outside is this one. */
function hostileReport(text: string): Report {
  const gate = (name: string): ReportGate =>
    testGate(name, 0, 1, {
      passed: false,
      procedure: text,
      detail: { why: text, error: text, [text]: text, examples: [text] },
    });
  return testReport({
    ...{ batch_id: text, source: text, reason: text, submitted_by: text, status: 'gates_failed', status_reason: text },
    gates: [gate(text), gate('balance'), testGate('volume', 0, 0, { detail: { not_applicable: text } })],
    files: testFiles(9).map((file, at) => ({ ...file, source_file: `${text}${at}`, format: text })),
    days: testDays(3, 2).map((day) => ({ ...day, event_name: `${text}${day.event_name}` })),
    kpis: [
      {
        kpi: text,
        days: [{ day: text, in_window: true, live: 1, proposed: 2, baseline: null, baseline_source: text }],
      },
    ],
    replaced_by: text,
    replacement: {
      ...{ replaces: { batch_id: text }, rows: 1, fingerprint: text },
      changes: [{ event_name: text, day: text, replaced: 1, proposed: 1, identical: 0, changed: 1, added: 0, gone: 0 }],
    },
    approvals: [
      {
        stage: text,
        role: text,
        actor: text,
        decision: 'reject',
        gate: text,
        bound_hash: text,
        comment: text,
        at: text,
        counts: false,
      },
    ],
    missing_approvals: { run: [text], publish: [text], override: [{ gate: text, role: text }] },
    rollback: testRollback({ mode: text, actor: text, rolled_back_at: text }),
    incidents: [
      {
        ...{ incident_id: 1, kind: text, summary: text, raised_at: text, post_mortem_due: text },
        ...{ closed_at: null, closed_by: null, note: text },
      },
    ],
    rehearsal: {
      required: true,
      recorded: {
        ...{ rehearsed_batch_id: text, rehearsed_gate_set_hash: text, report_sha256: text, report_path: text },
        ...{ recorded_by: text, recorded_at: text },
      },
    },
    escalations: [
      {
        ...{ escalation_no: 1, about: text, status_reason: text, raised_by: text, why: text, raised_at: text },
        decision: { role: text, decided_by: text, decision: text, why: text, decided_at: text },
      },
    ],
    publish: testPublish({
      step: text,
      outcome: text,
      go_by: text,
      go_at: text,
      snapshot_path: text,
      snapshot_sha256: text,
    }),
    samples: { events: 1, key: text, sha256: text, state: 'stored' },
  });
}

function hostileSamples(text: string) {
  const samples = testSamples();
  return {
    ...samples,
    samples: samples.samples.map((sample) => ({
      ...sample,
      ...{ event_id: text, source_file: text, format: text, raw_line: text, problems: [text] },
      row: {
        source: text,
        event_name: text,
        schema_version: text,
        event_ts: text,
        session_id: text,
        subject_id: text,
        payload: text,
      },
    })),
  };
}

/** The names of all tags and attributes of a page, and what stands behind `<` or an attribute that can run something. */
function tagsOf(page: string) {
  const tags = [...page.matchAll(/<(?!!--|!doctype|\/)([a-z0-9]+)((?:\s+[a-zA-Z:-]+(?:="[^"]*")?)*)\s*>/g)];
  return {
    names: new Set(tags.map(([, name]) => name)),
    attributes: new Set(
      tags.flatMap(([, , attributes = '']) =>
        [...attributes.matchAll(/\s([a-zA-Z:-]+)(?:="[^"]*")?/g)].map(([, name]) => name),
      ),
    ),
    strange: page.split('<').length - 1 - tags.length - page.split('</').length + 1 - (page.match(/<!/g)?.length ?? 0),
  };
}

const plain = tagsOf(renderReport(replacingReport({ files: testFiles(9) }), testSamples()));

describe('the page of a report', () => {
  it('says what changes against what is replaced', () => {
    const page = renderReport(replacingReport(), testSamples()).replaceAll(/<[^>]+>/g, ' ');
    expect(page).toContain('in the place of 5,040 events: the batch outage-2026-10-30 in this window');
    expect(page).toMatch(/What changes, by type\s+type\s+replaced\s+gone\s+changed\s+the same\s+added\s+after/);
    expect(page).toMatch(/event_of_type_01\s+840\s+105\s+315\s+420/);
    expect(renderReport(testReport(), testSamples())).not.toContain('What changes');
  });

  it.each(HOSTILE)('is no other one for %j', (text) => {
    const page = renderReport(hostileReport(text), hostileSamples(text));
    const found = tagsOf(page);
    expect(found.strange).toBe(0);
    const known = new Set([...plain.names, 'q', 'br', 'small', 'strong', 'em']);
    expect([...found.names].filter((name) => !known.has(name))).toEqual([]);
    expect([...found.attributes].filter((name) => /^on|^src|^style$/.test(String(name)))).toEqual([]);
    // Nothing of a text can pass for a place that is filled in later.
    expect([page.split('<!--samples-->').length, page.split('<!--/samples-->').length]).toEqual([2, 2]);
    expect(page.split('<!--news-->').length).toBe(2);
    expect(['\u202e', '\u0000', '\u200b'].filter((sign) => page.includes(sign))).toEqual([]);
  });

  it('asks for nothing: no script, no address, no image, one style sheet that its policy names', () => {
    const page = renderReport(testReport(), testSamples());
    expect(page).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(page.match(/<script|<img|<link|<iframe|<object|\bhttps?:|url\(|@import/gi)).toBe(null);
    expect(page.match(/<style>/g)?.length).toBe(1);
    expect(page).not.toMatch(/ style="/);
    expect(page).toMatch(/content="default-src &#39;none&#39;; style-src &#39;sha256-[A-Za-z0-9+/]{43}=&#39;;/);
  });

  it('is the same for the same report', () => {
    const pages = [1, 2].map(() => renderReport(testReport(), 'apart'));
    expect(new Set(pages).size).toBe(1);
  });

  it('gets its samples, or the word that they are gone, also when it was stored without them', () => {
    const report = testReport();
    const stored = renderReport(report, 'apart');
    const reference = report.samples as NonNullable<Report['samples']>;
    expect(withSamples(stored, reference, testSamples()) === renderReport(report, testSamples())).toBe(true);
    expect(withSamples(stored, reference, 'gone') === renderReport(report, 'gone')).toBe(true);
    expect(stored).not.toContain('raw line, masked');
    expect(withSamples('<p>an older page</p>', reference, 'gone')).toBe('<p>an older page</p>');
  });

  it('says that its batch went on', () => {
    const page = renderReport(testReport(), 'gone');
    expect(withNewStatus(page, 'rolled_back')).toContain('This batch is rolled back by now');
  });

  it.each([
    [
      'a batch without a line',
      testReport({ ...EMPTY, status: 'rolled_back' }),
      ['No line is booked', 'No gate was measured', 'No event was sampled'],
    ],
    [
      'one day and one type',
      testReport({ days: testDays(1, 1), files: testFiles(1) }),
      ['of 1 type to be added on 1 day', 'The file, line by line'],
    ],
    [
      '400 days, 60 types and 300 files',
      testReport({ days: testDays(400, 60), files: testFiles(300) }),
      ['45 more types', '295 more files', 'Balance of each of 300 files'],
    ],
    ['no KPI', testReport({ kpis: [] }), ['Before and after']],
  ])('can be about %s', (_, report, texts) => {
    const page = renderReport(report, 'gone');
    for (const text of texts) expect(page).toContain(text);
    expect(page.match(/undefined|\[object|Infinity|N(?=aN)/g)).toBe(null);
    expect(page.length).toBeLessThan(500_000);
  });

  it('lists what people decided besides approvals, and whose word is missing', () => {
    const textOf = (report: Report) => {
      const page = renderReport(report, 'gone');
      const section = page.slice(page.indexOf('<h2 id="approvals">'), page.indexOf('<h2 id="lineage">'));
      return section.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ');
    };
    const disputed = textOf(disputedReport());
    for (const text of [
      'override Daily active sessions product analytics manager pat ✕ rejected',
      'override Daily active sessions product analytics manager – not yet',
      '✓ went well elsewhere as dress-2026-11-01 , says oscar, 2026-11-03 07:30 UTC',
      '1 rejected rejected by legal_counsel_privacy: which consent? oscar, 2026-11-03 07:50 UTC',
      'go on priya, data privacy officer, 2026-11-03 07:58 UTC It does.',
      '2 gates failed dana, 2026-11-03 09:20 UTC Nobody counted the sessions of that day. not yet',
    ]) {
      expect(disputed).toContain(text);
    }
    expect(textOf(testReport({ rehearsal: { required: true, recorded: null } }))).toContain(
      '✕ missing : the run waits',
    );
    const without = textOf(testReport({ rehearsal: { required: false, recorded: null } }));
    expect(without).not.toMatch(/Rehearsal|Escalations|override/);
    // Somebody's word is missing, also where nobody had to sign.
    const waiting = { run: [], publish: [], override: [{ gate: 'activation_funnel', role: 'product_owner' }] };
    expect(textOf(testReport({ approvals: [], missing_approvals: waiting }))).toContain(
      'Activation funnel product owner',
    );
  });

  it('tells what a publish has done, and how far it is', () => {
    const textOf = (publish: Report['publish']) => {
      const page = renderReport(testReport({ publish }), 'gone');
      return page
        .slice(page.indexOf('<h2 id="lineage">'))
        .replace(/<[^>]+>/g, ' ')
        .replace(/\s+/g, ' ');
    };
    const done = textOf(testPublish());
    for (const text of [
      `${'a'.repeat(64)} 83,412 rows that were live in the window: s3://analytics-backfill/snapshots/b/1.ndjson.gz`,
      'published; the go by oscar, 2026-11-03 10:00 UTC; readers saw the rows 41.5 s after it',
      '1,001,330 rows made live, 4 of them taken over, 1,001,330 counted afterwards',
      'left out: 7 newly suppressed, 3 newly live; 2 withheld before the signing',
    ]) {
      expect(done).toContain(text);
    }
    const begun = {
      step: 'snapshot',
      outcome: null,
      visible_seconds: null,
      snapshot_path: null,
      snapshot_sha256: null,
    };
    const underWay = textOf(testPublish({ ...begun, snapshot_rows: null, published: null, counted: null }));
    expect(underWay).toContain('– not taken yet publish under way, snapshot is next');
    expect(underWay).toContain('no row is live yet');
    expect(textOf(null)).not.toContain(' snapshot ');
  });

  it('holds the wait of the readers against its limit, beside the gates and none of them', () => {
    const textOf = (visibility: Report['visibility']) => {
      const page = renderReport(testReport(visibility === undefined ? {} : { visibility }), 'gone');
      const [from, to] = [page.indexOf('<h2 id="gates">'), page.indexOf('<h2 id="counts">')];
      return page
        .slice(from, to)
        .replace(/<[^>]+>/g, ' ')
        .replace(/\s+/g, ' ');
    };
    const waiting = textOf({ allowed: 30, observed: null });
    expect(waiting).toMatch(/Visibility not measured yet .* observed – allowed at most 30 min/);
    expect(textOf({ allowed: 30, observed: 12.5 })).toMatch(
      /Visibility passed .* observed 12.5 min allowed at most 30 min/,
    );
    const late = textOf({ allowed: 30, observed: 31 });
    expect(late).toMatch(/Visibility failed .*too late, which is an incident\. observed 31 min/);
    // What was signed passed.
    expect(late.match(/(\d+) of \1 passed/)).not.toBeNull();
    expect(textOf(undefined)).not.toContain('Visibility');
  });

  it('shows the reason of a failed gate, before those that passed', () => {
    const gates = [
      ...testReport().gates,
      testGate('volume', 0.02, 0.034, { passed: false, detail: { why: '1,234 events are missing' } }),
    ];
    const page = renderReport(testReport({ gates }), 'gone');
    expect(page.indexOf('1,234 events are missing')).toBeGreaterThan(0);
    expect(page.indexOf('1,234 events are missing')).toBeLessThan(
      page.indexOf('Every raw line ended in exactly one outcome'),
    );
    expect(page).toContain('3.4\u00a0%');
    expect(page).toContain('at most 2\u00a0%');
  });
});
