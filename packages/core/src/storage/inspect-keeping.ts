import {
  GetBucketLifecycleConfigurationCommand,
  GetBucketVersioningCommand,
  type LifecycleRule,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';

/** What a bucket does with its objects by itself. What the server does not tell is taken for nothing. */
export interface BucketKeeping {
  /** Names (or prefixes) of the rules that delete objects after a time. */
  expiring: string[];
  /** True when deleted and overwritten objects stay as older versions. */
  isVersioned: boolean;
  /** True when a rule deletes older versions after a time. */
  dropsVersions: boolean;
}

/** The answer, or undefined where the server refuses or does not know the question; one that is away throws. */
async function unlessRefused<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
    // 501: a server that has no such thing.
    if (status === 501 || (status !== undefined && status < 500)) return undefined;
    throw error;
  }
}

function isExpiring({ Expiration }: LifecycleRule): boolean {
  return Expiration?.Days !== undefined || Expiration?.Date !== undefined;
}

/** Asks for lifecycle rules and versioning. */
export async function inspectKeeping(client: S3Client, bucket: string): Promise<BucketKeeping> {
  const [lifecycle, versioning] = await Promise.all([
    unlessRefused(client.send(new GetBucketLifecycleConfigurationCommand({ Bucket: bucket }))),
    unlessRefused(client.send(new GetBucketVersioningCommand({ Bucket: bucket }))),
  ]);
  const rules = (lifecycle?.Rules ?? []).filter(({ Status }) => Status === 'Enabled');
  return {
    expiring: rules.filter(isExpiring).map(({ ID, Filter, Prefix }) => ID ?? Filter?.Prefix ?? Prefix ?? ''),
    isVersioned: versioning?.Status === 'Enabled',
    dropsVersions: rules.some(({ NoncurrentVersionExpiration }) => NoncurrentVersionExpiration !== undefined),
  };
}
