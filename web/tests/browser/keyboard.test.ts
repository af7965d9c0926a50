import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ids } from '../fixtures/cards';
import { contextFor, type Gallery, launch, serveGallery } from '../gallery/browser';
import { focusedName, focusIsVisible, tabTo } from '../keyboard';

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

beforeEach(async () => {
  context = await contextFor(browser, { device: 'desktop', theme: 'light', language: 'en' });
  page = await context.newPage();
});

afterEach(() => context.close());

async function open(scene: string, hash: string): Promise<void> {
  await page.goto(`${gallery.url}?scene=${scene}${hash}`);
  await page.waitForSelector('#app > *');
}

describe('Without a mouse', () => {
  test('One signs up, starts a chat, writes, and sends money', async () => {
    await open('signedOut', '#/sign-up');
    await tabTo(page, /^Handle/);
    expect(await focusIsVisible(page)).toBe(true);
    await page.keyboard.type('lea');
    await tabTo(page, /^Name/);
    await page.keyboard.type('Léa Fontaine');
    await tabTo(page, /^Password/);
    await page.keyboard.type('correct horse battery');
    await page.keyboard.press('Enter');

    await page.getByRole('heading', { name: 'Choose a PIN' }).waitFor();
    await tabTo(page, /^Not now/);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Chats' }).waitFor();
    await tabTo(page, /^New chat|^Start a chat/);
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'New chat' });
    await dialog.waitFor();
    await tabTo(page, /^Handle/);
    await page.keyboard.type('@Amina');
    await page.keyboard.press('Enter');
    await dialog.getByText('Amina Diallo').waitFor();
    await page.keyboard.press('Enter');

    const composer = page.getByRole('textbox', { name: 'Message' });
    await composer.waitFor();
    await expect.poll(() => focusedName(page)).toBe('Message');
    await page.keyboard.type('Hello');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('second line');
    await page.keyboard.press('Enter');
    const message = page.getByTestId('message').last();
    await expect.poll(() => message.textContent()).toContain('Hello\nsecond line');
    await expect.poll(() => message.getAttribute('data-state')).toBe('read');
    await expect.poll(() => composer.inputValue()).toBe('');

    await page.keyboard.press('Shift+Tab');
    await expect.poll(() => focusedName(page)).toBe('Send or request money');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Send to Amina Diallo' }).waitFor();
    await expect.poll(() => focusedName(page)).toMatch(/^Amount/);
    await page.keyboard.type('12.345');
    await expect.poll(() => page.getByTestId('amount').inputValue()).toBe('12.34');
    await tabTo(page, /^What is it for/);
    await page.keyboard.type('Pizza');
    await tabTo(page, /^Continue/);
    await page.keyboard.press('Enter');
    await page.getByText('You send €12.34 to Amina Diallo (@amina).').waitFor();
    await tabTo(page, /^Send €12\.34/);
    expect(await focusIsVisible(page)).toBe(true);
    await page.keyboard.press('Enter');

    const card = page.getByTestId('card').last();
    await card.waitFor();
    await expect.poll(() => card.getAttribute('data-state')).toBe('held');
    await expect.poll(() => card.getAttribute('aria-label')).toContain('€12.34');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
  });

  test('A payment whose outcome is unknown is read out before it is sent, and cannot be sent twice', async () => {
    await open('unanswered', `#/c/${ids.amina}/pay`);
    await expect.poll(() => focusedName(page)).toMatch(/^Amount/);
    await page.keyboard.type('12.34');
    await page.keyboard.press('Enter');
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.textContent?.trim()))
      .toMatch(/^You send €12.34/);
    await tabTo(page, /^Send €12\.34/);
    await page.keyboard.press('Enter');
    await page.getByTestId('pay-leave').waitFor();
    await expect.poll(() => page.getByTestId('pay-confirm').count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Back', exact: true }).count()).toBe(0);
    await tabTo(page, /^Back to the conversation/);
    await page.keyboard.press('Enter');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
  });

  test('One cancels a payment and stays at the card', async () => {
    await open('rich', `#/c/${ids.states}`);
    const cancel = page.getByTestId('card-cancel').first();
    await cancel.focus();
    await page.keyboard.press('Enter');
    const asking = page.getByRole('alertdialog', { name: 'Cancel this payment?' });
    await asking.waitFor();
    expect(await focusedName(page)).toBe('Not now');
    await page.keyboard.press('Escape');
    await expect.poll(() => asking.count()).toBe(0);
    await page.keyboard.press('Enter');
    await asking.waitFor();
    await tabTo(page, /^Cancel$/);
    await page.keyboard.press('Enter');
    await expect.poll(() => asking.count()).toBe(0);
    await expect.poll(() => focusedName(page)).toMatch(/^Show details/);
  });

  test('Arrow keys walk the list, Ctrl+K comes back to the search, Escape clears it', async () => {
    await open('rich', '#/wallet');
    await page.keyboard.press('Control+k');
    await expect.poll(() => focusedName(page)).toMatch(/^Search chats/);
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => focusedName(page)).toContain('Amina Diallo');
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => focusedName(page)).toContain('Sommerfest');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowUp');
    await expect.poll(() => focusedName(page)).toMatch(/^Search chats/);
    await page.keyboard.type('tomas');
    // By name first, then those that they are in.
    await expect
      .poll(() => page.locator('[data-testid=conversation-row] .title').allTextContents())
      .toEqual(['Tomás Ribeiro', 'Climbing on Thursdays', 'Friends and money']);
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByLabel('Search chats').inputValue()).toBe('');
    await page.keyboard.type('noor');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'نور الهدى', level: 1 }).waitFor();
  });

  test('A dialog keeps the focus inside and gives it back', async () => {
    await open('rich', `#/c/${ids.amina}`);
    await page.getByTestId('pay-button').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    for (let i = 0; i < 14; i++) {
      await page.keyboard.press('Tab');
      const inside = await page.evaluate(
        () =>
          document.activeElement === document.body ||
          document.querySelector('dialog')?.contains(document.activeElement),
      );
      expect(inside).toBe(true);
    }
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
    await expect.poll(() => focusedName(page)).toBe('Send or request money');
  });

  test('What a button opens in its place has the focus, and gives it back', async () => {
    await open('archiveLocked', '#/settings/security');
    for (const name of ['Change PIN', 'Renew identity key']) {
      await page.getByRole('button', { name }).focus();
      await page.keyboard.press('Enter');
      await expect.poll(() => focusedName(page)).toBe('PIN or passphrase');
      await tabTo(page, /^Cancel$/);
      await page.keyboard.press('Enter');
      await expect.poll(() => focusedName(page)).toBe(name);
    }
  });

  test('The first stop skips to the content', async () => {
    await open('rich', `#/c/${ids.amina}`);
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await page.getByRole('button', { name: 'Skip to content' }).focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => focusedName(page)).toBe('Message');
  });

  test('Escape closes the details', async () => {
    await open('rich', `#/c/${ids.amina}/details`);
    await page.getByTestId('details-pane').waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByTestId('details-pane').count()).toBe(0);
  });
});
