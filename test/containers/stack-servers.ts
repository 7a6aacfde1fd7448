import { PortBook } from '@backfill/infra/ports';
import { loadSecrets } from '@backfill/infra/secrets';
import type { ServerOptions } from '@backfill/infra/servers';
import type { StackServers } from '@backfill/infra/stack';
import { prepareStateDir } from '@backfill/infra/state-dir';
import { takeLock } from '@backfill/infra/state-lock';
import { startContainers } from './containers.ts';

/** The servers of a stack in containers. The state directory has its secrets and logs; what the servers hold ends with them. */
export async function startContainerServers(options: ServerOptions): Promise<StackServers> {
  if (options.separateCheckpoint) throw new Error('a stack on containers has one database');
  const dir = prepareStateDir(options.stateDir, undefined);
  const unlock = takeLock(dir.lockFile, dir.root);
  try {
    const secrets = loadSecrets(dir);
    const containers = await startContainers();
    const stop = async () => {
      await containers.stop();
      unlock();
    };
    return {
      dir,
      secrets,
      ports: new PortBook(dir.portsFile),
      env: { ...containers.env, ANALYTICS_SALT_FILE: dir.saltFile, AUDIT_KEY_FILE: dir.auditKeyFile },
      stop,
      // Testcontainers' own reaper removes them when this process is gone.
      kill: () => undefined,
    };
  } catch (error) {
    unlock();
    throw error;
  }
}
