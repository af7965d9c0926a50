import { defineConfig } from 'vitest/config';

// Tests over everything at once: the real server with its own PostgreSQL, and real browsers. Each file has a server of
// its own; they run one after another.
export default defineConfig({
  test: {
    include: ['tests/e2e/**/*.test.ts'],
    environment: 'node',
    fileParallelism: false,
    testTimeout: 300_000,
    // A busy machine takes its time: what is waited for is the state, not how soon it comes.
    expect: { poll: { timeout: 60_000, interval: 50 } },
    hookTimeout: 300_000,
  },
});
