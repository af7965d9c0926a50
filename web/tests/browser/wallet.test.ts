import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { amina, now } from '../fixtures/people';
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

async function open(hash: string, look: Partial<Look> = {}, scene = 'rich'): Promise<void> {
  context = await contextFor(browser, { device: 'desktop', theme: 'light', language: 'en', ...look });
  page = await context.newPage();
  await page.clock.setFixedTime(now);
  await page.goto(`${gallery.url}?scene=${scene}${hash}`);
  await page.waitForSelector('#app > *');
}

const entries = () => page.getByTestId('entry');
const kinds = () => entries().evaluateAll((all) => all.map((one) => one.getAttribute('data-kind')));
const query = () => new URL(page.url()).hash.split('?')[1] ?? '';

describe('The statement', () => {
  test('By keyboard alone it is searched, narrowed and widened again', async () => {
    await open('#/wallet/EUR');
    await expect.poll(() => entries().count()).toBe(9);
    await tabTo(page, /^Search: Name or amount$/);
    await page.keyboard.type('tomas');
    await expect.poll(kinds).toEqual(['hold', 'release']);
    await page.keyboard.press('Escape');
    await expect.poll(() => entries().count()).toBe(9);
    await tabTo(page, /^Filter$/);
    await page.keyboard.press('Enter');
    await tabTo(page, /^All$/);
    await page.keyboard.press('ArrowRight');
    await expect.poll(query).toBe('side=in');
    await expect.poll(() => entries().count()).toBe(3);
    // The choice stays under the hand that made it.
    expect(await focusedName(page)).toBe('In');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await expect.poll(query).toBe('side=held');
    await expect.poll(kinds).toEqual(['hold', 'release', 'expire']);
    await tabTo(page, /^Remove filter: On hold$/);
    await page.keyboard.press('Enter');
    await expect.poll(() => entries().count()).toBe(9);
  });

  test('Filters are its address: they survive a reload, and back leaves it in one step', async () => {
    await open('#/wallet', { device: 'phone' });
    await page.getByTestId('balance').first().click();
    await page.getByTestId('filter-toggle').click();
    await page.getByTestId('filter-person').selectOption(amina.id);
    await page.getByTestId('filter-panel').getByRole('radio', { name: 'Out' }).check();
    await expect.poll(() => entries().count()).toBe(1);
    expect(query()).toBe(`with=${amina.id}&side=out`);
    await page.reload();
    await expect.poll(() => entries().count()).toBe(1);
    expect(await page.getByTestId('chip-with').textContent()).toContain('With Amina Diallo');
    await page.getByRole('button', { name: 'Back', exact: true }).click();
    await expect.poll(() => page.getByTestId('balance').count()).toBe(3);
  });

  test('Money that was set aside is said to be one’s own still', async () => {
    await open('#/wallet/EUR', { device: 'phone' });
    await entries().first().getByText('On hold for Tomás Ribeiro').waitFor();
    await entries().first().getByText('Still yours, set aside').waitFor();
    await entries().nth(3).getByText('Available again').waitFor();
    // Nothing has moved, so there is no receipt.
    expect(await entries().first().getByTestId('entry-receipt').count()).toBe(0);
    await entries().nth(1).getByTestId('entry-receipt').click();
    await page.getByTestId('receipt').waitFor();
  });

  test('A search says how far it has looked, and goes further', async () => {
    await open('#/wallet/EUR');
    await page.getByTestId('statement-search').fill('nobody');
    await page.getByText('Nothing so far. There are older entries.').waitFor();
    await page.getByText('Searched in the latest 9 entries.').waitFor();
    await page.getByTestId('load-more').click();
    await page.getByText('Nothing found').waitFor();
  });

  test('Days one names are within, the last one too; the wrong way round says so', async () => {
    await open('#/wallet/EUR');
    await page.getByTestId('filter-toggle').click();
    await page.getByTestId('filter-period').selectOption('own');
    await page.getByTestId('filter-from').fill('2026-04-02');
    await page.getByTestId('filter-to').fill('2026-04-30');
    await expect.poll(kinds).toEqual(['funding']);
    await page.getByTestId('chip-period').getByText('2 April 2026 – 30 April 2026').waitFor();
    await page.getByTestId('filter-to').fill('2026-03-01');
    await page.getByRole('alert').getByText('The end is before the beginning.').waitFor();
  });

  test('The file that is saved is of the days that are looked at', async () => {
    const from = new Date('2026-04-02T00:00:00+02:00').getTime();
    const to = new Date('2026-05-01T00:00:00+02:00').getTime();
    await open(`#/wallet/EUR?from=${from}&to=${to}`, { device: 'phone' });
    await page.getByTestId('save-statement').click();
    await page.getByRole('dialog').getByText('2 April 2026 – 30 April 2026').waitFor();
    await page.getByTestId('export-format').selectOption('ofx');
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId('export-save').click()]);
    expect(download.suggestedFilename()).toBe('statement-EUR.ofx');
    expect(
      await page.evaluate(() => (window as unknown as { fixture: { exported: unknown } }).fixture.exported),
    ).toEqual([['EUR', 'ofx', from, to]]);
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
  });
});

