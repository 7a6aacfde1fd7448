import { readEnvironment } from '@backfill/core/config/environment';
import { runService } from '@backfill/core/run-service';
import { createRuntime } from '@backfill/core/runtime/runtime';
import { createRollbackService } from './service.ts';

const runtime = createRuntime(readEnvironment('rollback', process.env));
await runService(createRollbackService(runtime), runtime.logger);
