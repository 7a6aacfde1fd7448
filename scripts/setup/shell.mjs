// What the set-up steps share: speaking, running a command quietly, failing with advice.
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';

/** A set-up step that cannot go on. The message says what to do; no stack trace is shown. */
export class SetupError extends Error {
  name = 'SetupError';
}

/** Tells the person what is about to happen. On stderr, so that stdout stays the program's own. */
export function say(text) {
  process.stderr.write(`[setup] ${text}\n`);
}

/** The absolute path of a program on PATH, or undefined. */
export function which(program) {
  for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
    if (folder === '') continue;
    const candidate = path.resolve(folder, program);
    try {
      accessSync(candidate, constants.X_OK);
      if (statSync(candidate).isFile()) return candidate;
    } catch {
      // Not there or not executable: look in the next folder.
    }
  }
  return undefined;
}

/** Runs a short question such as `--version`; returns its stdout, or undefined when it failed. */
export function ask(program, args) {
  const answer = spawnSync(program, args, { encoding: 'utf8', timeout: 30_000 });
  return answer.status === 0 ? answer.stdout : undefined;
}

/**
 * Runs a command without showing its output, unless it fails.
 * Throws SetupError with the command, its exit code and its output.
 */
export async function run(program, args, options = {}) {
  const chunks = [];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  child.stdout.on('data', (chunk) => chunks.push(chunk));
  child.stderr.on('data', (chunk) => chunks.push(chunk));
  const outcome = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code === 0 ? undefined : `exit ${code ?? signal}`));
  });
  if (outcome === undefined) return;
  const output = Buffer.concat(chunks).toString('utf8').trimEnd();
  throw new SetupError(`${[program, ...args].join(' ')} failed (${outcome})\n${output}`);
}
