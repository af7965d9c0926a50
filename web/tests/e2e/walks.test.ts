import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch } from '../gallery/browser';
import { focusedName, focusIsVisible, tabTo } from '../keyboard';
import { RealServer } from '../server';
import { Person, soon } from './person';
import { asOneStory } from './story';

const hana = { handle: 'hana_s', displayName: 'Hana Sato', password: 'river stones in a jar' };
const ivan = { handle: 'ivan_p', displayName: 'Ivan Petrov', password: 'night train to the coast' };

let browser: Browser;
let server: RealServer;
let h: Person;
let i: Person;

asOneStory();

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), RealServer.start()]);
  i = await Person.signUp(browser, server, ivan, { device: 'phone' });
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

describe('Without a mouse', () => {
  test('One signs up, chats and pays', async () => {
    h = await Person.open(browser, server, hana);
    const { page } = h;
    await page.goto(`${server.url}/#/sign-up`);
    await page.getByRole('heading', { name: 'Create your account' }).waitFor();
    await tabTo(page, /^Handle/);
    expect(await focusIsVisible(page)).toBe(true);
    await page.keyboard.type(hana.handle);
    await tabTo(page, /^Name/);
    await page.keyboard.type(hana.displayName);
    await tabTo(page, /^Password/);
    await page.keyboard.type(hana.password);
    await page.keyboard.press('Enter');

    await page.getByRole('heading', { name: 'Choose a PIN' }).waitFor();
    await tabTo(page, /^Not now/);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Chats' }).waitFor();
    await page.keyboard.press('Control+k');
    await expect.poll(() => focusedName(page), soon).toMatch(/^Search chats/);
    await page.keyboard.type(ivan.handle);
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'New chat' });
    await dialog.waitFor();
    await tabTo(page, /^Handle/);
    await page.keyboard.press('Enter');
    await dialog.getByText(ivan.displayName).waitFor();
    await page.keyboard.press('Enter');

    await expect.poll(() => focusedName(page), soon).toBe('Message');
    await page.keyboard.type('Typed without a mouse');
    await page.keyboard.press('Enter');
    await h.reads('Typed without a mouse');

    await page.keyboard.press('Shift+Tab');
    await expect.poll(() => focusedName(page), soon).toBe('Send or request money');
    await page.keyboard.press('Enter');
    await expect.poll(() => focusedName(page), soon).toMatch(/^Amount/);
    await page.keyboard.type('8.50');
    await tabTo(page, /^What is it for/);
    await page.keyboard.type('Noodles');
    await tabTo(page, /^Continue/);
    await page.keyboard.press('Enter');
    await page.getByText(`You send €8.50 to ${ivan.displayName} (@${ivan.handle}).`).waitFor();
    await tabTo(page, /^Send €8\.50/);
    expect(await focusIsVisible(page)).toBe(true);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await h.seesCard('Noodles', 'held');
    await h.hasMoney('€991.50', '€8.50');
  });
});

describe('On a phone', () => {
  test('Back leads from details to thread to list, and out of the payment sheet', async () => {
    const { page } = i;
    await i.openChat(hana.displayName);
    await i.reads('Typed without a mouse');
    await expect.poll(() => page.getByRole('navigation', { name: 'Main' }).count(), soon).toBe(0);
    await page.getByTestId('thread-details').click();
    await page.getByTestId('details-pane').waitFor();
    await expect.poll(() => page.getByTestId('composer').count(), soon).toBe(0);
    await page.goBack();
    await page.getByTestId('composer').waitFor();

    await page.getByTestId('pay-button').click();
    await page.getByRole('dialog').waitFor();
    await page.goBack();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByTestId('composer').waitFor();

    await page.getByRole('button', { name: 'Back' }).click();
    await page.getByRole('heading', { name: 'Chats' }).waitFor();
    await page.getByRole('navigation', { name: 'Main' }).waitFor();
  });

  test('A deep link opens the card, and back leads to its conversation', async () => {
    const { page } = i;
    await i.openChat(hana.displayName);
    await page.getByTestId('card-details').click();
    const link = page.url();
    await page.goto('about:blank');
    await page.goto(link);
    await page.getByTestId('card-pane').waitFor();
    await page.getByRole('button', { name: 'Back' }).click();
    await page.getByTestId('composer').waitFor();
    await page.getByRole('button', { name: 'Back' }).click();
    await page.getByRole('heading', { name: 'Chats' }).waitFor();
  });

  test('One taps an amount on the pad, and the other accepts it', async () => {
    const { page } = i;
    await i.openChat(hana.displayName);
    await i.act('Noodles', 'accept');
    await h.seesCard('Noodles', 'accepted');
    await page.getByTestId('pay-button').click();
    const pad = page.getByRole('group', { name: 'Amount keys' });
    for (const key of ['3', 'Decimal separator', '2', '5']) {
      await pad.getByRole('button', { name: key }).click();
    }
    await expect.poll(() => page.getByTestId('amount').inputValue(), soon).toBe('3.25');
    await page.getByTestId('memo').fill('Tea');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByTestId('pay-confirm').click();
    await h.seesCard('Tea', 'held');
    await h.act('Tea', 'accept');
    await i.seesCard('Tea', 'accepted');
    await i.hasMoney('€1,005.25');
    await h.hasMoney('€994.75');
  });
});

describe('For assistive technology', () => {
  test('The main screens with real data have no violation, nor are they wider than the window', async () => {
    await h.pay('Request', '1.00', 'A card with actions');
    await i.seesCard('A card with actions', 'open');
    const found: string[] = [];
    for (const person of [h, i]) {
      const { page } = person;
      const thread = new URL(page.url()).hash;
      const card = await page.getByTestId('card').last().getAttribute('data-card');
      await look(page, thread, '[data-testid=card]', found);
      await look(page, `${thread}/card/${card}`, '[data-testid=card-pane]', found);
      await look(page, `${thread}/pay`, '[data-testid=amount]', found);
      await look(page, '#/new/group', 'dialog', found);
      await look(page, '#/wallet/EUR', '[data-testid=entry]', found);
      await look(page, '#/settings/devices', '[data-testid=device]', found);
    }
    expect(found).toEqual([]);
  });

  test('No page met an error that it did not expect', () => {
    expect([...h.troubles, ...i.troubles]).toEqual([]);
  });
});

async function look(page: Page, hash: string, there: string, found: string[]): Promise<void> {
  await page.evaluate((next) => {
    location.hash = next;
  }, hash);
  await page.locator(there).first().waitFor();
  const { violations } = await new AxeBuilder({ page }).analyze();
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  const screen = `${hash} at ${page.viewportSize()?.width} px`;
  found.push(...violations.map((one) => `${screen}: ${one.id} at ${one.nodes[0]?.target.join(' ')}`));
  if (over > 0) {
    found.push(`${screen}: ${over} px wider than the window`);
  }
}
