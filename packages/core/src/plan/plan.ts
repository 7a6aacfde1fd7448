import { hash } from 'node:crypto';
import type { KpiDefinitions } from '../config/kpi-files.ts';
import type { KpiPolicy } from '../config/kpi-policy.ts';
import type { GateThresholds, Policy } from '../config/policy.ts';
import { canonicalJson } from '../domain/canonical-json.ts';
import type { FormatName } from '../domain/format-name.ts';
import type { JsonValue } from '../domain/json.ts';
import type { KpiName, KpiReference } from '../domain/kpi.ts';
import type { Replaces } from '../domain/replacement.ts';
import type { Recipe } from '../recipe/recipe.ts';

/** One pinned object of the input, named by its key below the batch's prefix. */
export interface ManifestEntry {
  source_file: string;
  /** Bytes as stored. */
  size: number;
  /** Of the stored bytes, lower-case hex. */
  sha256: string;
  /** How its records are written: found in it, or what the source says. */
  format: FormatName;
  /** Records of the decompressed text. */
  lines: number;
  /** The pseudonymised copy that the mirror will hold in its place: of sources from outside the EU. */
  copy?: { size: number; sha256: string };
}

/** Thresholds that plans have not always had: a gate is judged by what was approved, so older plans go without. */
type LaterThresholds =
  | 'volume'
  | 'freshness_minutes'
  | 'visible_minutes'
  | 'daily_active_sessions'
  | 'activation_conversion';

/** A source's thresholds, with what the submission says about overlap. */
export interface PlannedThresholds
  extends Omit<GateThresholds, LaterThresholds>,
    Partial<Pick<GateThresholds, LaterThresholds>> {
  /** The policy's own `max_overlap`: the share of events that may have come before in files that were cut differently. */
  max_recut: number;
}

/** What the KPI gates are measured by: definitions, baselines and where they do not apply. */
export interface PlannedKpis extends Omit<KpiPolicy, 'not_applicable'> {
  definitions: KpiDefinitions;
  /** Why the source cannot have a KPI. */
  not_applicable: Partial<Record<KpiName, string>>;
  /** Of the submission. */
  references: KpiReference[];
}

/** What is approved before anything runs: everything that decides what the batch will do. Plain JSON. */
export interface Plan {
  planVersion: 1;
  batchId: string;
  input: string;
  manifest: ManifestEntry[];
  recipe: Recipe;
  policy: Pick<Policy, 'retention'> & {
    /**
     * `override`: absent in plans from before there were KPI gates. `rehearsal`: whether one must be on record before the
     * run; absent when not.
     */
    approvals: { run: string[]; publish: string[]; override?: string[]; rehearsal?: true };
    gates: PlannedThresholds;
    /** Absent in plans from before there were KPI gates. */
    kpi?: PlannedKpis;
    /** Absent when imports have no limit of speed. */
    import_events_per_second?: number;
  };
  retentionException: { why: string; until: string } | null;
  /** The submitter's own count of the missing events; absent when there is none. */
  expectedEvents?: number;
  /** What its publish takes out of sight; absent when nothing. */
  replaces?: Replaces;
}

/** sha256 of the plan's canonical JSON: what run approvals bind to. */
export function planHash(plan: Plan): string {
  return hash('sha256', canonicalJson(JSON.parse(JSON.stringify(plan)) as JsonValue), 'hex');
}

/** sha256 over `<sha256>  <source_file>` lines in key order (the form of sha256sum): one checksum for the whole input. */
export function manifestChecksum(manifest: readonly Pick<ManifestEntry, 'source_file' | 'sha256'>[]): string {
  const lines = manifest
    .toSorted((a, b) => (a.source_file < b.source_file ? -1 : 1))
    .map((entry) => `${entry.sha256}  ${entry.source_file}\n`);
  return hash('sha256', lines.join(''), 'hex');
}
