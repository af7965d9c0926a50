import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cameraArguments, filmOf } from '../camera';
import { launch } from '../gallery/browser';
import { RealServer } from '../server';
import { Person, soon } from './person';
import { asOneStory } from './story';

const kiosk = { handle: 'kiosk', displayName: 'Kiosk am See', password: 'warm pretzels all day' };
const mira = { handle: 'mira_s', displayName: 'Mira Stein', password: 'nine herons by the lake' };
const otto = { handle: 'otto_b', displayName: 'Otto Berg', password: 'a kettle of fog today' };
const folder = mkdtempSync(join(tmpdir(), 'chatpay-pay-film-'));

let browser: Browser;
let filming: Browser;
let server: RealServer;
let shop: Person;
let m: Person;
let o: Person;

asOneStory();

beforeAll(async () => {
  const film = filmOf(folder, 'film', '');
  [browser, filming, server] = await Promise.all([launch(), launch(cameraArguments(film)), RealServer.start()]);
  shop = await Person.signUp(browser, server, kiosk);
  // Mira has the camera.
  m = await Person.signUp(filming, server, mira, { device: 'phone' });
  o = await Person.signUp(browser, server, otto);
});

afterAll(async () => {
  await Promise.all([browser?.close(), filming?.close()]);
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const shownBy = async (person: Person) => (await person.page.getByTestId('qr').getAttribute('data-text')) ?? '';

/** Makes a code with an amount, and says what it shows. */
async function amountCode(person: Person, amount: string, note: string): Promise<string> {
  await person.go('#/codes/receive');
  await person.page.locator('input[value=amount]').check();
  await person.page.getByTestId('amount').fill(amount);
  await person.page.getByLabel('Note').fill(note);
  await person.page.getByTestId('code-make').click();
  await person.page.locator('[data-testid=shown-code][data-state=open]').waitFor();
  return shownBy(person);
}

async function paste(person: Person, text: string): Promise<void> {
  await person.go('#/chats-of-nobody');
  await person.go('#/codes/scan');
  await person.page.getByLabel('Code as text').fill(text);
  await person.page.getByTestId('scan-go').click();
}

const refuses = (person: Person, sentence: string) =>
  person.page.getByTestId('codes-page').getByRole('alert').getByText(sentence).waitFor();

async function pays(person: Person, sentence: string): Promise<void> {
  await person.page.getByTestId('code-card').getByTestId('card-pay').click();
  const question = person.page.getByRole('alertdialog');
  await question.getByText(sentence).waitFor();
  await question
    .getByTestId('payee')
    .getByText(/Not verified/)
    .waitFor();
  await question.getByTestId('pay-confirm').click();
  await question.waitFor({ state: 'detached' });
  await person.page.locator('[data-testid=code-card][data-state=paid]').waitFor();
}

describe('A code with an amount', () => {
  test('Is scanned with the camera and paid, between two who had never spoken', async () => {
    const text = await amountCode(shop, '4.50', 'Flat white');
    expect(text).toMatch(/^chatpay:pay:2:[A-Za-z0-9_-]{107}$/);
    filmOf(folder, 'film', text);
    await m.go('#/codes/scan');
    await m.page.getByTestId('code-card').getByText('Flat white').waitFor();
    await shop.page.getByTestId('code-taken').getByText(mira.displayName).waitFor();
    await pays(m, `You are paying €4.50 to ${kiosk.displayName} (@${kiosk.handle}).`);
    await shop.page.locator('[data-testid=code-card][data-state=paid]').waitFor();
    await shop.hasMoney('€1,004.50');
    await m.hasMoney('€995.50');
    filmOf(folder, 'film', '');
  });

  test('Serves the first who scans it, and no other', async () => {
    const text = await amountCode(shop, '2', 'Pretzel');
    await paste(o, text);
    await o.page.getByTestId('code-card').getByText('Pretzel').waitFor();
    await paste(m, text);
    await refuses(m, 'Somebody else has scanned this code already.');
    await paste(shop, text);
    await refuses(shop, 'This is your own code.');
    await paste(o, text);
    await pays(o, `You are paying €2.00 to ${kiosk.displayName} (@${kiosk.handle}).`);
    await o.hasMoney('€998.00');
  });

  test('Put out of use is good for nothing, as one whose time is over', async () => {
    const text = await amountCode(shop, '9', 'Umbrella');
    await shop.page.getByTestId('code-remove').click();
    await shop.page.getByTestId('code-make').waitFor();
    await paste(m, text);
    await refuses(m, 'This code is not good, or not any more.');
  });

  test('Waits for its owner’s device, which asks once when it is back', async () => {
    const text = await amountCode(shop, '3.30', 'Postcard');
    await shop.page.goto('about:blank');
    await paste(m, text);
    await m.page.getByTestId('code-waits').getByText(`Waiting for the request of ${kiosk.displayName}`).waitFor();
    await shop.page.goto(`${server.url}/#/`);
    await m.page.getByTestId('code-card').getByText('Postcard').waitFor();
    await pays(m, `You are paying €3.30 to ${kiosk.displayName} (@${kiosk.handle}).`);
    await m.openChats();
    await m.openChat(kiosk.displayName);
    await expect.poll(() => m.card('Postcard').count(), soon).toBe(1);
  });
});

describe('A payer’s code', () => {
  test('Lets one ask, once, and its owner says yes', async () => {
    await o.go('#/codes/pay');
    const text = await shownBy(o);
    await o.page.getByTestId('code-left').waitFor();
    await paste(shop, text);
    await shop.page.getByRole('heading', { name: `Request from ${otto.displayName}` }).waitFor();
    await o.page.getByTestId('code-waits').getByText(`${kiosk.displayName} has scanned your code`).waitFor();
    await paste(m, text);
    await refuses(m, 'Somebody else has scanned this code already.');
    const sheet = shop.page.getByRole('dialog');
    await sheet.getByTestId('amount').fill('12');
    await sheet.getByTestId('memo').fill('Lunch');
    await sheet.getByRole('button', { name: 'Continue' }).click();
    await shop.page.getByTestId('pay-confirm').click();
    await sheet.waitFor({ state: 'detached' });
    await o.page.getByTestId('code-card').getByText('Lunch').waitFor();
    await pays(o, `You are paying €12.00 to ${kiosk.displayName} (@${kiosk.handle}).`);
    await shop.seesCard('Lunch', 'paid');
    await o.hasMoney('€986.00');
  });

  test('Is over after its minute, by the server’s clock and on the screen', async () => {
    await o.go('#/codes/receive');
    await o.go('#/codes/pay');
    await o.page.locator('[data-testid=shown-code][data-state=open]').waitFor();
    const text = await shownBy(o);
    await o.page.locator('[data-testid=shown-code][data-state=over]').waitFor({ timeout: 120_000 });
    await paste(shop, text);
    await refuses(shop, 'This code is not good, or not any more.');
    await o.page.getByTestId('code-new').click();
    await o.page.locator('[data-testid=shown-code][data-state=open]').waitFor();
    expect(await shownBy(o)).not.toBe(text);
  });
});

describe('A person’s code', () => {
  test('Stays the same, and leads to the sheet for paying them', async () => {
    await o.go('#/codes/receive');
    const text = await shownBy(o);
    expect(text).toMatch(/^chatpay:payme:1:[A-Za-z0-9_-]{64}$/);
    filmOf(folder, 'film', text);
    await m.go('#/chats-of-nobody');
    await m.go('#/codes/scan');
    const sheet = m.page.getByRole('dialog');
    await sheet.getByRole('heading', { name: `Send to ${otto.displayName}` }).waitFor();
    await sheet.getByTestId('amount').fill('20');
    await sheet.getByTestId('memo').fill('Boat');
    await sheet.getByRole('button', { name: 'Continue' }).click();
    await sheet.getByText(`You send €20.00 to ${otto.displayName} (@${otto.handle}).`).waitFor();
    await m.page.getByTestId('pay-confirm').click();
    await sheet.waitFor({ state: 'detached' });
    await m.seesCard('Boat', 'held');
    // He sees it under his code, where he still stands.
    await o.page.getByTestId('code-received').getByText('€20.00').waitFor();
    expect(await shownBy(o)).toBe(text);
  });

  test('With another key in it is not paid', async () => {
    const text = await shownBy(o);
    const forged = `${text.slice(0, -6)}AAAAAA`;
    await paste(shop, forged);
    await refuses(shop, 'This code names other keys than this device knows of this person');
  });

  test('The books are in order', async () => {
    const { exitCode, output } = await server.command('ledger', 'verify');
    expect(output).toContain('The ledger is clean.');
    expect(exitCode, output).toBe(0);
    expect([shop, m, o].flatMap((person) => person.troubles)).toEqual([]);
  });
});
