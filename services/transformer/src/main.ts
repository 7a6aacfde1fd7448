import { readEnvironment } from '@backfill/core/config/environment';
import { runService } from '@backfill/core/run-service';
import { createContext } from './context.ts';
import { createTransformerService } from './service.ts';

const context = createContext(readEnvironment('transformer', process.env));
await runService(createTransformerService(context), context.logger);
