import path from 'node:path';
import { type ManagedProcess, manageProcess } from './managed-process.ts';
import type { StateDir } from './state-dir.ts';

/** What the S3 child process is told. */
export interface S3Settings {
  port: number;
  directory: string;
  accessKeyId: string;
  secretAccessKey: string;
  buckets: string[];
}

export interface S3Options {
  dir: StateDir;
  port: number;
  accessKeyId: string;
  secretAccessKey: string;
  buckets: string[];
  env: NodeJS.ProcessEnv;
  report: (line: string) => void;
}

/** The region the embedded server is said to be in: the system writes to the EU only. */
export const S3_REGION = 'eu-central-1';
const READY_TIMEOUT_MS = 60_000;

/** The address of the embedded server. */
export function s3Endpoint(port: number): string {
  return `http://127.0.0.1:${port}`;
}

/** Prepares the embedded S3 server with its buckets. It ends by itself when we die. */
export function createS3(options: S3Options): ManagedProcess {
  const { dir, port, accessKeyId, secretAccessKey, buckets } = options;
  const settings: S3Settings = { port, directory: dir.s3, accessKeyId, secretAccessKey, buckets };
  return manageProcess(
    {
      name: 's3',
      command: process.execPath,
      args: [path.join(import.meta.dirname, 's3-main.ts'), `--state-dir=${dir.root}`],
      env: { ...options.env, BACKFILL_EMBEDDED_S3: JSON.stringify(settings) },
      ipc: true,
      logFile: path.join(dir.logs, 's3.log'),
      runDir: dir.run,
      notReady: () => notReady(s3Endpoint(port)),
      readyTimeoutMs: READY_TIMEOUT_MS,
      stop: [{ signal: 'SIGTERM', graceMs: 10_000 }],
    },
    options.report,
  );
}

async function notReady(endpoint: string): Promise<string | undefined> {
  try {
    const answer = await fetch(endpoint);
    await answer.arrayBuffer();
    return undefined;
  } catch (error) {
    return error instanceof Error ? String(error.cause ?? error) : String(error);
  }
}
