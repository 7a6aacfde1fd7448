import { describe, expect, it } from 'vitest';
import {
  type ApprovalDecision,
  type ApprovalQuestion,
  decideApproval,
  missingRoles,
  type RecordedApproval,
  standingApprovals,
} from './approvals.ts';

const PRIVACY = 'data_privacy_officer';
const LEGAL = 'legal_counsel_privacy';
const OWNER = 'product_owner';
const REQUIRED = [PRIVACY, LEGAL];

function given(
  role: string,
  actor: string,
  decision: ApprovalDecision = 'approve',
  boundHash = 'plan-1',
  stage = 'run',
): RecordedApproval {
  return { stage, role, actor, decision, boundHash };
}

const QUESTION: ApprovalQuestion = {
  stage: 'run',
  role: PRIVACY,
  decision: 'approve',
  actor: 'dora',
  roles: [PRIVACY, LEGAL],
  submittedBy: 'sam',
  awaited: true,
  boundHash: 'plan-1',
  required: REQUIRED,
  earlier: [],
};

describe('decideApproval', () => {
  it.each<[string, Partial<ApprovalQuestion>, string]>([
    ['the first of two', {}, 'record'],
    ['the last of two', { earlier: [given(LEGAL, 'lea')] }, 'record complete'],
    ['the last, when the other signed another plan', { earlier: [given(LEGAL, 'lea', 'approve', 'plan-0')] }, 'record'],
    [
      'the last, when the other signed another stage',
      { earlier: [given(LEGAL, 'lea', 'approve', 'plan-1', 'publish')] },
      'record',
    ],
    [
      'the last, when the other has said no since',
      { earlier: [given(LEGAL, 'lea'), given(LEGAL, 'lea', 'reject')] },
      'record',
    ],
    ['a yes after a no of the same person', { earlier: [given(PRIVACY, 'dora', 'reject')] }, 'record'],
    ['a yes by a second holder of the role', { earlier: [given(PRIVACY, 'dirk')] }, 'record'],
    ['the same again', { earlier: [given(PRIVACY, 'dora')] }, 'repeat'],
    ['the same again when the batch has moved on', { earlier: [given(PRIVACY, 'dora')], awaited: false }, 'repeat'],
    ['the same again under a new plan', { earlier: [given(PRIVACY, 'dora', 'approve', 'plan-0')] }, 'record'],
    ['a rejection', { decision: 'reject' }, 'reject'],
    [
      'the same rejection again, halted',
      { decision: 'reject', earlier: [given(PRIVACY, 'dora', 'reject')], awaited: false },
      'repeat',
    ],
    [
      'the same rejection again, resumed',
      { decision: 'reject', earlier: [given(PRIVACY, 'dora', 'reject')] },
      'reject',
    ],
    ['a rejection by the submitter', { decision: 'reject', submittedBy: 'dora' }, 'reject'],
    ['an approval by the submitter', { submittedBy: 'dora' }, 'refuse not-allowed'],
    ['a role that the token lacks', { role: OWNER }, 'refuse not-allowed'],
    ['a role that the plan does not ask', { role: OWNER, roles: [OWNER] }, 'refuse not-required'],
    ['any role when the plan asks nobody', { required: [] }, 'refuse not-required'],
    ['a second role of one actor', { earlier: [given(LEGAL, 'dora')] }, 'refuse conflict'],
    ['a second role of one actor, after a no', { earlier: [given(LEGAL, 'dora', 'reject')] }, 'refuse conflict'],
    ['another role under an older plan', { earlier: [given(LEGAL, 'dora', 'approve', 'plan-0')] }, 'record'],
    ['a batch that does not wait', { awaited: false }, 'refuse conflict'],
    ['a batch with nothing to sign', { boundHash: null }, 'refuse conflict'],
  ])('takes %s', (_what, change, expected) => {
    const verdict = decideApproval({ ...QUESTION, ...change });
    const detail =
      verdict.outcome === 'refuse'
        ? ` ${verdict.because}`
        : verdict.outcome === 'record' && verdict.complete
          ? ' complete'
          : '';
    expect(verdict.outcome + detail).toBe(expected);
  });

  it('binds a decision to what lies on the table', () => {
    expect(decideApproval(QUESTION)).toEqual({ outcome: 'record', boundHash: 'plan-1', complete: false });
  });

  it('lets nobody fill two roles of the stage override, whatever the gates', () => {
    const override = { ...QUESTION, stage: 'override' as const, boundHash: 'gate-2' };
    const own = given(LEGAL, 'dora', 'approve', 'gate-1', 'override');
    expect(decideApproval({ ...override, earlier: [own] })).toMatchObject({ outcome: 'refuse', because: 'conflict' });
    const same = given(PRIVACY, 'dora', 'approve', 'gate-1', 'override');
    expect(decideApproval({ ...override, earlier: [same] })).toMatchObject({ outcome: 'record' });
  });

  it('gives the reason of a rejection', () => {
    const rejection = { ...QUESTION, decision: 'reject' as const };
    expect(decideApproval(rejection)).toMatchObject({ reason: `rejected by ${PRIVACY}` });
    expect(decideApproval({ ...rejection, comment: 'wrong day' })).toMatchObject({
      reason: `rejected by ${PRIVACY}: wrong day`,
    });
  });
});

describe('missingRoles', () => {
  it('lists what is not a standing yes, in the order of the policy', () => {
    const approvals = [given(LEGAL, 'lea'), given(OWNER, 'otto', 'reject')];
    expect(missingRoles([OWNER, LEGAL, PRIVACY], approvals, 'run', 'plan-1')).toEqual([OWNER, PRIVACY]);
  });

  it('lists all when there is nothing to sign', () => {
    expect(missingRoles(REQUIRED, [given(LEGAL, 'lea')], 'run', null)).toEqual(REQUIRED);
  });
});

it('lets the latest decision of a role stand', () => {
  const last = given(PRIVACY, 'dirk', 'reject');
  const standing = standingApprovals([given(PRIVACY, 'dora'), last], 'run', 'plan-1');
  expect([...standing.values()]).toEqual([last]);
});
