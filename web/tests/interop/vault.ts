import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, request as passOn, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { fromBase64 } from '../../src/protocol/bytes';
import { findChromium } from '../gallery/browser';
import { serve } from './protocol';
import type { Recovery } from './vault-page/main';

type Request =
  | { op: 'open'; server: string; token: string; account: string; pin: string }
  | { op: 'recover' }
  | { op: 'versions' };

const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript' };

/**
 * The browser half of `loadtest vault`: the web client's own vault, built as the client is, in a headless Chromium. Times are
 * taken in the page. What it asks the realms goes through this process to the server, because a page reaches its own origin only.
 */
export async function main(): Promise<void> {
  const dist = mkdtempSync(join(tmpdir(), 'chatpay-vault-page-'));
  let browser: Browser | null = null;
  let pages: Server | null = null;
  let page: Page | null = null;
  let recovery: { token: string; account: string; pin: string } | null = null;

  const open = async (address: string): Promise<void> => {
    const executablePath = findChromium();
    await build({
      root: fileURLToPath(new URL('./vault-page/', import.meta.url)),
      configFile: false,
      logLevel: 'error',
      build: { target: 'es2022', outDir: dist, emptyOutDir: true },
    });
    pages = createServer((request, response) =>
      request.url?.startsWith('/v1/') ? forward(new URL(address), request, response) : give(dist, request, response),
    );
    const listening = pages;
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    const bound = listening.address();
    browser = await chromium.launch({
      executablePath,
      args: ['--no-sandbox', '--headless=new', '--disable-dev-shm-usage', '--disable-gpu'],
    });
    page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${typeof bound === 'object' && bound ? bound.port : 0}/`);
    await page.waitForFunction(() => 'recover' in window);
  };

  await serve<Request>(async (request) => {
    switch (request.op) {
      case 'open':
        recovery = request;
        return open(request.server);
      case 'recover': {
        const done = await (page as unknown as Page).evaluate(
          (asked) => (window as unknown as { recover: Recovery }).recover(asked),
          recovery as { token: string; account: string; pin: string },
        );
        return { rootSecret: fromBase64(done.rootSecret), times: done.times };
      }
      case 'versions':
        return { chromium: browser?.version() ?? null, node: process.versions.node };
    }
  });
  await (browser as Browser | null)?.close();
  (pages as Server | null)?.close();
  (pages as Server | null)?.closeAllConnections();
  rmSync(dist, { recursive: true, force: true });
}

function give(dist: string, request: IncomingMessage, response: ServerResponse): void {
  const path = normalize(new URL(request.url ?? '/', 'http://page').pathname);
  const file = join(dist, path === '/' ? 'index.html' : path);
  if (!file.startsWith(dist) || !existsSync(file)) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream' });
  response.end(readFileSync(file));
}

/** Without the page's origin: the server takes no requests of pages that it does not know. */
function forward(server: URL, request: IncomingMessage, response: ServerResponse): void {
  const options = {
    host: server.hostname,
    port: server.port,
    path: request.url,
    method: request.method,
    headers: { authorization: request.headers.authorization, 'content-type': 'application/json' },
  };
  const asked = passOn(options, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  asked.on('error', () => response.writeHead(502).end());
  request.pipe(asked);
}
