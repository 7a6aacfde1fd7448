import { readEnvironment } from '@backfill/core/config/environment';
import { runService } from '@backfill/core/run-service';
import { createApiContext } from './context.ts';
import { createApiService } from './service.ts';

const context = createApiContext(readEnvironment('api', process.env));
await runService(createApiService(context), context.logger);
