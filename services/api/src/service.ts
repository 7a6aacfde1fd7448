import type { Service } from '@backfill/core/run-service';
import { requireResidency } from '@backfill/core/runtime/check-residency';
import { prepareDatabases } from '@backfill/core/runtime/prepare-databases';
import type { ApiServer } from './api-server.ts';
import { buildServer } from './build-server.ts';
import type { ApiContext } from './context.ts';

export interface ApiService extends Service {
  /** Where the API listens, such as `http://127.0.0.1:8080`; known once it has started. */
  url(): string;
}

/**
 * The API. On start it checks where data may be, brings the schema up to date, checks the whole configuration
 * directory, and only then listens; it dispatches work like every service. On stop it takes no new requests and ends
 * the open event streams.
 */
export function createApiService(context: ApiContext): ApiService {
  const { config, logger } = context;
  const stopping = new AbortController();
  let server: ApiServer | undefined;
  let address: string | undefined;
  return {
    async start() {
      await requireResidency(context);
      await prepareDatabases(context);
      await context.loadConfig();
      context.dispatcher.start();
      server = await buildServer(context, stopping.signal);
      address = await server.listen({ host: config.http.host, port: config.http.port });
      logger.info({ url: address }, 'listening');
    },
    async stop() {
      stopping.abort();
      await server?.close();
      await context.close();
    },
    url() {
      if (address === undefined) throw new Error('the API has not started');
      return address;
    },
  };
}
