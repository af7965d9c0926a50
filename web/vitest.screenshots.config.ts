import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['tests/gallery/screenshots.test.ts', 'tests/e2e/picture.ts'], environment: 'node' },
});
