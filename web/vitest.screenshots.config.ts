import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { include: ['tests/gallery/screenshots.test.ts'], environment: 'node' } });
