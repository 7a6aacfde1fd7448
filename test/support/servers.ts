import { migrate } from '@backfill/core/db/migrate';
import { startTemporaryServers } from '@backfill/infra/servers';
import pg from 'pg';
import type { TestProject } from 'vitest/node';

/** Name of the migrated database that every test's own is a copy of. */
export const TEMPLATE_DATABASE = 'backfill_template';

declare module 'vitest' {
  interface ProvidedContext {
    /** Addresses and secrets of the test servers, by the names of the contract. */
    servers: Record<string, string>;
  }
}

async function createTemplate(databaseUrl: string): Promise<void> {
  const admin = new pg.Client({ connectionString: databaseUrl });
  await admin.connect();
  await admin.query(`create database ${TEMPLATE_DATABASE}`);
  await admin.end();
  const url = new URL(databaseUrl);
  url.pathname = `/${TEMPLATE_DATABASE}`;
  await migrate({ connectionString: url.href });
}

/** What a run's servers have to offer. */
export interface TestServers {
  env: Record<string, string>;
  stop(): Promise<void>;
}

/** Hands the servers to the tests of a run, with the template of their databases. Returns how to end them. */
export async function provideServers(project: TestProject, servers: TestServers): Promise<() => Promise<void>> {
  try {
    await createTemplate(servers.env.DATABASE_URL ?? '');
  } catch (error) {
    await servers.stop();
    throw error;
  }
  project.provide('servers', servers.env);
  return () => servers.stop();
}

/** Vitest's global set-up: real servers for the whole run, gone without a trace afterwards. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  return provideServers(project, await startTemporaryServers());
}
