import { migrate } from '@backfill/core/db/migrate';
import { ROLES } from '@backfill/core/domain/approvals';
import { registerTokens, tokenVariable } from '@backfill/infra/api-tokens';
import type { ManagedProcess } from '@backfill/infra/managed-process';
import type { Servers } from '@backfill/infra/servers';
import { serviceEnv } from '@backfill/infra/service-env';
import { createService, type ServiceName } from '@backfill/infra/services';
import pg from 'pg';
import { BENCH_CONFIG_DIR } from '../bench/transform/bench-recipe.ts';
import { createBuckets } from '../support/buckets.ts';
import { type LyingS3, startLyingS3 } from '../support/lying-s3.ts';

/** Two importers, so that several parts are in the middle of their transactions. */
const PROCESSES: readonly ServiceName[] = ['api', 'transformer', 'importer', 'importer', 'verifier', 'rollback'];

/** A database, an archive and queues of their own for one batch, with all services as processes. */
export interface HaltWorld {
  env: Record<string, string>;
  /** Between the services and the object store. */
  s3: LyingS3;
  sql: pg.Pool;
  /** Stops the services and drops the database. */
  stop(): Promise<void>;
}

async function createDatabase(servers: Servers, name: string): Promise<{ url: string; drop(): Promise<void> }> {
  const asAdmin = async (statement: string) => {
    const admin = new pg.Client({ connectionString: servers.env.DATABASE_URL });
    await admin.connect();
    await admin.query(statement);
    await admin.end();
  };
  await asAdmin(`create database ${name}`);
  const url = new URL(servers.env.DATABASE_URL ?? '');
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => asAdmin(`drop database ${name} with (force)`) };
}

/**
 * @param name of the database, the archive bucket and the queues
 * @param own settings of the services beside those
 */
export async function startHaltWorld(
  servers: Servers,
  name: string,
  own: Readonly<Record<string, string>>,
  report: (line: string) => void,
): Promise<HaltWorld> {
  const database = await createDatabase(servers, name);
  await migrate({ connectionString: database.url });
  await registerTokens(database.url, servers.secrets.tokens);
  await createBuckets(servers.env, [`archive-${name}`]);
  const s3 = await startLyingS3(servers.env.S3_ENDPOINT ?? '');
  const ports = await Promise.all(PROCESSES.map((service, index) => servers.ports.take(`${name}-${service}-${index}`)));
  const env: Record<string, string> = {
    ...servers.env,
    DATABASE_URL: database.url,
    S3_ENDPOINT: s3.endpoint,
    BACKFILL_ARCHIVE_BUCKET: `archive-${name}`,
    BACKFILL_QUEUE_PREFIX: name,
    BACKFILL_CONFIG_DIR: BENCH_CONFIG_DIR,
    BACKFILL_API_URL: `http://127.0.0.1:${ports[0]}`,
    ...Object.fromEntries(ROLES.map((role) => [tokenVariable(role), servers.secrets.tokens[role]])),
    ...own,
  };
  const services = PROCESSES.map((service, index): ManagedProcess => {
    const instance = { service, number: index, port: ports[index] ?? 0 };
    return createService(instance, servers.dir, serviceEnv(process.env, env), report);
  });
  await Promise.all(services.map((service) => service.start()));
  const sql = new pg.Pool({ connectionString: database.url, max: 4, application_name: 'test' });
  return {
    env,
    s3,
    sql,
    async stop() {
      await Promise.all(services.map((service) => service.stop()));
      await s3.close();
      await sql.end();
      await database.drop();
    },
  };
}
