import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ids, stateCards } from '../fixtures/cards';
import { contextFor, type Gallery, type Look, launch, serveGallery } from '../gallery/browser';
import { focusedName, tabTo } from '../keyboard';

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

async function open(hash: string, scene = 'rich', device: Look['device'] = 'desktop'): Promise<void> {
  context = await contextFor(browser, { device, theme: 'light', language: 'en' });
  page = await context.newPage();
  await page.goto(`${gallery.url}?scene=${scene}${hash}`);
  await page.waitForSelector('#app > *');
}

const pay = `#/c/${ids.amina}/pay`;
const dialog = () => page.getByRole('dialog');
const question = () => page.getByRole('alertdialog');
const pinField = () => page.getByTestId('pin-again').locator('input');
const focusedText = () => page.evaluate(() => document.activeElement?.textContent?.trim() ?? '');
const isFocused = (selector: string) =>
  page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector);

/** Up to the confirmation, by keyboard. */
async function compose(amount: string): Promise<void> {
  await expect.poll(() => focusedName(page)).toMatch(/^Amount/);
  await page.keyboard.type(amount);
  await page.keyboard.press('Enter');
  await page.getByTestId('fate').waitFor();
}

const cardNumber = (number: number) => stateCards.find(({ id }) => id.endsWith((1000 + number).toString(16)))?.id ?? '';
const requested = cardNumber(25);
const mismatched = cardNumber(22);
const unchecked = cardNumber(24);

describe('The question before money leaves', () => {
  test('It names who gets it, whether that is sure, and what happens next', async () => {
    await open(pay);
    await compose('12.34');
    await dialog().getByText('Money leaves your wallet').waitFor();
    expect(await page.getByTestId('payee').getAttribute('data-trust')).toBe('verified');
    expect(await page.getByTestId('payee').textContent()).toMatch(/Amina Diallo\s*@amina.*Verified/s);
    expect(await page.getByTestId('fate').textContent()).toMatch(/held until Amina Diallo accepts.*24 hours/s);
  });

  test('One that asks for money says that none moves', async () => {
    await open(pay);
    await expect.poll(() => focusedName(page)).toMatch(/^Amount/);
    await page.keyboard.type('250');
    await dialog().getByRole('radio', { name: 'Request' }).check();
    await dialog().getByRole('button', { name: 'Continue' }).click();
    await dialog().getByText('No money moves now').waitFor();
    // Whatever the amount, the PIN is not asked for: nothing is paid.
    await page.getByRole('button', { name: 'Request €250.00' }).click();
    await expect.poll(() => dialog().count()).toBe(0);
  });

  test('A request is a payment, read out as such, and left by Esc at the button that opened it', async () => {
    await open(`#/c/${ids.states}/card/${requested}`);
    const button = page.getByTestId('card-pane').getByTestId('card-pay');
    await button.focus();
    await page.keyboard.press('Enter');
    await question().waitFor();
    await expect.poll(focusedText).toBe('You are paying €240.00 to Tomás Ribeiro (@tomas).');
    expect(await page.getByTestId('payee').getAttribute('data-trust')).toBe('accepted');
    expect(await page.getByTestId('fate').textContent()).toContain('at once. It cannot be taken back.');
    // Enter on the sentence does nothing.
    await page.keyboard.press('Enter');
    expect(await question().count()).toBe(1);
    await page.keyboard.press('Escape');
    await expect.poll(() => question().count()).toBe(0);
    await expect.poll(() => isFocused('[data-testid=card-pay]')).toBe(true);
  });

  test('Where keys were not compared, it leads to them and goes', async () => {
    await open(`#/c/${ids.states}`, 'rich', 'phone');
    await page.locator(`[data-card="${requested}"]`).getByTestId('card-pay').click();
    await question().getByRole('link', { name: 'Compare' }).click();
    await page.getByTestId('details-pane').waitFor();
    expect(await question().count()).toBe(0);
  });
});

