import { readEnvironment } from '@backfill/core/config/environment';
import { runService } from '@backfill/core/run-service';
import { createRuntime } from '@backfill/core/runtime/runtime';
import { createImporterService } from './service.ts';

const runtime = createRuntime(readEnvironment('importer', process.env));
await runService(createImporterService(runtime), runtime.logger);
