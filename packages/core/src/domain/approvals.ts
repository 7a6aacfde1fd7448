/** Every role a token can hold. */
export const ROLES = [
  'viewer',
  'submitter',
  'operator',
  'data_engineering_lead',
  'product_analytics_manager',
  'data_privacy_officer',
  'legal_counsel_privacy',
  'product_owner',
] as const;
export type Role = (typeof ROLES)[number];

/** The roles that can sign for a batch. */
export const APPROVER_ROLES = [
  'data_engineering_lead',
  'product_analytics_manager',
  'data_privacy_officer',
  'legal_counsel_privacy',
  'product_owner',
] as const satisfies readonly Role[];
export type ApproverRole = (typeof APPROVER_ROLES)[number];

/**
 * Before the run, bound to the plan hash; before publish, bound to the gate-set hash; an override, bound to what one gate
 * measured (see `overrideHash`).
 */
export type ApprovalStage = 'run' | 'publish' | 'override';
export type ApprovalDecision = 'approve' | 'reject';

/** The roles that must all say yes at each stage, as the plan has pinned them; older plans know no overrides. */
export interface RequiredRoles {
  readonly run: readonly string[];
  readonly publish: readonly string[];
  readonly override?: readonly string[];
}

/** A decision as it was stored. `boundHash` is what its actor saw and signed. */
export interface RecordedApproval {
  stage: string;
  role: string;
  actor: string;
  decision: ApprovalDecision;
  boundHash: string;
}

/**
 * The decisions of a stage that stand: those bound to what is on the table now, and of several by one role the latest.
 *
 * @param approvals in the order they were given
 * @param boundHash the current plan hash or gate-set hash; null when there is nothing to sign, so that nothing stands
 */
export function standingApprovals<A extends RecordedApproval>(
  approvals: readonly A[],
  stage: ApprovalStage,
  boundHash: string | null,
): ReadonlyMap<string, A> {
  const bound = approvals.filter((given) => given.stage === stage && given.boundHash === boundHash);
  return new Map(bound.map((given) => [given.role, given]));
}

/** The required roles whose standing decision is not a yes, in the order of the policy. */
export function missingRoles(
  required: readonly string[],
  approvals: readonly RecordedApproval[],
  stage: ApprovalStage,
  boundHash: string | null,
): string[] {
  const standing = standingApprovals(approvals, stage, boundHash);
  return required.filter((role) => standing.get(role)?.decision !== 'approve');
}

export interface ApprovalQuestion {
  stage: ApprovalStage;
  role: string;
  decision: ApprovalDecision;
  comment?: string | undefined;
  actor: string;
  /** Roles of the actor's token. */
  roles: readonly string[];
  submittedBy: string;
  /** True when the batch waits for decisions of this stage. */
  awaited: boolean;
  boundHash: string | null;
  required: readonly string[];
  /** Earlier decisions of the batch's current attempt, in the order they were given. */
  earlier: readonly RecordedApproval[];
}

export type ApprovalVerdict =
  | { outcome: 'refuse'; because: 'not-allowed' | 'not-required' | 'conflict'; detail: string }
  /** Given before and still standing: nothing new. */
  | { outcome: 'repeat' }
  /** `complete`: with it, every required role has said yes. */
  | { outcome: 'record'; boundHash: string; complete: boolean }
  | { outcome: 'reject'; boundHash: string; reason: string };

/**
 * What a decision by a person does to a batch. Two people's rule: the submitter does not approve, and one actor
 * speaks for one role of a stage, also when that actor holds several roles or several tokens.
 */
export function decideApproval(question: ApprovalQuestion): ApprovalVerdict {
  const { stage, role, decision, actor, boundHash, earlier } = question;
  if (!question.roles.includes(role)) {
    return refuse('not-allowed', `The token does not hold the role ${role}.`);
  }
  const standing = standingApprovals(earlier, stage, boundHash);
  const own = standing.get(role);
  // A no that was resumed over may be said again; a yes stays said.
  const said = own !== undefined && own.actor === actor && own.decision === decision;
  if (said && (decision === 'approve' || !question.awaited)) return { outcome: 'repeat' };
  if (!question.awaited || boundHash === null) {
    return refuse('conflict', `The batch does not wait for ${stage} approvals now.`);
  }
  if (!question.required.includes(role)) {
    const wanted = question.required.length === 0 ? 'none' : question.required.join(', ');
    return refuse('not-required', `The plan asks for no ${stage} approval by ${role}; it asks for: ${wanted}.`);
  }
  // Overrides bind to one gate each: there, whatever the gate.
  const ofStage = stage === 'override' ? earlier.filter((given) => given.stage === stage) : [...standing.values()];
  const other = ofStage.find((given) => given.actor === actor && given.role !== role);
  if (other !== undefined) {
    return refuse('conflict', `${actor} has already decided as ${other.role}; one actor cannot fill two roles.`);
  }
  if (decision === 'reject') return { outcome: 'reject', boundHash, reason: rejectionReason(question) };
  if (actor === question.submittedBy) {
    return refuse('not-allowed', `${actor} submitted the batch and cannot approve it.`);
  }
  const now = [...earlier, { stage, role, actor, decision, boundHash }];
  return {
    outcome: 'record',
    boundHash,
    complete: missingRoles(question.required, now, stage, boundHash).length === 0,
  };
}

function refuse(because: 'not-allowed' | 'not-required' | 'conflict', detail: string): ApprovalVerdict {
  return { outcome: 'refuse', because, detail };
}

function rejectionReason({ role, comment }: ApprovalQuestion): string {
  return comment === undefined ? `rejected by ${role}` : `rejected by ${role}: ${comment}`;
}
