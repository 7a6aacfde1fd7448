import { describe, expect, it } from 'vitest';
import { conflictOf, type DecisionQuestion, judgeDecision } from './escalation.ts';

const QUESTION: DecisionQuestion = {
  escalation: {
    escalation_no: 1,
    about: 'halted',
    status_reason: null,
    raised_by: 'olga',
    why: 'the day is needed',
    raised_at: new Date(0),
    decision: null,
  },
  actor: 'dora',
  roles: ['data_privacy_officer'],
  role: 'data_privacy_officer',
  decision: 'resume it',
  why: 'the input is right',
  deciders: ['data_privacy_officer', 'product_owner'],
};
const decided = (change: object) => ({
  ...QUESTION.escalation,
  decision: {
    ...{ role: 'data_privacy_officer', decided_by: 'dora', decision: 'resume it', why: 'the input is right' },
    decided_at: '2026-11-01T00:00:00.000Z',
    ...change,
  },
});

describe('judgeDecision', () => {
  it.each<[string, Partial<DecisionQuestion>, string]>([
    ['the first', {}, 'record'],
    ['the same again', { escalation: decided({}) }, 'repeat'],
    ['another one', { escalation: decided({ decision: 'give up' }) }, 'refuse conflict'],
    ['another reason', { escalation: decided({ why: 'no time' }) }, 'refuse conflict'],
    ['the same by somebody else', { escalation: decided({ decided_by: 'otto' }) }, 'refuse conflict'],
    ['who escalated', { actor: 'olga' }, 'refuse not-allowed'],
    ['a role that the token lacks', { role: 'product_owner' }, 'refuse not-allowed'],
    ['a role that the policy lacks', { deciders: ['product_owner'] }, 'refuse not-allowed'],
  ])('takes %s', (_what, change, expected) => {
    const verdict = judgeDecision({ ...QUESTION, ...change });
    expect(verdict.outcome === 'refuse' ? `refuse ${verdict.because}` : verdict.outcome).toBe(expected);
  });
});

it('knows what a conflict is', () => {
  expect(conflictOf('gates_failed', false)).toBe('gates_failed');
  expect(conflictOf('halted', true)).toBe('rejected');
  expect(conflictOf('awaiting_run_approval', true)).toBe('rejected');
  expect(conflictOf('importing', false)).toBeUndefined();
});
