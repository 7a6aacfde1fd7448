import { describe, expect, it } from 'vitest';
import { kpiDefinitionProblem } from './kpi-definition.ts';

describe('kpiDefinitionProblem', () => {
  it.each([
    'select day, 1 as value from kpi_events',
    '-- a comment; with (\n/* and ; ) */ WITH a AS (SELECT 1) SELECT * FROM kpi_events',
    `select ';)' as day, e'\\');' as value, $$ ;) $$, $x$ ; $x$, ";)" from kpi_events`,
  ])('takes %s', (text) => {
    expect(kpiDefinitionProblem(text)).toBeUndefined();
  });

  it.each([
    ['', 'one SELECT'],
    ['-- select', 'one SELECT'],
    ['delete from analytics.events', 'one SELECT'],
    ['selection from kpi_events', 'one SELECT'],
    ['select 1 from kpi_events; drop table a', 'semicolon'],
    ['select 1 from kpi_events;', 'semicolon'],
    ['select 1 from analytics.events', 'kpi_events'],
    ["select 'kpi_events'", 'kpi_events'],
    ['select 1 from kpi_events) as x, (select 1', 'closes a parenthesis'],
    ['select (1 from kpi_events', 'opens a parenthesis'],
    ['select \0 from kpi_events', 'NUL'],
    [`select 1 from kpi_events -- ${'x'.repeat(20_000)}`, 'longer'],
  ])('refuses %j', (text, problem) => {
    expect(kpiDefinitionProblem(text)).toContain(problem);
  });
});
