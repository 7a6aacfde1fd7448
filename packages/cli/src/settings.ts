import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import {
  readEnvironment,
  SERVICE_NAMES,
  type ServiceConfig,
  type StorageConfig,
} from '@backfill/core/config/environment';
import { CliError } from './cli-error.ts';

/** The repository this file belongs to: `.backfill` stands at its root. */
export const REPOSITORY_ROOT = path.resolve(import.meta.dirname, '..', '..', '..');

const EXAMPLE_CONFIG = path.join(REPOSITORY_ROOT, 'examples', 'config');

/** Where the API and the object store are, and the tokens for them. */
export interface Settings {
  apiUrl(): string;
  /** @param role in lower case, as the API names it */
  token(role: string): string;
  storage(): StorageConfig;
  /** Of the events. */
  databaseUrl(): string;
  /** All that a transformer is given. @throws {FatalError} naming everything that is missing or malformed. */
  transformer(): ServiceConfig;
  /** The same for one of each service. */
  services(): ServiceConfig[];
}

type Values = Readonly<Record<string, string | undefined>>;

/**
 * Takes each setting from the environment, else from the env file of the stack that runs on the
 * state directory. The object store's settings come together from where S3_ENDPOINT is set, so
 * that credentials of another account in the environment are not sent to the embedded store.
 *
 * @param stateDir from `--state-dir`; then the file comes first
 */
export function readSettings(env: NodeJS.ProcessEnv, stateDir: string | undefined): Settings {
  const envFile = path.join(chooseStateDir(env, stateDir), 'env');
  const file = readEnvFile(envFile);
  const [first, second]: [Values, Values] = stateDir === undefined ? [env, file ?? {}] : [file ?? {}, env];
  const get = (name: string): string => {
    // An empty variable counts as not set, as in a shell's ${name:-default}.
    const value = first[name] || second[name];
    if (value) return value;
    throw missing(name, envFile, file !== undefined);
  };
  return {
    apiUrl: () => get('BACKFILL_API_URL'),
    token: (role) => env['BACKFILL_TOKEN'] || get(`BACKFILL_TOKEN_${role.toUpperCase()}`),
    databaseUrl: () => get('DATABASE_URL'),
    storage: () => storageConfig(first['S3_ENDPOINT'] ? first : second, get),
    transformer: () => readEnvironment('transformer', serviceEnvironment(first, second)),
    services: () => {
      const environment = serviceEnvironment(first, second);
      return SERVICE_NAMES.map((name) => readEnvironment(name, environment));
    },
  };
}

/** What belongs together and must not be mixed from two places: who has the first of them, has them all. */
const GROUPS = [
  ['S3_ENDPOINT', 'S3_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'],
  ['DATABASE_URL', 'CHECKPOINT_DATABASE_URL'],
];
/** Of each of these one is enough, and counts where it is set. */
const ALTERNATIVES = [
  ['ANALYTICS_SALT_FILE', 'ANALYTICS_SALT'],
  ['AUDIT_KEY_FILE', 'AUDIT_KEY'],
];

function serviceEnvironment(first: Values, second: Values): NodeJS.ProcessEnv {
  const isSet = ([, value]: [string, string | undefined]) => value !== undefined && value !== '';
  const over = Object.fromEntries(Object.entries(first).filter(isSet));
  const base = Object.fromEntries(Object.entries(second).filter(isSet));
  for (const group of GROUPS) {
    const [address = ''] = group;
    if (over[address] === undefined && base[address] === undefined) continue;
    const loser = over[address] === undefined ? over : base;
    for (const name of group) delete loser[name];
  }
  for (const names of ALTERNATIVES) {
    if (names.some((name) => over[name] !== undefined)) for (const name of names) delete base[name];
  }
  return { BACKFILL_CONFIG_DIR: EXAMPLE_CONFIG, ...base, ...over };
}

function storageConfig(values: Values, orMissing: (name: string) => string): StorageConfig {
  const get = (name: string): string => values[name] || orMissing(name);
  return {
    endpoint: get('S3_ENDPOINT'),
    region: get('S3_REGION'),
    accessKeyId: get('AWS_ACCESS_KEY_ID'),
    secretAccessKey: get('AWS_SECRET_ACCESS_KEY'),
    rawBucket: values['BACKFILL_RAW_BUCKET'] || 'analytics-raw',
    archiveBucket: values['BACKFILL_ARCHIVE_BUCKET'] || 'analytics-backfill',
  };
}

function chooseStateDir(env: NodeJS.ProcessEnv, option: string | undefined): string {
  return path.resolve(option ?? (env['BACKFILL_STATE_DIR'] || path.join(REPOSITORY_ROOT, '.backfill')));
}

function readEnvFile(file: string): Values | undefined {
  try {
    return parseEnv(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function missing(name: string, envFile: string, hasFile: boolean): CliError {
  if (hasFile) return new CliError(`${name} is neither in the environment nor in ${envFile}.`);
  return new CliError(`${name} is not set, and no stack is running here (there is no ${envFile}).`, [
    'Start one: npm start',
    `Or point to another: set ${name}, or --state-dir.`,
  ]);
}
