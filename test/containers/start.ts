// npm start for the acceptance tests: the services as processes, their servers in containers.
import { runStart } from '@backfill/infra/run-start';
import { startContainerServers } from './stack-servers.ts';

await runStart(startContainerServers);
