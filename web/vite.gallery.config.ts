import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

// The fixture client, for screenshots and browser tests. Built apart from the product, into a folder git ignores.
export default defineConfig({
  root: fileURLToPath(new URL('./tests/gallery', import.meta.url)),
  publicDir: fileURLToPath(new URL('./public', import.meta.url)),
  plugins: [svelte({ configFile: fileURLToPath(new URL('./svelte.config.js', import.meta.url)) })],
  build: {
    target: 'es2022',
    outDir: fileURLToPath(new URL('./dist-gallery', import.meta.url)),
    emptyOutDir: true,
    assetsInlineLimit: 0,
  },
});
