import { createObjectStore } from '@backfill/core/storage/object-store';
import { waitFor } from './wait-for.ts';

export interface BatchView {
  batch_id: string;
  status: string;
  status_reason: string | null;
  progress: { chunks_total: number; chunks_done: number; lines_read: number };
  balance: Record<string, number>;
  gates: { gate: string; threshold: number; observed: number; passed: boolean }[];
}

const RUN_ROLES = ['data_privacy_officer', 'legal_counsel_privacy', 'product_owner'];
const PUBLISH_ROLES = ['data_engineering_lead', 'product_analytics_manager'];

/** A client that knows the public contract only. */
export function createApiClient(env: Record<string, string>) {
  async function call(role: string, method: string, path: string, body?: unknown) {
    const answer = await fetch(`${env.BACKFILL_API_URL}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${env[`BACKFILL_TOKEN_${role.toUpperCase()}`]}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }
  const get = (batchId: string) => call('viewer', 'GET', `/v1/batches/${batchId}`) as Promise<BatchView>;
  const approve = async (batchId: string, stage: string, roles: string[]) => {
    for (const role of roles) {
      await call(role, 'POST', `/v1/batches/${batchId}/approvals`, { stage, role, decision: 'approve' });
    }
  };
  return {
    call,
    get,
    async upload(batchId: string, files: Record<string, Buffer | string>) {
      const store = createObjectStore({
        endpoint: env.S3_ENDPOINT ?? '',
        region: env.S3_REGION ?? '',
        accessKeyId: env.AWS_ACCESS_KEY_ID ?? '',
        secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '',
        rawBucket: 'analytics-raw',
        archiveBucket: 'analytics-backfill',
      });
      for (const [name, body] of Object.entries(files)) {
        await store.put('analytics-raw', `${batchId}/${name}`, Buffer.from(body), 'text/plain');
      }
      store.close();
    },
    submit: (batchId: string, body: object) =>
      call('submitter', 'POST', '/v1/batches', {
        batch_id: batchId,
        reason: 'outage',
        input: `s3://analytics-raw/${batchId}/`,
        ...body,
      }),
    approveRun: (batchId: string) => approve(batchId, 'run', RUN_ROLES),
    approvePublish: (batchId: string) => approve(batchId, 'publish', PUBLISH_ROLES),
    operate: (batchId: string, action: string, body: object = {}) =>
      call('operator', 'POST', `/v1/batches/${batchId}/${action}`, body),
    /** Waits until the batch has one of the statuses; fails at once when it ends up in another resting one. */
    reach: (batchId: string, ...statuses: string[]) =>
      waitFor(
        `${batchId} to be ${statuses.join(' or ')}`,
        async () => {
          const batch = await get(batchId);
          if (statuses.includes(batch.status)) return batch;
          if (['failed', 'halted', 'gates_failed'].includes(batch.status)) {
            throw new Error(`${batchId} is ${batch.status}: ${batch.status_reason}`);
          }
          return undefined;
        },
        100_000,
      ),
  };
}
