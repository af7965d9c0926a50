import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

// `npm run dev` serves the client with hot reload and passes API calls to a server started by scripts/run.
const server = process.env.CHATPAY_SERVER ?? 'http://127.0.0.1:5080';

export default defineConfig({
  plugins: [svelte()],
  build: { target: 'es2022', outDir: 'dist', sourcemap: false, assetsInlineLimit: 0 },
  worker: { format: 'es' },
  server: {
    host: '127.0.0.1',
    proxy: {
      '/v1': { target: server, changeOrigin: true },
      '/hub': { target: server, changeOrigin: true, ws: true },
    },
  },
});
