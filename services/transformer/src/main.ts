import { runMain } from '@backfill/core/run-service';
import { createKeyedRuntime } from '@backfill/core/runtime/keyed-runtime';
import { createTransformerService } from './service.ts';

await runMain('transformer', (config) => createTransformerService(createKeyedRuntime(config)));