describe('Activity', () => {
  test('A person leads to what was with them', async () => {
    await open('#/wallet/EUR/activity', { device: 'phone' });
    const row = page.getByTestId('activity-person').filter({ hasText: amina.displayName });
    await row.getByText('€450.00 received').waitFor();
    await row.click();
    await expect.poll(query).toBe(`with=${amina.id}`);
    await expect.poll(() => entries().count()).toBe(1);
  });

  test('The picture has the same in a table, whose months lead to their entries', async () => {
    await open('#/wallet/EUR/activity');
    const chart = page.getByTestId('month-chart');
    expect(await chart.getByRole('img').getAttribute('aria-label')).toContain('€3,640.00');
    expect(await chart.locator('rect').count()).toBe(24);
    await tabTo(page, /^As a table$/);
    await page.keyboard.press('Enter');
    const rows = chart.getByRole('row');
    await expect.poll(() => rows.count()).toBe(13);
    expect(await rows.nth(1).getByRole('cell').allTextContents()).toEqual(['€412.00', '€164.80']);
    await rows.nth(1).getByRole('rowheader', { name: 'May 2026' }).waitFor();
    await rows.nth(2).getByRole('link').click();
    await expect.poll(query).toBe(`from=${Date.UTC(2026, 3)}&to=${Date.UTC(2026, 4)}`);
    await expect.poll(kinds).toEqual(['funding']);
  });
});

describe('Holds and limits', () => {
  test('From the wallet one gets to everything that waits, and from there to the payment', async () => {
    await open('#/wallet', { device: 'phone' });
    await page.getByTestId('way-holds').click();
    const holds = page.getByTestId('hold');
    await expect.poll(() => holds.count()).toBe(4);
    await holds.first().getByText('unless it is accepted').waitFor();
    await holds.nth(1).getByText('Arrives by itself').waitFor();
    await holds.nth(2).getByText('Gift packet for everybody').waitFor();
    await holds.first().click();
    await page.getByTestId('card-pane').waitFor();
  });

  test('A list that cannot be loaded is tried again', async () => {
    await open('#/wallet/on-hold', {}, 'failing');
    await page.getByTestId('holds').getByRole('button', { name: 'Try again' }).waitFor();
    await page.evaluate(() => {
      (window as unknown as { fixture: { scene: string } }).fixture.scene = 'rich';
    });
    await page.getByTestId('holds').getByRole('button', { name: 'Try again' }).click();
    await expect.poll(() => page.getByTestId('hold').count()).toBe(4);
  });

  test('Limits say what is left, also when nothing is', async () => {
    await open('#/wallet/limits', {}, 'many');
    await page.getByTestId('open-cards').getByText('200 of 200').waitFor();
    await page.getByText('You cannot post another one').waitFor();
  });
});
