import type { ApprovalRow } from '@backfill/core/db/queries/approval-list';
import type { BalanceRow } from '@backfill/core/db/queries/balance-by-batch-list';
import type { FileBalanceRow } from '@backfill/core/db/queries/balance-by-file-list';
import type { BatchRow } from '@backfill/core/db/queries/batch-get';
import type { Progress } from '@backfill/core/db/queries/batch-view-progress-list';
import type { RollbackRow } from '@backfill/core/db/queries/batch-view-rollback-list';
import type { GateResultRow } from '@backfill/core/db/queries/gate-result-list';
import { missingRoles, type RequiredRoles } from '@backfill/core/domain/approvals';
import type { Balance } from '@backfill/core/domain/balance';
import { missingOverrides, standingDecisions } from '@backfill/core/domain/override';
import { nextCalls } from './next-calls.ts';
import type { BatchDetail, BatchView } from './schemas/batch-view.ts';
import type { PeopleView } from './schemas/people-view.ts';

/** What is known about one batch, as it was read from the database. */
export interface BatchFacts {
  batch: BatchRow;
  progress: Progress;
  balance: BalanceRow | undefined;
  gates: readonly GateResultRow[];
  approvals: readonly ApprovalRow[];
  required: RequiredRoles | undefined;
  rollback: RollbackRow | undefined;
}

type Counts = Omit<BalanceRow, 'batch_id'>;

const NOTHING: Counts = {
  read: 0,
  inserted: 0,
  same_batch: 0,
  other_batch: 0,
  live: 0,
  suppressed: 0,
  expired: 0,
  filtered: 0,
  quarantined: 0,
};

function balanceView(counts: Counts): Balance {
  return {
    read: counts.read,
    inserted: counts.inserted,
    duplicate: counts.same_batch + counts.other_batch + counts.live,
    suppressed: counts.suppressed,
    expired: counts.expired,
    filtered: counts.filtered,
    quarantined: counts.quarantined,
  };
}

function approvalViews(facts: BatchFacts): BatchView['approvals'] {
  const { batch, approvals, gates } = facts;
  const standing = standingDecisions(batch, gates, approvals);
  return approvals.map((approval) => ({
    stage: approval.stage,
    role: approval.role,
    actor: approval.actor,
    decision: approval.decision,
    at: approval.approved_at.toISOString(),
    gate: approval.gate,
    comment: approval.comment,
    counts: standing.has(approval),
  }));
}

function gateViews(gates: readonly GateResultRow[]): BatchView['gates'] {
  return gates.map(({ gate, threshold, observed, passed, procedure, detail, measured_at }) => ({
    gate,
    threshold,
    observed,
    passed,
    procedure,
    detail,
    measured_at: measured_at.toISOString(),
  }));
}

function missingView({ batch, gates, approvals, required }: BatchFacts): BatchView['missing_approvals'] {
  if (required === undefined) return null;
  return {
    run: missingRoles(required.run, approvals, 'run', batch.plan_hash),
    publish: missingRoles(required.publish, approvals, 'publish', batch.gate_set_hash),
    override: missingOverrides(batch, required, gates, approvals),
  };
}

function rollbackView(rollback: RollbackRow | undefined): BatchView['rollback'] {
  if (rollback === undefined) return null;
  const { batch_id: _of, rolled_back_at, ...proof } = rollback;
  return { ...proof, at: rolled_back_at.toISOString() };
}

function replacesView({ replaces_batch_id: batch_id, replaces_live: live }: BatchRow): BatchView['replaces'] {
  if (batch_id !== null) return { batch_id };
  return live ? { live } : null;
}

/** The public view of a batch; see the schema for what each number means. */
export function toBatchView(facts: BatchFacts): BatchView {
  const { batch, balance = NOTHING } = facts;
  return {
    batch_id: batch.batch_id,
    source: batch.source,
    reason: batch.reason,
    input: batch.input,
    status: batch.status,
    status_reason: batch.status_reason,
    resume_status: batch.resume_status,
    window: { start: batch.window_start.toISOString(), end: batch.window_end.toISOString() },
    replaces: replacesView(batch),
    replaced_by: batch.replaced_by,
    submitted_by: batch.submitted_by,
    created_at: batch.created_at.toISOString(),
    updated_at: batch.updated_at.toISOString(),
    attempt: batch.attempt,
    plan_hash: batch.plan_hash,
    gate_set_hash: batch.gate_set_hash,
    checksum: batch.checksum,
    row_count: batch.row_count,
    canary_passed: batch.canary_passed,
    import_limit: batch.import_limit,
    progress: facts.progress,
    balance: balanceView(balance),
    duplicates: {
      same_batch: balance.same_batch,
      other_batch: balance.other_batch,
      live: balance.live,
    },
    gates: gateViews(facts.gates),
    approvals: approvalViews(facts),
    missing_approvals: missingView(facts),
    rollback: rollbackView(facts.rollback),
  };
}

function copyView({ copy_size: size, copy_sha256: sha256 }: FileBalanceRow): BatchDetail['files'][number]['copy'] {
  return size === null || sha256 === null ? null : { size, sha256 };
}

/** The view of one batch in full, with its files in the order of the plan. */
export function toBatchDetail(facts: BatchFacts, people: PeopleView, files: readonly FileBalanceRow[]): BatchDetail {
  return {
    ...toBatchView(facts),
    ...people,
    next_calls: nextCalls(facts.batch.batch_id, facts.batch.status),
    files: files.map((file) => ({
      source_file: file.source_file,
      size: file.size,
      sha256: file.sha256,
      compression: file.compression,
      format: file.format,
      lines: file.lines,
      copy: copyView(file),
      balance: balanceView(file),
    })),
  };
}
