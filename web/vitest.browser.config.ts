import { defineConfig } from 'vitest/config';

// Tests that drive a real browser. Files run one after another: each has a browser of its own.
export default defineConfig({
  test: {
    include: ['tests/browser/**/*.test.ts'],
    environment: 'node',
    fileParallelism: false,
    testTimeout: 300_000,
    // A busy machine takes its time: what is waited for is the state, not how soon it comes.
    expect: { poll: { timeout: 60_000, interval: 50 } },
    hookTimeout: 300_000,
  },
});
