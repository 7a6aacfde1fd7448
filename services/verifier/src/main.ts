import { readEnvironment } from '@backfill/core/config/environment';
import { runService } from '@backfill/core/run-service';
import { createRuntime } from '@backfill/core/runtime/runtime';
import { createVerifierService } from './service.ts';

const runtime = createRuntime(readEnvironment('verifier', process.env));
await runService(createVerifierService(runtime), runtime.logger);
