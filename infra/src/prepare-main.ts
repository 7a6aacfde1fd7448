// `prepare` of the image: what a new installation lacks before its services can start. It may be run again at any time.
import { readEnvironment } from '@backfill/core/config/environment';
import { migrate } from '@backfill/core/db/migrate';
import { ROLES, type Role } from '@backfill/core/domain/approvals';
import { describeError, FatalError } from '@backfill/core/errors';
import { createObjectStore } from '@backfill/core/storage/object-store';
import { registerTokens, tokenVariable } from './api-tokens.ts';

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** @throws {FatalError} naming every role whose token the environment lacks. */
function readTokens(env: NodeJS.ProcessEnv): Record<Role, string> {
  const missing = ROLES.map(tokenVariable).filter((name) => !env[name]);
  if (missing.length > 0) throw new FatalError(`The environment lacks ${missing.join(', ')}.`);
  return Object.fromEntries(ROLES.map((role) => [role, env[tokenVariable(role)]])) as Record<Role, string>;
}

async function main(): Promise<void> {
  const { databaseUrl, storage } = readEnvironment('api', process.env);
  const tokens = readTokens(process.env);
  const store = createObjectStore(storage);
  try {
    for (const bucket of [storage.rawBucket, storage.archiveBucket]) {
      await store.createBucket(bucket);
      say(`bucket ${bucket} is there`);
    }
  } finally {
    store.close();
  }
  await migrate({ connectionString: databaseUrl });
  say('the schema is up to date');
  await registerTokens(databaseUrl, tokens);
  say(`the tokens of ${ROLES.length} roles are known`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof FatalError ? error.message : describeError(error)}\n`);
  process.exitCode = 1;
}
