// Docker with its compose plugin. It is not installed by us: who may start containers is the machine's owner's to say.
import { ask, SetupError } from './shell.mjs';

/** Throws SetupError where no engine answers, or the plugin is missing. */
export function requireDocker() {
  if (ask('docker', ['info', '--format', '{{.ID}}']) === undefined) {
    throw new SetupError(
      'The tests in containers need Docker, and no engine answers. Start one, and try `docker info`.',
    );
  }
  if (ask('docker', ['compose', 'version']) === undefined) {
    throw new SetupError('The tests in containers need `docker compose` (version 2), which this Docker has not.');
  }
}
