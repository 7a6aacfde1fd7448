import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

const SCRIPTS = path.join(import.meta.dirname, '../../scripts');

/** Runs one of the repository's psql files as an operator would; rejects when psql ends with an error. */
export async function runPsqlScript(databaseUrl: string, script: string, variables: Record<string, string> = {}) {
  const sets = Object.entries(variables).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
  const args = [databaseUrl, '-v', 'ON_ERROR_STOP=1', '-X', '-f', path.join(SCRIPTS, script), ...sets];
  const { stdout } = await promisify(execFile)('psql', args);
  return stdout;
}

/** Runs a statement as somebody does in psql; rejects when psql ends with an error. */
export async function runPsql(databaseUrl: string, statement: string): Promise<string> {
  const args = [databaseUrl, '-v', 'ON_ERROR_STOP=1', '-X', '-c', statement];
  const { stdout } = await promisify(execFile)('psql', args);
  return stdout;
}
