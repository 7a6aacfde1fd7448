import { describe, expect, it } from 'vitest';
import { type RehearsalReport, readRehearsalReport, rehearsalProblem } from './rehearsal-report.ts';

const REPORT: RehearsalReport = {
  version: 2,
  batch_id: 'staging-1',
  status: 'awaiting_publish_approval',
  recipe_hash: 'a'.repeat(64),
  gate_set_hash: 'b'.repeat(64),
  gates: [{ gate: 'balance', passed: true }],
  audit_head: { chain_no: 3, mac: 'c' },
};

describe('readRehearsalReport', () => {
  it('reads what it needs, and lets the rest be', () => {
    expect(readRehearsalReport(JSON.stringify({ ...REPORT, days: [] }))).toEqual(REPORT);
  });

  it.each([
    ['no JSON', '{"version": 1'],
    ['another document', '{"version": 2}'],
    ['a report without a recipe', JSON.stringify({ ...REPORT, recipe_hash: undefined })],
    ['a report before the gates', JSON.stringify({ ...REPORT, gate_set_hash: null })],
  ])('refuses %s', (_what, text) => {
    expect(readRehearsalReport(text)).toBeUndefined();
  });
});

describe('rehearsalProblem', () => {
  it.each<[string, Partial<RehearsalReport>, string | undefined]>([
    ['green', {}, undefined],
    ['green and taken back', { status: 'rolled_back' }, undefined],
    ['not measured', { gates: [] }, 'it has measured no gate'],
    ['red', { gates: [{ gate: 'overlap', passed: false }] }, 'these gates have not passed: overlap'],
    ['halted', { status: 'halted' }, 'it ended as halted'],
  ])('judges a run that is %s', (_what, change, problem) => {
    expect(rehearsalProblem({ ...REPORT, ...change })).toBe(problem);
  });
});
