import { readFile } from 'node:fs/promises';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ids, iPaid } from '../fixtures/cards';
import { kindCards } from '../fixtures/kinds';
import { receiptIds } from '../fixtures/receipts';
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
  await page.goto(`${gallery.url}?scene=${scene}${hash}`);
  await page.waitForSelector('#app > *');
}

const receipt = () => page.getByTestId('receipt');
const verdict = () => receipt().getAttribute('data-verdict');
const split = kindCards.find((card) => card.kind === 'split')?.id;

describe('A receipt', () => {
  test('By keyboard alone: from the settled card to the saved file', async () => {
    await open(`#/c/${ids.amina}/card/${iPaid.id}`);
    await page.getByTestId('card-pane').waitFor();
    await tabTo(page, /^Receipt$/);
    await page.keyboard.press('Enter');
    await expect.poll(verdict).toBe('sealed');
    await receipt().getByText('Léa Fontaine paid Amina Diallo').waitFor();
    await tabTo(page, /^Save as file$/);
    const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
    expect(download.suggestedFilename()).toMatch(/^chatpay-receipt-2026-05-20-[0-9a-f]{8}\.json$/);
    expect(JSON.parse(await readFile(await download.path(), 'utf8'))).toMatchObject({ transfer: receiptIds.sealed });
    expect(await focusedName(page)).toMatch(/^Save as file/);
    await expect.poll(() => page.getByTestId('announcer').textContent()).toContain('Saved as');
  });

  test('One that is not sealed yet says so, and is asked for again until it is', async () => {
    await open(`#/receipt/${receiptIds.waiting}`, { device: 'phone' });
    await receipt().getByText('Signed, not sealed yet').waitFor();
    await page.evaluate(() => Object.assign((window as unknown as { fixture: object }).fixture, { isLogThere: true }));
    await expect.poll(verdict).toBe('sealed');
    await receipt().getByTestId('receipt-place').getByText('No. 48,213 of 48,230').waitFor();
    await expect.poll(() => page.getByTestId('announcer').textContent()).toContain('sealed now');
  });

  test('One that does not hold warns, says which part, and is not offered for printing', async () => {
    await open(`#/receipt/${receiptIds.broken}`, { device: 'phone' });
    await page.getByTestId('receipt-verdict').getByText('Do not trust this receipt').waitFor();
    const broken = page.getByTestId('receipt-step').and(page.locator('[data-state=broken]'));
    expect(await broken.count()).toBe(1);
    await broken.getByText('No device of the payer’s signed for it.').waitFor();
    expect(await page.getByTestId('print-receipt').count()).toBe(0);
    expect(await page.getByTestId('qr').count()).toBe(0);
    expect(await receipt().getByText('What it proves').count()).toBe(0);
  });

  test('Of one that the ledger did not sign nothing is shown but that', async () => {
    await open(`#/receipt/${receiptIds.forged}`);
    await receipt().getByText('The ledger did not sign it').waitFor();
    expect(await page.getByTestId('receipt-amount').count()).toBe(0);
    expect(await page.getByText('€').count()).toBe(await page.getByTestId('balance').getByText('€').count());
    await page.getByTestId('save-receipt').waitFor();
  });

  test('What could not be checked here is not said to hold', async () => {
    await open(`#/receipt/${receiptIds.bare}`);
    await page.getByTestId('receipt-verdict').getByText('what could be checked here holds').waitFor();
    expect(await receipt().getByText('all of it holds').count()).toBe(0);
  });

  test('A card with several lists them, each with a page of its own', async () => {
    await open(`#/card/${split}/receipts`, { device: 'phone' });
    const rows = page.getByTestId('receipt-row');
    await expect.poll(() => rows.count()).toBe(3);
    await rows.nth(1).click();
    await expect.poll(() => page.getByTestId('receipt-amount').textContent()).toBe('€1,234,567.89');
    await page.getByRole('button', { name: 'Back', exact: true }).click();
    await expect.poll(() => rows.count()).toBe(3);
  });

  test('The code holds an address that opens it, and the page is compared with the ledger', async () => {
    await open(`#/receipt/${receiptIds.sealed}`);
    const code = (await page.getByTestId('qr').getAttribute('data-text')) ?? '';
    expect(code.length).toBeLessThan(220);
    const { hash } = new URL(code);
    await page.goto(`${gallery.url}?scene=rich&n=again${hash}`);
    await page.getByTestId('page-matches').waitFor();
    await page.goto(`${gallery.url}?scene=rich&n=other#/receipt/${receiptIds.sealed}?sha256=${'A'.repeat(43)}`);
    await page.getByTestId('page-differs').waitFor();
  });

  test.each(['light', 'dark'] as const)(
    'On paper, from the %s look, it is one light page with nothing around it',
    async (theme) => {
      for (const [device, format] of [
        ['desktop', 'A4'],
        ['phone', 'Letter'],
      ] as const) {
        await open(`#/receipt/${receiptIds.sealed}`, { theme, device });
        await receipt().waitFor();
        await page.getByTestId('qr').locator('path').waitFor();
        await page.emulateMedia({ media: 'print', colorScheme: theme });
        expect(await page.getByRole('navigation').filter({ visible: true }).count()).toBe(0);
        expect(await page.getByTestId('save-receipt').isVisible()).toBe(false);
        expect(
          await page.getByRole('heading', { name: 'Receipt', exact: true }).filter({ visible: true }).count(),
        ).toBe(0);
        expect(await receipt().evaluate((node) => getComputedStyle(node).color)).toBe('rgb(23, 26, 39)');
        const pdf = (await page.pdf({ format })).toString('latin1');
        expect(pdf.match(/\/Type\s*\/Page\b/g)).toHaveLength(1);
        await context.close();
      }
    },
  );

  test('Where it cannot be read now, it can be asked for again; where it is not mine, it says so', async () => {
    await open(`#/receipt/${receiptIds.sealed}`, {}, 'failing');
    await page.getByRole('main').getByRole('alert').getByRole('button', { name: 'Try again' }).waitFor();
    await context.close();
    await open(`#/receipt/${receiptIds.sealed}`, { language: 'fr', device: 'phone' });
    await receipt().getByText('Signé et scellé').waitFor();
  });
});
