import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ids } from '../fixtures/cards';
import { contextFor, type Gallery, type Look, launch, serveGallery } from '../gallery/browser';

let browser: Browser;
let gallery: Gallery;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  gallery = await serveGallery();
  browser = await launch();
});

afterAll(async () => {
  await browser.close();
  await gallery.close();
});

afterEach(() => context.close());

async function open(hash: string, device: Look['device'] = 'desktop', scene = 'rich'): Promise<void> {
  context = await contextFor(browser, { device, theme: 'light', language: 'en' });
  page = await context.newPage();
  await page.goto(`${gallery.url}?scene=${scene}${hash}`);
  await page.waitForSelector('#app > *');
}

const scroller = () => page.locator('.scroller');
const items = () => page.getByTestId('thread-item');
const fromBottom = () =>
  scroller().evaluate((node) => Math.round(node.scrollHeight - node.scrollTop - node.clientHeight));

/** Where a given item stands on the screen. */
const topOf = (key: string) =>
  page.locator(`[data-key="${key}"]`).evaluate((node) => Math.round(node.getBoundingClientRect().top));

describe('A thread', () => {
  test('Of three thousand messages only a window is in the document, through scrolling up and jumping back', async () => {
    await open(`#/c/${ids.huge}`);
    await expect.poll(() => items().count()).toBeGreaterThan(50);
    expect(await items().count()).toBeLessThanOrEqual(400);
    await expect.poll(fromBottom).toBeLessThan(48);
    for (let i = 0; i < 25; i++) {
      await scroller().evaluate((node) => {
        node.scrollTop = 200;
      });
      await page.waitForTimeout(30);
    }
    expect(await items().count()).toBeLessThanOrEqual(400);
    expect(await items().first().textContent()).not.toContain('Message number 3000');
    await page.getByTestId('jump-to-newest').click();
    await expect.poll(fromBottom).toBeLessThan(48);
    await expect.poll(() => items().last().textContent()).toContain('Message number 3000');
  });

  test('Loading earlier messages moves nothing that is in view', async () => {
    await open(`#/c/${ids.amina}`, 'desktop', 'rich&hold');
    await items().first().waitFor();
    const before = await items().count();
    await scroller().evaluate((node) => {
      node.scrollTop = 300;
    });
    const key = (await items().nth(4).getAttribute('data-key')) ?? '';
    await expect.poll(() => scroller().evaluate((node) => node.scrollTop)).toBe(300);
    const top = await topOf(key);
    await page.evaluate(() => (window as unknown as { fixture: { release(): void } }).fixture.release());
    await expect.poll(() => items().count()).toBe(before + 60);
    await expect.poll(async () => Math.abs((await topOf(key)) - top)).toBeLessThanOrEqual(2);
  });

  test('It opens at the first unread message and announces a new one', async () => {
    await open(`#/c/${ids.amina}`);
    const separator = page.getByTestId('unread-separator');
    await separator.waitFor();
    expect(await separator.isVisible()).toBe(true);
    await page.evaluate(
      (id) =>
        (window as unknown as { fixture: { receive(id: string, text: string): void } }).fixture.receive(
          id,
          'A new one',
        ),
      ids.amina,
    );
    await expect.poll(() => page.getByTestId('announcer').textContent()).toContain('Amina Diallo: A new one');
    await expect.poll(fromBottom).toBeLessThan(48);
  });

  test('A new message below does not move what one reads, and is counted', async () => {
    await open(`#/c/${ids.huge}`);
    await items().first().waitFor();
    await scroller().evaluate((node) => {
      node.scrollTop -= 1500;
    });
    const button = page.getByTestId('jump-to-newest');
    await button.waitFor();
    const key = await page.evaluate(() => {
      const area = document.querySelector('.scroller')?.getBoundingClientRect().top ?? 0;
      return (
        [...document.querySelectorAll<HTMLElement>('[data-key]')].find(
          (node) => node.getBoundingClientRect().top > area,
        )?.dataset.key ?? ''
      );
    });
    const top = await topOf(key);
    await page.evaluate(
      (id) =>
        (window as unknown as { fixture: { receive(id: string, text: string): void } }).fixture.receive(id, 'Below'),
      ids.huge,
    );
    await expect.poll(() => button.textContent()).toContain('1 new message');
    expect(Math.abs((await topOf(key)) - top)).toBeLessThanOrEqual(2);
  });

  test('A card changes in place and keeps its height', async () => {
    await open(`#/c/${ids.states}`);
    const accept = page.getByTestId('card-accept').first();
    await accept.scrollIntoViewIfNeeded();
    const card = page.getByTestId('card').first();
    const height = await card.evaluate((node) => node.getBoundingClientRect().height);
    const key = (await items().nth(1).getAttribute('data-key')) ?? '';
    const top = await topOf(key);
    await accept.click();
    await expect.poll(() => card.getAttribute('data-state')).toBe('accepted');
    expect(await card.evaluate((node) => node.getBoundingClientRect().height)).toBe(height);
    expect(await topOf(key)).toBe(top);
    await expect.poll(() => card.getByRole('button').count()).toBe(0);
  });

  test('What was not sent can be sent again or deleted', async () => {
    await open(`#/c/${ids.group}`);
    const failed = page.getByRole('group', { name: 'Not sent' });
    await failed.getByRole('button', { name: 'Try again' }).click();
    await expect.poll(() => failed.count()).toBe(0);
  });

  test('A draft is still there after looking elsewhere', async () => {
    await open(`#/c/${ids.empty}`);
    await page.getByRole('textbox', { name: 'Message' }).fill('Half a thought');
    await page.goto(`${page.url().split('#')[0]}#/wallet`);
    await page.goBack();
    await expect.poll(() => page.getByRole('textbox', { name: 'Message' }).inputValue()).toBe('Half a thought');
  });

  test('On a phone, back leads from card to thread to list, one pane at a time', async () => {
    await open('#/', 'phone');
    await page.getByTestId('conversation-row').first().click();
    await page.getByTestId('card-details').last().click();
    await page.getByTestId('card-pane').waitFor();
    await expect.poll(() => page.getByTestId('composer').count()).toBe(0);
    await page.getByRole('button', { name: 'Back' }).click();
    await page.getByTestId('composer').waitFor();
    await expect.poll(() => page.getByTestId('conversation-row').count()).toBe(0);
    await page.goBack();
    await page.getByTestId('conversation-row').first().waitFor();
    await page.goForward();
    await page.getByTestId('composer').waitFor();
  });

  test('Back from a deep link leads to the screen around it', async () => {
    await open(`#/c/${ids.amina}/details`, 'phone');
    await page.getByRole('button', { name: 'Back' }).click();
    await page.getByTestId('composer').waitFor();
    await page.getByRole('button', { name: 'Back' }).click();
    await page.getByTestId('conversation-row').first().waitFor();
  });

  test('Nine hundred conversations open with the first of them', async () => {
    await open('#/', 'desktop', 'many');
    await page.getByTestId('conversation-row').first().waitFor();
    expect(await page.getByTestId('conversation-row').count()).toBeLessThan(400);
    await page.getByLabel('Search chats').fill('Conversation 888');
    await expect.poll(() => page.getByTestId('conversation-row').count()).toBe(1);
  });

  test('The language changes at once, everywhere, and is remembered', async () => {
    await open('#/settings/display');
    await page.getByRole('radio', { name: 'Français' }).check();
    await page.getByRole('heading', { name: 'Langue et apparence' }).waitFor();
    await expect.poll(() => page.evaluate(() => document.documentElement.lang)).toBe('fr');
    await page.reload();
    await page.getByRole('heading', { name: 'Réglages' }).waitFor();
    await page.getByRole('radio', { name: 'Sombre' }).check();
    await expect.poll(() => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)).toBe('dark');
  });
});
