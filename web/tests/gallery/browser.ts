import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { delimiter, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { now } from '../fixtures/people';
import type { Screen } from './screens';

const web = fileURLToPath(new URL('../../', import.meta.url));
const dist = join(web, 'dist-gallery');

/** CHATPAY_CHROMIUM, else the first chromium on the PATH. */
export function findChromium(): string {
  const named = process.env.CHATPAY_CHROMIUM;
  if (named) {
    return named;
  }
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
      const path = join(folder, name);
      if (existsSync(path)) {
        return path;
      }
    }
  }
  throw new Error('No chromium found: install it (apt-get install chromium) or set CHATPAY_CHROMIUM.');
}

/** @param more such as those of a camera */
export function launch(more: string[] = []): Promise<Browser> {
  const common = ['--no-sandbox', '--headless=new', '--disable-dev-shm-usage', '--disable-gpu', '--hide-scrollbars'];
  return chromium.launch({ executablePath: findChromium(), args: [...common, ...more] });
}

function newest(folder: string): number {
  let at = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) {
      at = Math.max(at, statSync(join(entry.parentPath, entry.name)).mtimeMs);
    }
  }
  return at;
}

/** Builds the gallery unless what is there is newer than every source. */
export async function buildGallery(): Promise<void> {
  const built = join(dist, 'index.html');
  const sources = Math.max(
    newest(join(web, 'src')),
    newest(join(web, 'tests/fixtures')),
    newest(join(web, 'tests/gallery')),
  );
  if (!existsSync(built) || statSync(built).mtimeMs < sources) {
    await build({ configFile: join(web, 'vite.gallery.config.ts'), logLevel: 'warn' });
  }
}

const types: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

export type Gallery = { url: string; close: () => Promise<void> };

/** Serves the gallery under the policy of the real server, so that a screen that needs inline code fails here. */
export async function serveGallery(): Promise<Gallery> {
  await buildGallery();
  const server: Server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://gallery').pathname);
    const file = join(dist, path === '/' ? 'index.html' : path);
    if (!file.startsWith(dist) || !existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      'content-type': types[extname(file)] ?? 'application/octet-stream',
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; worker-src 'self'",
      'permissions-policy': 'camera=(self)',
    });
    response.end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new Error('The gallery has no port.');
  }
  return {
    url: `http://127.0.0.1:${address.port}/`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

export type Look = { device: 'phone' | 'desktop'; theme: 'light' | 'dark'; language: 'en' | 'fr' };

export function contextFor(browser: Browser, look: Look): Promise<BrowserContext> {
  const phone = look.device === 'phone';
  return browser.newContext({
    viewport: phone ? { width: 390, height: 844 } : { width: 1280, height: 800 },
    isMobile: phone,
    hasTouch: phone,
    colorScheme: look.theme,
    locale: look.language === 'fr' ? 'fr-FR' : 'en-GB',
    timezoneId: 'Europe/Paris',
    reducedMotion: 'reduce',
  });
}

/** Opens a screen and brings it into the state that its entry describes. */
export async function show(page: Page, url: string, screen: Screen): Promise<void> {
  await page.clock.setFixedTime(now);
  await page.goto(`${url}?scene=${screen.scene}&n=${screen.name}${screen.hash}`);
  await page.waitForSelector('#app > *');
  for (const [selector, text] of screen.type ?? []) {
    await page.locator(selector).fill(text);
  }
  for (const selector of screen.press ?? []) {
    await page.locator(selector).first().click();
    await page.waitForTimeout(120);
  }
  for (const [selector, text] of screen.typeThen ?? []) {
    await page.locator(selector).fill(text);
  }
  for (const selector of screen.pressThen ?? []) {
    await page.locator(selector).first().click();
    await page.waitForTimeout(200);
  }
  if (screen.scrollTop) {
    await page.locator('.scroller').evaluate((node) => {
      node.scrollTop = 0;
    });
  }
  if (screen.scrollTo) {
    await page.locator(screen.scrollTo).evaluate((node) => node.scrollIntoView());
  }
  await page.waitForTimeout(
    screen.scene === 'loading' || screen.scene === 'offline' || screen.scene === 'starting' ? 900 : 80,
  );
}
