import { defineConfig } from 'vitest/config';
import { SlowFirst } from './test/support/slow-first.ts';

export default defineConfig({
  test: {
    include: [
      '{packages,services}/*/src/**/*.test.ts',
      'infra/src/**/*.test.ts',
      'test/{integration,acceptance,histories,chaos,halts}/**/*.test.ts',
    ],
    // Starts PostgreSQL, Redis and an S3 server once; each test gets a database, buckets and a queue prefix of its own.
    globalSetup: ['test/support/servers.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Whole pipelines run in each file: more at once than cores would only make them wait for each other.
    maxWorkers: 2,
    sequence: { sequencer: SlowFirst },
  },
});
