import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';

/** Makes buckets on the S3 server of this environment. */
export async function createBuckets(env: Record<string, string>, buckets: string[]): Promise<void> {
  const client = new S3Client({
    endpoint: env.S3_ENDPOINT ?? '',
    region: env.S3_REGION ?? '',
    credentials: {
      accessKeyId: env.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '',
    },
    forcePathStyle: true,
  });
  for (const Bucket of buckets) await client.send(new CreateBucketCommand({ Bucket }));
  client.destroy();
}
