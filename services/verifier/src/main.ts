import { runMain } from '@backfill/core/run-service';
import { createRuntime } from '@backfill/core/runtime/runtime';
import { createVerifierService } from './service.ts';

await runMain('verifier', (config) => createVerifierService(createRuntime(config)));
