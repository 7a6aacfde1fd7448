import { runMain } from '@backfill/core/run-service';
import { createContext } from './context.ts';
import { createTransformerService } from './service.ts';

await runMain('transformer', (config) => createTransformerService(createContext(config)));
