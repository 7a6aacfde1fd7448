import { GetBucketReplicationCommand, HeadBucketCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import type { BucketFacts, Place } from '../residency/residency-facts.ts';

const REGION_HEADER = 'x-amz-bucket-region';
const ARN_PREFIX = /^arn:[a-z-]+:s3:::/;

/** The server's answer when there is one; a server that cannot be reached throws. */
function answerOf(error: unknown): S3ServiceException {
  if (error instanceof S3ServiceException && error.$metadata.httpStatusCode !== undefined) return error;
  throw error;
}

function describeAnswer(error: S3ServiceException): string {
  return `the server answered HTTP ${error.$metadata.httpStatusCode} (${error.name})`;
}

/** S3 names the region also where it refuses or redirects the request. */
async function placeOf(client: S3Client, bucket: string): Promise<Place> {
  try {
    const { BucketRegion } = await client.send(new HeadBucketCommand({ Bucket: bucket }));
    return BucketRegion ? { region: BucketRegion } : { unknown: 'the server does not name it' };
  } catch (error) {
    const answer = answerOf(error);
    if (answer.$metadata.httpStatusCode === 404) return { unknown: 'there is no such bucket' };
    const region = answer.$response?.headers[REGION_HEADER];
    return region ? { region } : { unknown: describeAnswer(answer) };
  }
}

async function replicationOf(client: S3Client, bucket: string): Promise<BucketFacts['replication']> {
  try {
    const { ReplicationConfiguration } = await client.send(new GetBucketReplicationCommand({ Bucket: bucket }));
    if (ReplicationConfiguration === undefined) return { unknown: 'the server answered something else' };
    const rules = (ReplicationConfiguration.Rules ?? []).filter((rule) => rule.Status !== 'Disabled');
    const targets = new Set(rules.map((rule) => (rule.Destination?.Bucket ?? '').replace(ARN_PREFIX, '')));
    return await Promise.all(
      [...targets].map(async (target) => ({
        bucket: target,
        place: target === '' ? { unknown: 'the rule names none' } : await placeOf(client, target),
      })),
    );
  } catch (error) {
    const answer = answerOf(error);
    if (answer.name === 'ReplicationConfigurationNotFoundError') return [];
    return { unknown: describeAnswer(answer) };
  }
}

/**
 * Asks where a bucket is and where it is replicated to. What the server does not tell is reported as unknown; a server
 * that cannot be reached throws.
 */
export async function inspectBucket(client: S3Client, bucket: string): Promise<BucketFacts> {
  const [place, replication] = await Promise.all([placeOf(client, bucket), replicationOf(client, bucket)]);
  return { bucket, place, replication };
}
