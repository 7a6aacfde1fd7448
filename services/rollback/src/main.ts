import { runMain } from '@backfill/core/run-service';
import { createRuntime } from '@backfill/core/runtime/runtime';
import { createRollbackService } from './service.ts';

await runMain('rollback', (config) => createRollbackService(createRuntime(config)));
