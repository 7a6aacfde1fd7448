import { defineConfig } from 'vitest/config';

/** Metrics and alerts by a real Prometheus: `npm run test:prometheus`, apart because the other tests do not need one. */
export default defineConfig({
  test: {
    include: ['test/prometheus/**/*.test.ts'],
    globalSetup: ['test/support/servers.ts'],
    testTimeout: 120_000,
    hookTimeout: 180_000,
    maxWorkers: 1,
  },
});
