import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { cameraArguments, filmOf } from '../camera';
import { payCodesShown, safetyCodeShown } from '../fixtures/codes';
import { now } from '../fixtures/people';
import { contextFor, type Gallery, type Look, launch, serveGallery } from '../gallery/browser';
import { focusedName, tabTo } from '../keyboard';

const folder = mkdtempSync(join(tmpdir(), 'chatpay-codes-'));

let gallery: Gallery;
let browser: Browser | null = null;

beforeAll(async () => {
  gallery = await serveGallery();
});

afterEach(async () => {
  await browser?.close();
  browser = null;
});

afterAll(async () => {
  await gallery.close();
  rmSync(folder, { recursive: true, force: true });
});

/** @param film what the camera sees; absent for no camera */
async function open(hash: string, scene = 'rich', device: Look['device'] = 'phone', film?: string): Promise<Page> {
  browser = await launch(film === undefined ? [] : cameraArguments(filmOf(folder, `film-${film.length}`, film)));
  const context = await contextFor(browser, { device, theme: 'light', language: 'en' });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  await page.clock.install({ time: now });
  await page.goto(`${gallery.url}?scene=${scene}${hash}`);
  return page;
}

type Fixture = {
  payCodes: { code: string; kind: string; amountMinor: bigint | null; memo: string; expiresAt: number }[];
  cards: { id: string; state: string }[];
  take: () => void;
  request: (minor: bigint, memo?: string) => void;
  receiveMoney: (minor: bigint) => void;
  connection: string;
};

const take = (page: Page) => page.evaluate(() => (window as unknown as { fixture: Fixture }).fixture.take());

/** @param minor in cents */
const request = (page: Page, minor: number, memo: string) =>
  page.evaluate(([cents, words]) => (window as unknown as { fixture: Fixture }).fixture.request(BigInt(cents), words), [
    minor,
    memo,
  ] as const);

const codes = (page: Page) =>
  page.evaluate(() =>
    (window as unknown as { fixture: Fixture }).fixture.payCodes.map(({ kind, amountMinor, memo, expiresAt }) => ({
      kind,
      amount: amountMinor?.toString() ?? null,
      memo,
      seconds: Math.round((expiresAt - Date.now()) / 1000),
    })),
  );

const isClean = async (page: Page) => {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
};

const paste = async (page: Page, text: string) => {
  await page.getByLabel('Code as text').fill(text);
  await page.keyboard.press('Enter');
};

describe('To be paid', () => {
  test('By keyboard, from the wallet to a code with an amount that somebody scans and pays', async () => {
    const page = await open('#/wallet', 'rich', 'desktop');
    await tabTo(page, /^Be paid$/);
    await page.keyboard.press('Enter');
    await page.getByTestId('qr').waitFor();
    expect(await page.getByTestId('qr').getAttribute('data-text')).toMatch(/^chatpay:payme:1:/);
    await tabTo(page, /^My code$/);
    await page.keyboard.press('ArrowRight');
    await page.getByTestId('amount').waitFor();
    await tabTo(page, /^Amount/);
    await page.keyboard.type('4.50');
    await tabTo(page, /^Note$/);
    await page.keyboard.type('Flat white');
    await page.keyboard.press('Enter');
    await page.locator('[data-testid=shown-code][data-state=open]').waitFor();
    await page
      .getByTestId('code-left')
      .getByText(/Good for 1[45]:\d\d more/)
      .waitFor();
    expect(await codes(page)).toEqual([{ kind: 'payMe', amount: '450', memo: 'Flat white', seconds: 900 }]);
    expect(await page.getByTestId('qr').getAttribute('data-text')).toMatch(/^chatpay:pay:2:/);
    await take(page);
    await page.getByTestId('code-waits').getByText('Asking Sam Okafor…').waitFor();
    await request(page, 450, '');
    await page.getByTestId('code-card').getByText('Flat white').waitFor();
    await page.evaluate(() => {
      const { fixture } = window as unknown as { fixture: Fixture };
      const card = fixture.cards.at(-1);
      if (card) {
        card.state = 'paid';
      }
    });
    await page.locator('[data-testid=code-card][data-state=paid]').waitFor();
    await isClean(page);
  });

  test('A code stays open while another one is made, and can be put out of use', async () => {
    const page = await open('#/codes/receive', 'codesOpen');
    await page.locator('input[value=amount]').check();
    await expect.poll(() => page.getByTestId('open-code').count()).toBe(3);
    await page.getByRole('button', { name: 'Show the code for €1,234.56' }).click();
    await page.getByTestId('code-left').getByText('Good for 15 hours more').waitFor();
    await page.getByTestId('code-new').click();
    await page.getByRole('button', { name: 'Show the code for €4.50' }).click();
    await page.getByTestId('code-remove').click();
    await expect.poll(() => page.getByTestId('open-code').count()).toBe(2);
  });

  test('What comes in by the code that stays stands under it', async () => {
    const page = await open('#/codes/receive');
    await page.getByTestId('qr').waitFor();
    await page.evaluate(() => (window as unknown as { fixture: Fixture }).fixture.receiveMoney(2000n));
    await page.getByTestId('code-received').getByText('€20.00').waitFor();
    await isClean(page);
  });

  test('A request that cannot go out says why, and is asked again by a press', async () => {
    const page = await open('#/codes/receive', 'codesFailed');
    await page.locator('input[value=amount]').check();
    await page.getByTestId('amount').fill('7');
    await page.getByTestId('code-make').click();
    await page.getByText('The request to Sam Okafor has not gone out.').waitFor();
    await page.getByRole('alert').getByText('No money moved.').waitFor();
    await page.getByTestId('code-again').click();
    await page.getByTestId('code-card').waitFor();
  });
});

