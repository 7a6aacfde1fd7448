import { CreateBucketCommand, DeleteObjectCommand, S3Client } from '@aws-sdk/client-s3';

function connect(env: Record<string, string>): S3Client {
  return new S3Client({
    endpoint: env.S3_ENDPOINT ?? '',
    region: env.S3_REGION ?? '',
    credentials: {
      accessKeyId: env.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '',
    },
    forcePathStyle: true,
  });
}

/** Makes buckets on the S3 server of this environment. */
export async function createBuckets(env: Record<string, string>, buckets: string[]): Promise<void> {
  const client = connect(env);
  for (const Bucket of buckets) await client.send(new CreateBucketCommand({ Bucket }));
  client.destroy();
}

/** Deletes an object, as a rule of the bucket or an erasure would. */
export async function deleteObject(env: Record<string, string>, bucket: string, key: string): Promise<void> {
  const client = connect(env);
  await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
  client.destroy();
}
