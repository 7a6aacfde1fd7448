import { createObjectStore, type ObjectStore } from '@backfill/core/storage/object-store';

/** A test's buckets, as a service sees them. */
export interface TestStore {
  store: ObjectStore;
  rawBucket: string;
  archiveBucket: string;
}

/** Connects to the buckets of a test environment. */
export function createTestStore(env: Record<string, string>): TestStore {
  const rawBucket = env.BACKFILL_RAW_BUCKET ?? '';
  const archiveBucket = env.BACKFILL_ARCHIVE_BUCKET ?? '';
  const store = createObjectStore({
    endpoint: env.S3_ENDPOINT ?? '',
    region: env.S3_REGION ?? '',
    accessKeyId: env.AWS_ACCESS_KEY_ID ?? '',
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '',
    rawBucket,
    archiveBucket,
  });
  return { store, rawBucket, archiveBucket };
}
