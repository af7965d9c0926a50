import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// Tests of the engine against the real server, whose process they start. The server must have been built.
export default defineConfig({
  plugins: [svelte()],
  test: {
    include: ['tests/**/*.integration.test.ts'],
    environment: 'node',
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // One server at a time: each has a PostgreSQL of its own.
    fileParallelism: false,
  },
});