describe('To pay by one’s own code', () => {
  test('It runs out in a minute, and none is made again but by a press', async () => {
    const page = await open('#/codes/pay');
    await page
      .getByTestId('code-left')
      .getByText(/Good for (1:00|0:5\d) more/)
      .waitFor();
    await page.clock.fastForward(30_000);
    await page
      .getByTestId('code-left')
      .getByText(/Good for 0:(30|2\d) more/)
      .waitFor();
    await page.clock.fastForward(31_000);
    await page.locator('[data-testid=shown-code][data-state=over]').waitFor();
    await page.getByTestId('announcer').getByText('This code is over.').waitFor({ state: 'attached' });
    expect(await page.getByTestId('qr').count()).toBe(0);
    await page.clock.fastForward(120_000);
    expect(await codes(page)).toHaveLength(1);
    await tabTo(page, /^Show a new code/);
    await page.keyboard.press('Enter');
    await page.locator('[data-testid=shown-code][data-state=open]').waitFor();
    expect(await codes(page)).toHaveLength(2);
  });

  test('Who took it is told, and what they ask is paid like anything, after a question', async () => {
    const page = await open('#/codes/pay');
    await page.getByTestId('qr').waitFor();
    await take(page);
    await page.getByTestId('code-taken').getByText('Sam Okafor').waitFor();
    await page.getByTestId('code-waits').getByText('enters the amount').waitFor();
    expect(await page.getByTestId('qr').count()).toBe(0);
    await request(page, 1250, 'Lunch');
    const card = page.getByTestId('code-card');
    await card.getByText('Lunch').waitFor();
    // Nothing opens by itself under a finger.
    expect(await page.getByRole('alertdialog').count()).toBe(0);
    await isClean(page);
    await card.getByTestId('card-pay').click();
    const question = page.getByRole('alertdialog');
    await question.getByText('You are paying €12.50 to Sam Okafor (@sam_okafor).').waitFor();
    await question.getByTestId('payee').getByText('Not verified.').waitFor();
    await question.getByTestId('pay-confirm').click();
    await question.waitFor({ state: 'detached' });
    await page.locator('[data-testid=code-card][data-state=paid]').waitFor();
  });

  test('Offline none is made, and it says so', async () => {
    const page = await open('#/codes/pay', 'offline');
    await page.getByText('A code can be made and used once the connection is back.').waitFor();
    expect(await page.getByTestId('code-new').isDisabled()).toBe(true);
    expect(await codes(page)).toEqual([]);
  });
});

