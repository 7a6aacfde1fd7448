import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse, stringify } from 'yaml';

const EXAMPLES = path.join(import.meta.dirname, '../../examples/config');

interface PolicyDocument {
  gates: { default: Record<string, number>; sources: Record<string, Record<string, number>> };
  approvals: { run: string[]; publish: string[] };
  limits: Record<string, number>;
  residency: { loopback: boolean };
}

/** A copy of the example configuration, with the policy changed by `edit`. */
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
  await editPolicy(edit);
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
