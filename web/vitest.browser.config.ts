import { defineConfig } from 'vitest/config';

// Tests that drive a real browser. Files run one after another: each has a browser of its own.
export default defineConfig({
  test: {
    include: ['tests/browser/**/*.test.ts'],
    environment: 'node',
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
