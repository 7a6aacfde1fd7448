import type { AnchoredHead } from '../domain/audit-chain.ts';
import type { Balance } from '../domain/balance.ts';
import type { BatchStatus } from '../domain/batch-status.ts';
import type { ReplacementDetail } from '../domain/replacement-change.ts';
import type { RollbackProof } from '../domain/rollback-proof.ts';
import type { SamplesReference } from './samples.ts';

/** How a batch stands, in one word. */
export type ReportOutcome = 'ready' | 'gates_failed' | 'published' | 'rolled_back' | 'unproven';

/** The report in one sentence, and what to do next. */
export interface Verdict {
  outcome: ReportOutcome;
  sentence: string;
  /** What else has to be known; may be empty. */
  notes: string[];
  next: { command: string; effect: string }[];
}

/** Lines by outcome, the three kinds of duplicate apart. */
export interface ReportBalance extends Balance {
  same_batch: number;
  other_batch: number;
  live: number;
}

export interface ReportFile extends ReportBalance {
  source_file: string;
  /** In bytes, of the raw object. */
  size: number;
  sha256: string;
  format: string;
  compression: string;
  /** Of the pseudonymised copy in the mirror; null where the mirror holds the file itself. */
  copy_sha256: string | null;
}

export interface ReportGate {
  gate: string;
  threshold: number;
  observed: number | null;
  passed: boolean;
  /** The SQL or the procedure that gave the number. */
  procedure: string;
  detail: Record<string, unknown>;
  /** ISO. */
  measured_at: string;
}

/** Events of one type on one UTC day, before and after the batch. */
export interface DayCount {
  event_name: string;
  /** `YYYY-MM-DD`. */
  day: string;
  /** Live rows before the batch: without its own, with what it replaces. */
  pre_count: number;
  /** Those of them that the batch replaces, or has replaced. Absent in older reports. */
  replaced?: number;
  staged: number;
  duplicates: number;
  /** Rows of the batch that are, or are to be, live. */
  batch_count: number;
}

/** One local day of a KPI; null where there is no number. */
export interface KpiDay {
  day: string;
  in_window: boolean;
  live: number | null;
  proposed: number | null;
  baseline: number | null;
  baseline_source: string | null;
}

export interface ReportKpi {
  /** The gate's name. */
  kpi: string;
  days: KpiDay[];
}

export interface ReportApproval {
  stage: string;
  role: string;
  actor: string;
  decision: string;
  /** Of an override. */
  gate: string | null;
  /** What was signed. */
  bound_hash: string;
  comment: string | null;
  at: string;
  /** False when it was for another plan or other figures, or its role decided anew. */
  counts: boolean;
}

export interface ReportRollback extends RollbackProof {
  rolled_back_at: string;
}

export interface ReportIncident {
  incident_id: number;
  kind: string;
  summary: string;
  raised_at: string;
  post_mortem_due: string;
  closed_at: string | null;
  closed_by: string | null;
  /** Where the post-mortem is. */
  note: string | null;
}

/** A run of the same recipe elsewhere, as its caller has reported it. */
export interface ReportRehearsal {
  rehearsed_batch_id: string;
  rehearsed_gate_set_hash: string;
  /** Of the report that was handed in. */
  report_sha256: string;
  report_path: string;
  recorded_by: string;
  recorded_at: string;
}

/** A conflict that was brought before those who decide, and what they decided. */
export interface ReportEscalation {
  escalation_no: number;
  about: string;
  status_reason: string | null;
  raised_by: string;
  why: string;
  raised_at: string;
  decision: { role: string; decided_by: string; decision: string; why: string; decided_at: string } | null;
}

/** What the last publish has done so far: the row of `backfill_publishes`, times as ISO. */
export interface ReportPublish {
  step: string;
  outcome: string | null;
  go_by: string;
  go_at: string;
  visible_seconds: number | null;
  snapshot_path: string | null;
  snapshot_sha256: string | null;
  snapshot_rows: number | null;
  published: number | null;
  taken_over: number | null;
  newly_suppressed: number | null;
  newly_live: number | null;
  withheld: number | null;
  counted: number | null;
  [column: string]: unknown;
}

/** How long readers waited for the rows after the go, in minutes. No gate: it is measured when everybody has signed. */
export interface ReportVisibility {
  allowed: number;
  /** Null until they see them. */
  observed: number | null;
}

/** What people decided besides approvals, and what a publish has done. */
export interface ReportPeople {
  /** Null without a plan. */
  rehearsal: { required: boolean; recorded: ReportRehearsal | null } | null;
  /** Null where the window is not frozen. */
  freeze: { reason: string; frozen_at: string; extended_at: string | null; held_by: number | null } | null;
  escalations: ReportEscalation[];
  /** Null before the first go. */
  publish: ReportPublish | null;
  /** Null without a plan; absent in reports from before it was told. */
  visibility?: ReportVisibility | null;
}

/** `report.json`: everything that the page shows but the samples. */
export interface Report extends ReportPeople {
  version: 2;
  batch_id: string;
  source: string;
  /** Why there is the batch: `outage`, `schema_migration` or `reprocess`. */
  reason: string;
  submitted_by: string;
  attempt: number;
  status: BatchStatus;
  status_reason: string | null;
  written_at: string;
  window: { start: string; end: string };
  verdict: Verdict;
  plan_hash: string | null;
  recipe_hash: string | null;
  gate_set_hash: string | null;
  rows_digest: string | null;
  /** Over the raw files as they were pinned, and over the objects of the mirror: of `<sha256>  <key>` lines. */
  raw_checksum: string | null;
  mirror_checksum: string | null;
  /** Rows to publish, then published ones; null when there are none of either. */
  rows: number | null;
  /** Over the sorted ids of those rows. */
  checksum: string | null;
  balance: ReportBalance;
  files: ReportFile[];
  gates: ReportGate[];
  /** What the batch replaces, and what changes against it; null where it replaces nothing. Absent in older reports. */
  replacement?: ReplacementDetail | null;
  /** The batch that has replaced this one. Absent in older reports. */
  replaced_by?: string | null;
  kpis: ReportKpi[];
  days: DayCount[];
  /** True when the stored rows were counted for `days`; else they are still to come. */
  is_counted: boolean;
  approvals: ReportApproval[];
  /** Roles whose yes is missing; null without a plan. */
  missing_approvals: { run: string[]; publish: string[]; override: { gate: string; role: string }[] } | null;
  rollback: ReportRollback | null;
  incidents: ReportIncident[];
  /** True while readers must not trust the window yet. */
  is_frozen: boolean;
  /** The head of the audit log that covers all that led to this report; null before the first one. */
  audit_head: AnchoredHead | null;
  /** Where the samples are; null where none were drawn. */
  samples: (SamplesReference & { state: SamplesState }) | null;
}

/** Of the samples' object: there when the report was written or served, or not any more. */
export type SamplesState = 'stored' | 'expired or erased';
