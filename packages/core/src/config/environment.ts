import { createSecretKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { FatalError } from '../errors.ts';
import { parseSalts, type Salts } from './parse-salts.ts';

const port = z.coerce.number().int().min(0).max(65_535);
const concurrency = z.coerce.number().int().min(1).max(64);
const perMinute = z.coerce.number().int().min(1).max(1_000_000);

const databaseUrl = z.url({ protocol: /^postgres(ql)?$/ });

const RawEnvironment = z.object({
  DATABASE_URL: databaseUrl,
  CHECKPOINT_DATABASE_URL: databaseUrl.optional(),
  REDIS_URL: z.url({ protocol: /^rediss?$/ }),
  S3_ENDPOINT: z.url({ protocol: /^https?$/ }),
  S3_REGION: z.string().min(1),
  AWS_ACCESS_KEY_ID: z.string().min(1),
  AWS_SECRET_ACCESS_KEY: z.string().min(1),
  BACKFILL_RAW_BUCKET: z.string().min(1).default('analytics-raw'),
  BACKFILL_ARCHIVE_BUCKET: z.string().min(1).default('analytics-backfill'),
  BACKFILL_S3_TIMEOUT_MS: z.coerce.number().int().min(100).optional(),
  BACKFILL_CONFIG_DIR: z.string().min(1),
  BACKFILL_QUEUE_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9_-]+$/)
    .default('bf'),
  BACKFILL_JOB_LOCK_MS: z.coerce.number().int().min(1_000).default(15_000),
  ANALYTICS_SALT_FILE: z.string().min(1).optional(),
  ANALYTICS_SALT: z.string().min(1).optional(),
  AUDIT_KEY_FILE: z.string().min(1).optional(),
  AUDIT_KEY: z.string().min(1).optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  API_HOST: z.string().default('127.0.0.1'),
  API_PORT: port.default(0),
  API_REQUESTS_PER_MINUTE: perMinute.default(6_000),
  API_REFUSALS_PER_MINUTE: perMinute.default(600),
  TRANSFORMER_HOST: z.string().default('127.0.0.1'),
  TRANSFORMER_PORT: port.default(0),
  TRANSFORMER_CONCURRENCY: concurrency.default(1),
  TRANSFORMER_CHUNK_BYTES: z.coerce
    .number()
    .int()
    .min(1)
    .default(16 * 1024 * 1024),
  TRANSFORMER_PART_LINES: z.coerce.number().int().min(1).max(50_000).default(50_000),
  TRANSFORMER_PARTS_AHEAD: z.coerce.number().int().min(1).max(10_000).default(20),
  TRANSFORMER_SLICE_MS: z.coerce.number().int().min(0).default(30_000),
  IMPORTER_HOST: z.string().default('127.0.0.1'),
  IMPORTER_PORT: port.default(0),
  IMPORTER_CONCURRENCY: concurrency.default(1),
  VERIFIER_HOST: z.string().default('127.0.0.1'),
  VERIFIER_PORT: port.default(0),
  VERIFIER_CONCURRENCY: concurrency.default(2),
  VERIFIER_GATE_TIMEOUT_SECONDS: z.coerce.number().int().min(1).max(86_400).default(3_600),
  ROLLBACK_HOST: z.string().default('127.0.0.1'),
  ROLLBACK_PORT: port.default(0),
  ROLLBACK_CONCURRENCY: concurrency.default(1),
});

export type ServiceName = 'api' | 'transformer' | 'importer' | 'verifier' | 'rollback';

export interface StorageConfig {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly rawBucket: string;
  readonly archiveBucket: string;
  /** When a request is given up on which nothing moves, ms. */
  readonly timeoutMs?: number | undefined;
}

/** Everything a service takes from its environment, validated, grouped and frozen. */
export interface ServiceConfig {
  readonly service: ServiceName;
  readonly databaseUrl: string;
  /** The dedup store's own database; undefined where it is with the events. */
  readonly checkpointDatabaseUrl: string | undefined;
  readonly redisUrl: string;
  /** Prefix of every BullMQ key: two systems may share one Redis. */
  readonly queuePrefix: string;
  /** A worker that is not heard of for this long loses its job to another one, ms. */
  readonly jobLockMs: number;
  readonly storage: StorageConfig;
  /** The directory with policy.yaml, sources/ and taxonomy/. */
  readonly configDir: string;
  /** `analytics_salt` by key version: the keys of all pseudonyms. Transformer and verifier ask for it. */
  readonly salts: Salts | undefined;
  /** The key of the audit log's chain. No service starts without. */
  readonly auditKey: KeyObject | undefined;
  readonly logLevel: string;
  readonly http: { readonly host: string; readonly port: number };
  /** Of the API, per process: requests of one actor, and those without a valid token from one address. */
  readonly rateLimits: { readonly requestsPerMinute: number; readonly refusalsPerMinute: number };
  /** Jobs one process works on at once. */
  readonly concurrency: number;
  /** Target size of a chunk of plain text, in bytes; chunks end on line ends. */
  readonly chunkBytes: number;
  /** Most lines of one import part. */
  readonly partLines: number;
  /** Parts of a batch that may wait for their import before its chunks wait too. */
  readonly partsAhead: number;
  /** How long a chunk is worked on before it gives way to other batches that wait. */
  readonly sliceMs: number;
  /** When a statement that a gate is measured by is given up, and the gate has failed. */
  readonly gateTimeoutSeconds: number;
}

