import { defineConfig } from 'vitest/config';

/** The pages in a real browser: `npm run test:ui`, apart from the other tests because they need one. */
export default defineConfig({
  test: {
    include: ['test/ui/**/*.test.ts'],
    globalSetup: ['test/support/servers.ts'],
    testTimeout: 60_000,
    hookTimeout: 180_000,
    maxWorkers: 1,
  },
});
