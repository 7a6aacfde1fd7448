import type { BatchStatus } from './batch-status.ts';

/** A conflict that was brought before those who decide, as it was stored. */
export interface RecordedEscalation {
  escalation_no: number;
  about: string;
  status_reason: string | null;
  raised_by: string;
  why: string;
  raised_at: Date;
  decision: {
    role: string;
    decided_by: string;
    decision: string;
    why: string;
    decided_at: string;
  } | null;
}

/** Statuses that are a conflict: somebody, a gate or a fault has said no. */
const CONFLICTS: readonly BatchStatus[] = ['gates_failed', 'halted', 'failed'];

/** What an escalation of a batch would be about; undefined when there is no conflict. */
export function conflictOf(status: BatchStatus, hasRejection: boolean): string | undefined {
  if (hasRejection) return 'rejected';
  return CONFLICTS.includes(status) ? status : undefined;
}

export type EscalationVerdict =
  | { outcome: 'record' }
  /** Said before in the same words: nothing new. */
  | { outcome: 'repeat' }
  | { outcome: 'refuse'; because: 'not-allowed' | 'conflict'; detail: string };

export interface DecisionQuestion {
  escalation: RecordedEscalation;
  actor: string;
  /** Roles of the actor's token. */
  roles: readonly string[];
  role: string;
  decision: string;
  why: string;
  /** Roles that may decide, from the policy. */
  deciders: readonly string[];
}

/** Whether somebody may decide about an escalation: one of the policy's roles, not the one who escalated, and once. */
export function judgeDecision(question: DecisionQuestion): EscalationVerdict {
  const { escalation, actor, roles, role, deciders } = question;
  if (!roles.includes(role)) return refuse('not-allowed', `The token does not hold the role ${role}.`);
  if (!deciders.includes(role)) {
    return refuse('not-allowed', `The policy lets these roles decide: ${deciders.join(', ')}.`);
  }
  if (escalation.raised_by === actor) {
    return refuse('not-allowed', `${actor} has escalated it and cannot decide about it.`);
  }
  const given = escalation.decision;
  if (given === null) return { outcome: 'record' };
  const isSame = given.decided_by === actor && given.decision === question.decision && given.why === question.why;
  return isSame ? { outcome: 'repeat' } : refuse('conflict', `${given.decided_by} has decided: ${given.decision}.`);
}

function refuse(because: 'not-allowed' | 'conflict', detail: string): EscalationVerdict {
  return { outcome: 'refuse', because, detail };
}
