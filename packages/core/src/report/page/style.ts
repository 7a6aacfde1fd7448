const LIGHT = `
  --paper: #faf8f4; --card: #ffffff; --ink: #1c2125; --ink-2: #4f5961; --ink-3: #5d6770;
  --line: #e8e4dc; --line-2: #cdc7bb; --code: #f3f0ea; --flow: #8a949c33; --lost: #d98a1f2e;
  --before: #9fb6cb; --good: #1d7a5a; --good-soft: #e2f2ea; --bad: #b3261e; --bad-soft: #fbe8e5;
  --warn: #a86400; --warn-soft: #fbf0dc; --private: #6d519f; --quiet: #a3abb1;`;
const DARK = `
  --paper: #14181b; --card: #1c2226; --ink: #eceff0; --ink-2: #b3bcc2; --ink-3: #8d979e;
  --line: #2d353a; --line-2: #47525a; --code: #252c31; --flow: #a9b5bd2e; --lost: #e9a03f33;
  --before: #5d7a94; --good: #4cba8e; --good-soft: #173329; --bad: #f2867b; --bad-soft: #3d211f;
  --warn: #e3aa55; --warn-soft: #382c17; --private: #ab93da; --quiet: #6f7a81;`;

/** The page's only style sheet: for light, dark and paper, from 320 px on. */
export const STYLE = `
:root { color-scheme: light dark; ${LIGHT} }
@media (prefers-color-scheme: dark) { :root { ${DARK} } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.55;
  font: 16px/1.55 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif;
  overflow-wrap: anywhere; }
main, header, footer { max-width: 62rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2.25rem; }
h1, h2, h3 { line-height: 1.2; text-wrap: balance; margin: 0; font-weight: 650; letter-spacing: -0.01em; }
h1 { font-size: clamp(1.5rem, 1.1rem + 2vw, 2.1rem); }
h2 { font-size: 1.3rem; }
h3 { font-size: 1rem; }
p { margin: 0.4rem 0 0; max-width: 46rem; }
a { color: inherit; text-decoration-color: var(--line-2); text-underline-offset: 0.2em; }
a:hover { text-decoration-color: currentColor; }
:focus-visible { outline: 2px solid var(--good); outline-offset: 2px; }
code, pre { font-family: ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: 0.85em; }
code { background: var(--code); border-radius: 4px; padding: 0.1em 0.35em; }
pre { background: var(--code); border-radius: 8px; padding: 0.8rem 1rem; margin: 0.5rem 0 0; white-space: pre-wrap; max-width: none; }
.kicker { color: var(--ink-3); font-size: 0.8rem; letter-spacing: 0.06em; text-transform: uppercase; margin: 0 0 0.3rem; }
.sub, .note { color: var(--ink-2); }
.sub span + span::before { content: "·"; margin: 0 0.5em; color: var(--ink-3); }
nav ul { display: flex; flex-wrap: wrap; gap: 0.3rem 1.1rem; list-style: none; margin: 1.2rem 0 0; padding: 0; font-size: 0.92rem; color: var(--ink-2); }
section { padding: 2.2rem 0 0; }
section > h3 { margin-top: 1.8rem; }
section > h2 { padding-top: 1.4rem; border-top: 1px solid var(--line); }
.verdict { --tone: var(--ink-3); --tone-soft: var(--card); background: var(--tone-soft); border: 1px solid var(--line);
  border-left: 6px solid var(--tone); border-radius: 10px; padding: 1.3rem 1.5rem 1.4rem; margin-top: 1.4rem; }
.verdict > h2 { border: 0; padding: 0; font-size: clamp(1.2rem, 1rem + 1.2vw, 1.55rem); }
.verdict .mark { color: var(--tone); margin-right: 0.4em; }
.news { background: var(--warn-soft); border: 1px solid var(--warn); border-radius: 10px; padding: 0.8rem 1.1rem; margin-top: 1.2rem; max-width: none; }
.good { --tone: var(--good); --tone-soft: var(--good-soft); }
.bad { --tone: var(--bad); --tone-soft: var(--bad-soft); }
.back { --tone: var(--warn); --tone-soft: var(--warn-soft); }
.next { list-style: none; margin: 0.9rem 0 0; padding: 0; display: grid; gap: 0.35rem; }
.next li { display: flex; flex-wrap: wrap; gap: 0.1rem 0.75rem; align-items: baseline; }
.next code { background: var(--card); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: 1px; margin: 1.2rem 0 0;
  background: var(--card); border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
.facts div { padding: 0.8rem 1rem; box-shadow: 0 0 0 1px var(--line); }
.facts dt { color: var(--ink-2); font-size: 0.85rem; }
.facts dd { margin: 0; font-size: 1.35rem; font-weight: 650; font-variant-numeric: tabular-nums; letter-spacing: -0.01em; }
figure { margin: 1rem 0 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem; }
figure svg { display: block; width: 100%; height: auto; font: 12px/1 ui-sans-serif, system-ui, sans-serif; }
figure .narrow { display: none; }
.flow svg { font-size: 13px; }
figcaption { color: var(--ink-2); font-size: 0.9rem; margin: 0 0 0.7rem; }
.key { display: inline-flex; flex-wrap: wrap; gap: 0.2rem 1.1rem; list-style: none; padding: 0; margin: 0.35rem 0 0; }
.key svg { display: inline-block; width: 1.1em; height: 0.75em; margin-right: 0.4em; vertical-align: baseline; }
.scroll { overflow-x: auto; margin: 1rem 0 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 0.93rem; }
caption { text-align: left; color: var(--ink-2); font-size: 0.9rem; padding-bottom: 0.4rem; }
th, td { text-align: left; vertical-align: top; padding: 0.45rem 0.9rem 0.45rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; }
thead th { color: var(--ink-2); font-weight: 500; font-size: 0.85rem; border-bottom-color: var(--line-2); white-space: nowrap; }
tbody th { min-width: 7rem; }
.people td { overflow-wrap: break-word; min-width: 5.5rem; }
.people td:has(q) { min-width: 12rem; }
.people .number { min-width: 0; }
.people td > code { white-space: nowrap; }
.number { text-align: right; white-space: nowrap; }
tr > :last-child { padding-right: 0; }
tr.total > * { border-bottom: 0; font-weight: 650; }
.swatch { display: inline-block; width: 0.7em; height: 0.7em; margin-right: 0.5em; }
details { margin-top: 0.8rem; }
summary { cursor: pointer; color: var(--ink-2); font-size: 0.92rem; width: fit-content; }
summary:hover { color: var(--ink); }
.gates { list-style: none; padding: 0; margin: 1rem 0 0; display: grid; gap: 0.7rem; }
.gate { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 0.9rem 1.1rem;
  display: grid; grid-template-columns: 1.6rem minmax(0, 1fr) minmax(13rem, 17rem); gap: 0.2rem 0.6rem; }
.gate.bad { border-color: var(--bad); }
.gate .mark { color: var(--tone); font-weight: 700; line-height: 1.3; }
.gate p { font-size: 0.93rem; }
.gate .why { color: var(--tone); }
.gate .measure { margin: 0; display: grid; grid-template-columns: 1fr 1fr; gap: 0 1rem; font-variant-numeric: tabular-nums; }
.gate dt { color: var(--ink-3); font-size: 0.8rem; }
.gate dd { margin: 0; font-weight: 600; }
.gate .measure div:nth-child(2) dd { font-weight: 400; }
.gate .bar { grid-column: 1 / -1; display: block; width: 100%; height: 6px; margin-top: 0.45rem; }
.gate details { grid-column: 2 / -1; margin-top: 0.3rem; }
.track { fill: var(--line); }
.fill { fill: var(--tone); }
.said { font-weight: 600; color: var(--tone); white-space: nowrap; }
.fallen { color: var(--ink-3); }
.sums { display: grid; grid-template-columns: minmax(9rem, max-content) minmax(0, 1fr); gap: 0.5rem 1.2rem; margin: 1rem 0 0; font-size: 0.93rem; }
.sums dt { color: var(--ink-2); }
.sums dd { margin: 0; }
.sums small { display: block; color: var(--ink-3); }
.sample { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 0.9rem 1.1rem 1.1rem; margin-top: 0.8rem; }
.sample.bad { border-color: var(--bad); }
.sample h3 .mark { color: var(--tone); margin-right: 0.5em; }
.sample p { font-size: 0.88rem; color: var(--ink-2); max-width: none; }
.pair { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0.9rem; margin-top: 0.7rem; }
.pair h4 { margin: 0; font-size: 0.82rem; font-weight: 500; color: var(--ink-2); }
.pair pre { height: calc(100% - 1.8rem); }
.masked { background: var(--line-2); border-radius: 3px; color: transparent; }
.columns { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 0 0.8rem; margin: 0.7rem 0 0; font-size: 0.85rem; }
.columns dt { color: var(--ink-3); }
.columns dd { margin: 0; }
footer { color: var(--ink-3); font-size: 0.85rem; padding-top: 2.5rem; padding-bottom: 3rem; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 0.5rem; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (max-width: 44rem) {
  main, header, footer { padding-left: 1rem; padding-right: 1rem; }
  .verdict { padding: 1.1rem; }
  .gate { grid-template-columns: 1.4rem minmax(0, 1fr); }
  .gate .measure { grid-column: 2; margin-top: 0.5rem; }
  .gate details { grid-column: 2; }
  .pair, .sums { grid-template-columns: minmax(0, 1fr); }
  .sums { gap: 0; }
  .sums dd { margin-bottom: 0.7rem; }
  figure { padding: 0.75rem; }
  figure .wide { display: none; }
  figure .narrow { display: block; }
}
@media print {
  :root { ${LIGHT} --paper: #fff; color-scheme: light; }
  body { font-size: 10.5pt; }
  nav, .skip, summary { display: none; }
  details::details-content { display: block; content-visibility: visible; }
  figure, .gate, .sample, .verdict, tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  section { padding-top: 1.2rem; }
  .scroll { overflow: visible; }
  .verdict, .facts, figure, .gate, .sample, pre, code, .fill, .track, .masked { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
