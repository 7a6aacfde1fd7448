import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { provideServers } from '../support/servers.ts';
import { startContainerServers } from './stack-servers.ts';

/** Vitest's global set-up as in test/support/servers.ts, with servers in containers. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stateDir = await mkdtemp(path.join(tmpdir(), 'backfill-containers-'));
  const { env, stop } = await startContainerServers({ stateDir });
  return provideServers(project, {
    env,
    async stop() {
      await stop();
      await rm(stateDir, { recursive: true });
    },
  });
}
