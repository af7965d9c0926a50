// Runs a TypeScript module of this folder under Node: `node start.mjs driver` or `node start.mjs bench`.
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const root = fileURLToPath(new URL('.', import.meta.url));
const { module } = await runnerImport(`${root}${process.argv[2]}.ts`, { root, configFile: false, logLevel: 'error' });
await module.main();
