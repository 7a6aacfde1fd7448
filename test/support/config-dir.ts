import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse, stringify } from 'yaml';

const EXAMPLES = path.join(import.meta.dirname, '../../examples/config');

interface PolicyDocument {
  gates: { default: Record<string, number>; sources: Record<string, Record<string, number>> };
  approvals: { run: string[]; publish: string[]; override?: string[] };
  kpi: {
    funnel?: { steps: string[]; window_hours: number };
    not_applicable: { default: Record<string, string>; sources: Record<string, Record<string, string>> };
    [member: string]: unknown;
  };
  limits: Record<string, number>;
  residency: { loopback: boolean };
}

/**
 * A handful of made-up events says nothing about a day's sessions, ends hours before its window, and has as many bad
 * lines as a test needs. What is about these gates takes the thresholds of the examples back (`withProof`).
 */
export function withoutProof(policy: PolicyDocument): void {
  Object.assign(policy.gates.default, { volume: 1, freshness_minutes: 1_000_000 });
  const why = 'made-up events';
  policy.kpi.not_applicable = { default: { daily_active_sessions: why, activation_funnel: why }, sources: {} };
}

/** The gates as they are for users: thresholds by default, and KPIs measured. */
export function withProof(policy: PolicyDocument): void {
  Object.assign(policy.gates.default, { volume: 0.02, freshness_minutes: 30 });
  policy.kpi.not_applicable = { default: {}, sources: {} };
}

/** A copy of the example configuration, with gates that made-up events pass, and the policy changed by `edit`. */
export async function createConfigDir(edit: (policy: PolicyDocument) => void = () => undefined): Promise<{
  dir: string;
  editPolicy(edit: (policy: PolicyDocument) => void): Promise<void>;
  /** Changes the file of one source. */
  editSource(source: string, edit: (document: Record<string, unknown>) => void): Promise<void>;
  remove(): Promise<void>;
}> {
  const dir = await mkdtemp(path.join(tmpdir(), 'backfill-config-'));
  await cp(EXAMPLES, dir, { recursive: true });
  const editYaml = async <T>(name: string, change: (document: T) => void) => {
    const file = path.join(dir, name);
    const document = parse(await readFile(file, 'utf8')) as T;
    change(document);
    await writeFile(file, stringify(document));
  };
  const editPolicy = (change: (policy: PolicyDocument) => void) => editYaml('policy.yaml', change);
  await editPolicy((policy) => {
    withoutProof(policy);
    edit(policy);
  });
  return {
    dir,
    editPolicy,
    editSource: (source, change) => editYaml(`sources/${source}.yaml`, change),
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}

/** A policy that asks nobody, for tests of everything but the approvals. */
export function withoutApprovals(policy: PolicyDocument): void {
  policy.approvals = { run: [], publish: [] };
}