describe('To scan a code', () => {
  const scan = (film: string, scene = 'rich') => open('#/codes/scan', scene, 'phone', film);

  test('A person’s leads to the sheet for paying them, and back to their conversation', async () => {
    const page = await scan(payCodesShown.person);
    const sheet = page.getByRole('dialog');
    await sheet.getByRole('heading', { name: 'Send to Amina Diallo' }).waitFor();
    expect(await sheet.getByRole('radio', { name: 'Send', exact: true }).isChecked()).toBe(true);
    await sheet.getByTestId('amount').fill('3');
    await sheet.getByRole('button', { name: 'Continue' }).click();
    await page.getByTestId('pay-confirm').click();
    await sheet.waitFor({ state: 'detached' });
    await page.getByRole('heading', { name: 'Amina Diallo', level: 1 }).waitFor();
  });

  test('A payer’s leads to the sheet for asking them', async () => {
    const page = await scan(payCodesShown.payer);
    const sheet = page.getByRole('dialog');
    await sheet.getByRole('heading', { name: 'Request from Bashir Karimi' }).waitFor();
    expect(await sheet.getByRole('radio', { name: 'Request', exact: true }).isChecked()).toBe(true);
  });

  test('One with an amount waits for the request of its owner, which is paid after a question', async () => {
    const page = await scan(payCodesShown.amount);
    await page.getByTestId('code-waits').getByText('Waiting for the request of 陈伟…').waitFor();
    await expect.poll(() => focusedName(page)).toBe('陈伟 wants to be paid');
    await request(page, 450, 'Dumplings');
    await page.getByTestId('code-card').getByTestId('card-pay').click();
    const question = page.getByRole('alertdialog');
    await question.getByText('You are paying €4.50 to 陈伟 (@chenwei).').waitFor();
    await question.getByTestId('pay-confirm').click();
    await page.locator('[data-testid=code-card][data-state=paid]').waitFor();
    await page.getByTestId('scan-another').click();
    await page.getByTestId('scanner').waitFor();
  });

  test('A safety number is not one, says so, and the camera goes on', async () => {
    const page = await scan(safetyCodeShown);
    await page.getByRole('status').getByText('This is a safety number, not a code for paying.').waitFor();
    await page.locator('[data-testid=scanner][data-phase=looking]').waitFor();
  });

  test('Somebody whose keys have changed is not paid by a code either', async () => {
    const page = await scan(payCodesShown.person, 'changed');
    await page.getByRole('dialog').getByTestId('pay-blocked').waitFor();
    expect(await page.getByTestId('amount').count()).toBe(0);
  });

  test('By keyboard as text, each that is not good says what to do', async () => {
    const page = await open('#/codes/scan', 'rich', 'desktop');
    await tabTo(page, /^Code as text/);
    for (const [text, says] of [
      ['https://example.org/menu', 'This is no code for paying.'],
      ['chatpay:pay:2:short', 'This is no code for paying, or a part of it is missing.'],
      [payCodesShown.used, 'Somebody else has scanned this code already.'],
      [`chatpay:pay:2:${'oLd0'.repeat(26)}A09`, 'This code is not good, or not any more. Ask for a new one.'],
      [payCodesShown.otherKey, 'This code names other keys'],
      [`chatpay:approve:1:${'q'.repeat(128)}`, 'This is the code of a new device'],
    ] as const) {
      await paste(page, text);
      await page.getByRole('alert').getByText(says).waitFor();
    }
    await isClean(page);
    await paste(page, ` ${payCodesShown.payer} `);
    await page.getByRole('dialog').getByRole('heading', { name: 'Request from Bashir Karimi' }).waitFor();
  });

  test('Offline it says so, and the code may be entered again', async () => {
    const page = await open('#/codes/scan', 'offline');
    await paste(page, payCodesShown.amount);
    await page.getByRole('alert').getByText('You are offline.').waitFor();
  });
});

test('Codes are found from the chats, from a new chat and from the sheet for paying', async () => {
  const page = await open('#/');
  await page.getByTestId('scan-code').click();
  await page.getByTestId('scanner').waitFor();
  await page.goBack();
  await page.getByTestId('new-chat').click();
  await page.getByRole('dialog').getByRole('link', { name: 'Scan a code' }).click();
  await page.getByTestId('scanner').waitFor();
  await page.getByTestId('codes-pay').click();
  await page.getByTestId('qr').waitFor();
  await page.getByRole('button', { name: 'Back' }).click();
  await page.getByRole('dialog').waitFor();
});
