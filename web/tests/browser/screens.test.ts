import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contextFor, type Gallery, type Look, launch, serveGallery, show } from '../gallery/browser';
import { screens } from '../gallery/screens';

let browser: Browser;
let gallery: Gallery;

beforeAll(async () => {
  gallery = await serveGallery();
  browser = await launch();
});

afterAll(async () => {
  await browser.close();
  await gallery.close();
});

const looks: Look[] = [
  { device: 'phone', theme: 'light', language: 'en' },
  { device: 'desktop', theme: 'dark', language: 'fr' },
];

async function violations(page: Page): Promise<string[]> {
  const report = await new AxeBuilder({ page }).options({ resultTypes: ['violations'] }).analyze();
  return report.violations.map(
    (violation) =>
      `${violation.id} ${violation.nodes
        .map((node) => node.target.join(' '))
        .slice(0, 3)
        .join(' | ')}`,
  );
}

/** Inside the shell only its panes scroll, never the window. */
async function overflow(page: Page): Promise<string[]> {
  const [wide, tall] = await page.evaluate(() => {
    const { scrollWidth, clientWidth, scrollHeight, clientHeight } = document.documentElement;
    return [scrollWidth - clientWidth, document.querySelector('.shell') ? scrollHeight - clientHeight : 0] as const;
  });
  return [
    ...(wide > 0 ? [`${wide} px wider than the window`] : []),
    ...(tall > 0 ? [`${tall} px taller than the window`] : []),
  ];
}

/** Links inside a sentence are exempt, as WCAG has it. */
function smallTargets(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('a, button, summary, input[type=radio]')]
      .filter((node) => node.offsetParent !== null && !node.closest('.bubble .text, .skip'))
      .map((node) => ({ box: node.getBoundingClientRect(), name: node.getAttribute('aria-label') ?? node.textContent }))
      .filter(({ box }) => box.width > 0 && (box.height < 43.5 || box.width < 43.5))
      .map(
        ({ box, name }) => `“${name?.trim().slice(0, 30)}” is only ${Math.round(box.width)}×${Math.round(box.height)}`,
      ),
  );
}

describe.each(looks)('On a $device, $theme, in $language', (look) => {
  let context: BrowserContext;
  let page: Page;
  let errors: string[] = [];

  beforeAll(async () => {
    context = await contextFor(browser, look);
    page = await context.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error') {
        errors.push(message.text());
      }
    });
    page.on('pageerror', (error) => errors.push(error.message));
  });

  afterAll(() => context.close());

  test.each(screens.filter((known) => known.sameAs === undefined))(
    '$name has no accessibility violation, no error, no overflow and no target too small to hit',
    async (screen) => {
      errors = [];
      await show(page, gallery.url, screen);
      expect([
        ...(await violations(page)),
        ...(await overflow(page)),
        ...(await smallTargets(page)),
        ...errors,
      ]).toEqual([]);
    },
  );
});

test('At twice the size, or on the narrowest phone, nothing is cut off', async () => {
  const context = await browser.newContext({ viewport: { width: 320, height: 500 }, isMobile: true, hasTouch: true });
  const page = await context.newPage();
  const found: string[] = [];
  for (const wanted of [
    'sign-up',
    'chats',
    'thread-group',
    'cards-top',
    'card-details',
    'details-group',
    'pay-who',
    'wallet-statement',
    'wallet-filter',
    'wallet-activity-table',
    'wallet-holds',
    'wallet-limits',
    'receipt',
    'receipts',
    'settings-devices',
    'settings-security',
    'security-behind',
    'security-pin-exhausted',
    'new-device-exhausted',
    'new-device-lied',
    'security-archive-off',
    'new-device',
    'pin-step',
    'details-safety',
    'thread-changed',
    'codes-mine',
    'codes-amount-asked',
    'codes-pay',
    'codes-scan',
  ]) {
    const screen = screens.find((known) => known.name === wanted);
    if (screen) {
      await show(page, gallery.url, screen);
      found.push(...(await overflow(page)).map((text) => `${wanted}: ${text}`));
    }
  }
  await context.close();
  expect(found).toEqual([]);
});
