import { runMain } from '@backfill/core/run-service';
import { createApiContext } from './context.ts';
import { createApiService } from './service.ts';

await runMain('api', (config) => createApiService(createApiContext(config)));
