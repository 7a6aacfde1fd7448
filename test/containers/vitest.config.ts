import { configDefaults, defineConfig } from 'vitest/config';
import { SlowFirst } from '../support/slow-first.ts';

/**
 * The integration and acceptance tests against PostgreSQL, Valkey and an S3 server from the images of infra/compose.yaml,
 * and the compose file itself: `npm run test:containers`, apart because the other tests need no Docker.
 */
export default defineConfig({
  test: {
    include: ['test/{integration,acceptance,containers}/**/*.test.ts'],
    exclude: [
      ...configDefaults.exclude,
      // About the embedded servers themselves.
      'test/integration/embedded-s3.test.ts',
      'test/acceptance/{demo,stack}.test.ts',
    ],
    globalSetup: ['test/containers/setup.ts'],
    // What starts a stack of its own has its servers in containers too.
    env: { TEST_SERVERS: 'containers' },
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    sequence: { sequencer: SlowFirst },
  },
});
