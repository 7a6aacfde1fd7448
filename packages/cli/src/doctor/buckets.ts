import { randomBytes } from 'node:crypto';
import type { Finding } from '@backfill/core/domain/finding';
import { describeReason, isDependencyUnavailable } from '@backfill/core/errors';
import type { ObjectStore } from '@backfill/core/storage/object-store';
import type { Check } from './check.ts';

/** The reason why a bucket cannot be used so; undefined when it can. A store that is away throws. */
async function refusalOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (isDependencyUnavailable(error)) throw error;
    return describeReason(error);
  }
}

async function listOne(store: ObjectStore, bucket: string): Promise<void> {
  for await (const _object of store.list(bucket, '')) return;
}

/** Writes an object, looks at it and takes it away again. */
async function tryWriting(store: ObjectStore, bucket: string): Promise<void> {
  const key = `doctor/${randomBytes(8).toString('hex')}`;
  await store.put(bucket, key, Buffer.from('May be deleted.\n'), 'text/plain');
  try {
    if (!(await store.exists(bucket, key))) throw new Error('what was written is not there');
  } finally {
    await store.remove(bucket, key);
  }
}

async function findKeeping(store: ObjectStore, bucket: string): Promise<Finding[]> {
  const { expiring, isVersioned, dropsVersions } = await store.inspectKeeping(bucket);
  const subject = `bucket ${bucket}`;
  const rules = expiring.map((rule) => ({
    subject,
    problem: `its lifecycle rule ${JSON.stringify(rule)} deletes objects, whatever this software still needs`,
    remedy:
      'delete the rule: what is past its time is deleted here by itself, with a receipt (retention of policy.yaml)',
  }));
  if (!isVersioned || dropsVersions) return rules;
  const problem =
    'it keeps older versions for ever, also of what was deleted by retention or for a person who is forgotten';
  const remedy =
    'give it a lifecycle rule that deletes noncurrent versions after a few days, or suspend its versioning';
  return [...rules, { subject, problem, remedy }];
}

/** Both buckets: the raw one is read only, the archive written and deleted from. Where they are is residency's. */
export const buckets: Check = {
  name: 'buckets',
  needs: ['store'],
  async find({ store, config: { storage } }) {
    const { rawBucket, archiveBucket } = storage;
    const rights = 'make the bucket, or give the key of AWS_ACCESS_KEY_ID the right to';
    const unreadable = await refusalOf(listOne(store, rawBucket));
    const unwritable = await refusalOf(tryWriting(store, archiveBucket));
    return [
      ...(unreadable === undefined
        ? []
        : [
            {
              subject: `bucket ${rawBucket}`,
              problem: `it cannot be listed (${unreadable})`,
              remedy: `${rights} list and read it`,
            },
          ]),
      ...(unwritable === undefined
        ? await findKeeping(store, archiveBucket)
        : [
            {
              subject: `bucket ${archiveBucket}`,
              problem: `it cannot be written (${unwritable})`,
              remedy: `${rights} read, write, list and delete in it`,
            },
          ]),
    ];
  },
};
