import { runMain } from '@backfill/core/run-service';
import { createRuntime } from '@backfill/core/runtime/runtime';
import { createImporterService } from './service.ts';

await runMain('importer', (config) => createImporterService(createRuntime(config)));
