import { generateAccessLog } from '@backfill/core/generate/access-log';
import { generateAppLog } from '@backfill/core/generate/app-log';
import type { AppWorldOptions } from '@backfill/core/generate/app-world';
import { type GeneratedFile, type Planted, sumPlanted } from '@backfill/core/generate/planted';
import type { ObjectStore } from '@backfill/core/storage/object-store';
import type { DemoRun } from './demo-run.ts';

/** About 45,000 events on a working day. */
const SESSIONS_PER_DAY = 9_500;
const REQUESTS = 5_000;
/** 0.04 %, under the gate of 0.1 %. */
const REPEATED_REQUESTS = 2;

/** What lies in the raw bucket now, and what was planted in it. */
export interface UploadedLogs {
  input: string;
  files: number;
  planted: Planted;
  /** Planted e-mail and IP addresses. */
  identifiers: Set<string>;
}

/** The made-up app of a run; the same options for its raw logs and its live events. */
export function appWorld(run: DemoRun): AppWorldOptions {
  return { seed: run.seed, day: run.day, windowHours: 24, sessionsPerDay: SESSIONS_PER_DAY };
}

/** Puts the app's raw logs of the lost day under the app batch's prefix. */
export async function uploadAppLogs(run: DemoRun, store: ObjectStore, bucket: string): Promise<UploadedLogs> {
  return upload(generateAppLog(appWorld(run)), store, bucket, run.appBatch);
}

/** Puts the web server's access log of the lost day under the web batch's prefix. */
export async function uploadAccessLog(run: DemoRun, store: ObjectStore, bucket: string): Promise<UploadedLogs> {
  const { seed, day } = run;
  const log = generateAccessLog({ seed, day, requests: REQUESTS, repeats: REPEATED_REQUESTS, gzip: true });
  return upload([log], store, bucket, run.webBatch);
}

async function upload(
  files: Iterable<GeneratedFile>,
  store: ObjectStore,
  bucket: string,
  batchId: string,
): Promise<UploadedLogs> {
  const planted: Planted[] = [];
  const identifiers = new Set<string>();
  for (const file of files) {
    await store.put(bucket, `${batchId}/${file.name}`, file.bytes, 'application/octet-stream');
    planted.push(file.planted);
    for (const identifier of file.identifiers) identifiers.add(identifier);
  }
  const input = `s3://${bucket}/${batchId}/`;
  return { input, files: planted.length, planted: sumPlanted(planted), identifiers };
}