function readSalts(raw: z.infer<typeof RawEnvironment>): Salts | undefined {
  const name = raw.ANALYTICS_SALT_FILE === undefined ? 'ANALYTICS_SALT' : 'ANALYTICS_SALT_FILE';
  const text =
    raw.ANALYTICS_SALT_FILE === undefined ? raw.ANALYTICS_SALT : readFileSync(raw.ANALYTICS_SALT_FILE, 'utf8');
  try {
    return text === undefined ? undefined : parseSalts(text);
  } catch (error) {
    if (error instanceof RangeError) throw new FatalError(`${name} ${error.message}`);
    throw error;
  }
}

const MIN_AUDIT_KEY_BYTES = 32;

/** The secret's UTF-8 text without the white space around it. */
function readAuditKey(raw: z.infer<typeof RawEnvironment>): KeyObject | undefined {
  const name = raw.AUDIT_KEY_FILE === undefined ? 'AUDIT_KEY' : 'AUDIT_KEY_FILE';
  const text = raw.AUDIT_KEY_FILE === undefined ? raw.AUDIT_KEY : readFileSync(raw.AUDIT_KEY_FILE, 'utf8');
  if (text === undefined) return undefined;
  const secret = Buffer.from(text.trim(), 'utf8');
  if (secret.length < MIN_AUDIT_KEY_BYTES) {
    throw new FatalError(`${name} is too short for a key: it takes at least ${MIN_AUDIT_KEY_BYTES} bytes.`);
  }
  return createSecretKey(secret);
}

/**
 * Turns the environment into a service's configuration.
 *
 * @throws {FatalError} naming every variable that is missing or malformed, without their values.
 */
export function readEnvironment(service: ServiceName, env: NodeJS.ProcessEnv): ServiceConfig {
  const parsed = RawEnvironment.safeParse(env);
  if (!parsed.success) {
    const mistakes = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
    throw new FatalError(`The environment is not usable:\n${mistakes.join('\n')}`);
  }
  const raw = parsed.data;
  const upper = service.toUpperCase() as Uppercase<ServiceName>;
  return Object.freeze({
    service,
    databaseUrl: raw.DATABASE_URL,
    checkpointDatabaseUrl: raw.CHECKPOINT_DATABASE_URL === raw.DATABASE_URL ? undefined : raw.CHECKPOINT_DATABASE_URL,
    redisUrl: raw.REDIS_URL,
    queuePrefix: raw.BACKFILL_QUEUE_PREFIX,
    jobLockMs: raw.BACKFILL_JOB_LOCK_MS,
    storage: Object.freeze({
      endpoint: raw.S3_ENDPOINT,
      region: raw.S3_REGION,
      accessKeyId: raw.AWS_ACCESS_KEY_ID,
      secretAccessKey: raw.AWS_SECRET_ACCESS_KEY,
      rawBucket: raw.BACKFILL_RAW_BUCKET,
      archiveBucket: raw.BACKFILL_ARCHIVE_BUCKET,
      timeoutMs: raw.BACKFILL_S3_TIMEOUT_MS,
    }),
    configDir: raw.BACKFILL_CONFIG_DIR,
    salts: readSalts(raw),
    auditKey: readAuditKey(raw),
    logLevel: raw.LOG_LEVEL,
    http: Object.freeze({ host: raw[`${upper}_HOST`], port: raw[`${upper}_PORT`] }),
    rateLimits: Object.freeze({
      requestsPerMinute: raw.API_REQUESTS_PER_MINUTE,
      refusalsPerMinute: raw.API_REFUSALS_PER_MINUTE,
    }),
    concurrency: upper === 'API' ? 1 : raw[`${upper}_CONCURRENCY`],
    chunkBytes: raw.TRANSFORMER_CHUNK_BYTES,
    partLines: raw.TRANSFORMER_PART_LINES,
    partsAhead: raw.TRANSFORMER_PARTS_AHEAD,
    sliceMs: raw.TRANSFORMER_SLICE_MS,
    gateTimeoutSeconds: raw.VERIFIER_GATE_TIMEOUT_SECONDS,
  });
}
