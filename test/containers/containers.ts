import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { GenericContainer, type StartedTestContainer, Wait } from 'testcontainers';
import { parse } from 'yaml';
import { createBuckets } from '../support/buckets.ts';

const COMPOSE_FILE = path.join(import.meta.dirname, '../../infra/compose.yaml');
const START_TIMEOUT_MS = 120_000;
const SHARED_MEMORY_BYTES = 256 * 1024 * 1024;
const POSTGRES_PORT = 5_432;
const VALKEY_PORT = 6_379;
const S3_PORT = 7_070;

interface ComposeFile {
  services: Record<'postgres' | 'valkey' | 's3', { image: string; environment?: Record<string, string> }>;
}

/** PostgreSQL, Valkey and an S3 server in containers. */
export interface Containers {
  /** Their addresses and secrets, by the names of the contract. */
  env: Record<string, string>;
  /** Stops and removes all three. */
  stop(): Promise<void>;
}

const secret = () => randomBytes(16).toString('hex');
const addressOf = (container: StartedTestContainer, port: number) =>
  `${container.getHost()}:${container.getMappedPort(port)}`;

/** No safety against a power cut: nothing in them outlives the run. */
async function startPostgres({ image, environment }: ComposeFile['services']['postgres'], password: string) {
  const settings = ['max_connections=200', 'max_prepared_transactions=50', 'timezone=UTC', 'max_wal_size=2GB'];
  const careless = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'];
  return new GenericContainer(image)
    .withEnvironment({
      POSTGRES_PASSWORD: password,
      POSTGRES_DB: 'backfill',
      POSTGRES_INITDB_ARGS: environment?.POSTGRES_INITDB_ARGS ?? '',
    })
    .withCommand(['postgres', ...[...settings, ...careless].flatMap((setting) => ['-c', setting])])
    .withSharedMemorySize(SHARED_MEMORY_BYTES)
    .withExposedPorts(POSTGRES_PORT)
    .withHealthCheck({
      // By TCP: while the image creates the database its server listens on a socket only.
      test: ['CMD', 'pg_isready', '-h', '127.0.0.1', '-U', 'postgres'],
      interval: 500,
      timeout: 5_000,
      retries: 200,
    })
    .withWaitStrategy(Wait.forHealthCheck())
    .withStartupTimeout(START_TIMEOUT_MS)
    .start();
}

async function startValkey({ image }: ComposeFile['services']['valkey'], password: string) {
  const words = ['--requirepass', password, '--appendonly', 'yes', '--maxmemory-policy', 'noeviction'];
  return new GenericContainer(image)
    .withCommand(['valkey-server', ...words])
    .withExposedPorts(VALKEY_PORT)
    .withWaitStrategy(Wait.forLogMessage('Ready to accept connections'))
    .withStartupTimeout(START_TIMEOUT_MS)
    .start();
}

async function startS3({ image, environment }: ComposeFile['services']['s3'], keys: { id: string; secret: string }) {
  return new GenericContainer(image)
    .withEnvironment({
      ...environment,
      // A folder that the image has: the compose file brings a volume.
      VGW_BACKEND_ARG: '/tmp',
      ROOT_ACCESS_KEY_ID: keys.id,
      ROOT_SECRET_ACCESS_KEY: keys.secret,
    })
    .withExposedPorts(S3_PORT)
    .withWaitStrategy(Wait.forHttp('/health', S3_PORT))
    .withStartupTimeout(START_TIMEOUT_MS)
    .start();
}

/** Starts the servers from the images of infra/compose.yaml, with both buckets. Leaves nothing running when one fails. */
export async function startContainers(): Promise<Containers> {
  const { services } = parse(await readFile(COMPOSE_FILE, 'utf8'), { merge: true }) as ComposeFile;
  const password = secret();
  const keys = { id: secret(), secret: secret() };
  const starts = [startPostgres(services.postgres, password), startValkey(services.valkey, password)];
  const started = await Promise.allSettled([...starts, startS3(services.s3, keys)]);
  const containers = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const stop = async () => {
    await Promise.all(containers.map((container) => container.stop()));
  };
  try {
    const failure = started.find((one) => one.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
    const [postgres, valkey, s3] = containers as [StartedTestContainer, StartedTestContainer, StartedTestContainer];
    const env = {
      DATABASE_URL: `postgres://postgres:${password}@${addressOf(postgres, POSTGRES_PORT)}/backfill`,
      REDIS_URL: `redis://default:${password}@${addressOf(valkey, VALKEY_PORT)}`,
      S3_ENDPOINT: `http://${addressOf(s3, S3_PORT)}`,
      S3_REGION: services.s3.environment?.VGW_REGION ?? '',
      AWS_ACCESS_KEY_ID: keys.id,
      AWS_SECRET_ACCESS_KEY: keys.secret,
      BACKFILL_RAW_BUCKET: 'analytics-raw',
      BACKFILL_ARCHIVE_BUCKET: 'analytics-backfill',
    };
    await createBuckets(env, [env.BACKFILL_RAW_BUCKET, env.BACKFILL_ARCHIVE_BUCKET]);
    return { env, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
