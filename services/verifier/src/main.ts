import { runMain } from '@backfill/core/run-service';
import { createKeyedRuntime } from '@backfill/core/runtime/keyed-runtime';
import { createVerifierService } from './service.ts';

await runMain('verifier', (config) => createVerifierService(createKeyedRuntime(config)));