describe('The PIN before much money leaves', () => {
  test('By keyboard: wrong, then right, then it is sent', async () => {
    await open(pay);
    await compose('250');
    await tabTo(page, /^Continue with PIN/);
    await page.keyboard.press('Enter');
    await expect.poll(() => isFocused('[data-testid=pin-again] input')).toBe(true);
    await page.keyboard.type('111111');
    await page.keyboard.press('Enter');
    await dialog().getByRole('alert').getByText('This is not your PIN. 9 tries left on this device.').waitFor();
    expect(await isFocused('[data-testid=pin-again] input')).toBe(true);
    expect(await pinField().inputValue()).toBe('');
    await page.keyboard.type('480279');
    await page.keyboard.press('Enter');
    await expect.poll(() => dialog().count()).toBe(0);
    await expect.poll(() => page.getByTestId('card').last().getAttribute('aria-label')).toContain('€250.00');
  });

  test('Three wrong tries make it wait, and the way back leads to the confirmation', async () => {
    await open(pay);
    await compose('250');
    await page.getByTestId('pay-confirm').click();
    for (const left of [9, 8, 7]) {
      await pinField().fill('111111');
      await page.keyboard.press('Enter');
      await dialog().getByText(`${left} tries left`).waitFor();
    }
    await page.getByTestId('pin-waits').waitFor();
    await pinField().fill('480279');
    expect(await page.getByTestId('pin-go').isDisabled()).toBe(true);
    await page.keyboard.press('Enter');
    await dialog().getByRole('button', { name: 'Back' }).click();
    await expect.poll(focusedText).toMatch(/^You send €250.00/);
    expect(await dialog().count()).toBe(1);
  });

  test('A device that has not seen it lets the vault check it, and goes on with the same entry', async () => {
    await open(pay, 'pinUnseen');
    await compose('250');
    await page.getByTestId('pay-confirm').click();
    await dialog().getByText('7 guesses left').waitFor();
    await pinField().fill('111111');
    await page.keyboard.press('Enter');
    await dialog().getByRole('alert').getByText('6 guesses left').waitFor();
    await pinField().fill('480279');
    await page.keyboard.press('Enter');
    await expect.poll(() => dialog().count()).toBe(0);
  });

  test('After a PIN was set without the one before, nothing can be entered where nothing would be right', async () => {
    await open(pay, 'pinRests');
    await compose('250');
    await page.getByTestId('pay-confirm').click();
    await page.getByTestId('pin-rests').waitFor();
    expect(await pinField().count()).toBe(0);
  });

  test('It is asked for before a request is paid, in the same question', async () => {
    await open(`#/c/${ids.states}`, 'rich', 'phone');
    const card = page.locator(`[data-card="${requested}"]`);
    await card.getByTestId('card-pay').click();
    await question().getByTestId('pay-confirm').click();
    await pinField().fill('480279');
    await page.getByTestId('pin-go').click();
    await expect.poll(() => question().count()).toBe(0);
    await expect.poll(() => card.getAttribute('data-state')).toBe('paid');
  });
});

describe('A card that cannot be trusted', () => {
  test.each([
    ['in the thread', `#/c/${ids.states}`, `[data-card="${mismatched}"]`],
    ['in its details', `#/c/${ids.states}/card/${mismatched}`, '[data-testid=card-pane]'],
    ['by its short address', `#/card/${mismatched}`, '[data-testid=card-pane]'],
  ])('It has a warning and no button %s', async (_, hash, place) => {
    await open(hash);
    const shown = page.locator(place);
    await shown.getByText(/Do not act on this card|offers no actions on it/).waitFor();
    for (const action of ['pay', 'accept', 'decline', 'cancel']) {
      expect(await shown.getByTestId(`card-${action}`).count(), action).toBe(0);
    }
  });

  test.each([
    ['in the thread', `#/c/${ids.states}`, `[data-card="${unchecked}"]`],
    ['in its details', `#/c/${ids.states}/card/${unchecked}`, '[data-testid=card-pane]'],
  ])('One that was not checked on this device says so %s, and can be declined', async (_, hash, place) => {
    await open(hash);
    const shown = page.locator(place);
    await shown.getByTestId('card-unread').getByText('cannot be checked or paid here').waitFor();
    expect(await shown.getByTestId('card-pay').count()).toBe(0);
    expect(await shown.getByTestId('card-decline').count()).toBe(1);
  });
});

describe('The amount above which the PIN is asked for', () => {
  const section = () => page.getByTestId('pin-limit');

  test('It is raised with the PIN only, and lowered without', async () => {
    await open('#/settings/security');
    await section().getByText('Above €100.00').waitFor();
    await section().getByRole('button', { name: 'Change the amount in EUR' }).click();
    await expect.poll(() => isFocused('[data-testid=pin-limit] input')).toBe(true);
    await section().getByLabel('Amount in EUR').fill('500');
    await page.keyboard.press('Enter');
    await pinField().fill('111111');
    await page.keyboard.press('Enter');
    await section().getByText('This is not your PIN.').waitFor();
    await pinField().fill('480279');
    await page.keyboard.press('Enter');
    await section().getByText('Now: Above €500.00.').waitFor();
    await expect.poll(() => focusedName(page)).toBe('Change the amount in EUR');
    await page.keyboard.press('Enter');
    await section().getByLabel('Amount in EUR').fill('0');
    await page.keyboard.press('Enter');
    await section().getByText('Now: Before every payment.').waitFor();
  });

  test('It has a bound, and there is nothing to set without a PIN', async () => {
    await open('#/settings/security');
    await section().getByRole('button', { name: 'Change the amount in EUR' }).click();
    await section().getByLabel('Amount in EUR').fill('10000.01');
    await page.keyboard.press('Enter');
    await section().getByText('This is more than €10,000.00.').waitFor();
    await context.close();
    await open('#/settings/security', 'noPin');
    await section().getByText('Set a PIN first.').waitFor();
    expect(await section().getByRole('button').count()).toBe(0);
  });
});
