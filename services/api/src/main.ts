import { readEnvironment } from '@backfill/core/config/environment';
import { createLogger } from '@backfill/core/observability/logger';
import { runService } from '@backfill/core/run-service';
import { createApiContext } from './context.ts';
import { createApiService } from './service.ts';

const config = readEnvironment('api', process.env);
const logger = createLogger(config.service, config.logLevel);
await runService(createApiService(createApiContext(config, { logger })), logger);
