import { mkdtempSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ReceiptView } from '../../src/protocol/wire';
import { launch } from '../gallery/browser';
import { RealServer } from '../server';
import { chatpayVerify } from '../verifyTool';
import { Person, soon } from './person';
import { asOneStory } from './story';

const rosa = { handle: 'rosa', displayName: 'Rosa Lindqvist', password: 'seven paper lanterns glow' };
const emil = { handle: 'emil', displayName: 'Emil Haas', password: 'quiet copper river bend' };
const ines = { handle: 'ines', displayName: 'Inês Duarte', password: 'tall window over tiles' };

let server: RealServer;
let browser: Browser;
let folder: string;
let r: Person;
let e: Person;
let i: Person;
/** The file that a browser saved. */
let saved: string;
let receipt: ReceiptView;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'chatpay-receipt-'));
  [server, browser] = await Promise.all([RealServer.start(), launch()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

const verdict = (person: Person) => person.page.getByTestId('receipt').getAttribute('data-verdict');
const steps = (person: Person) =>
  person.page
    .getByTestId('receipt-step')
    .evaluateAll((all) => all.map((step) => `${step.getAttribute('data-part')} ${step.getAttribute('data-state')}`));
const everythingHolds = ['ledger', 'terms', 'payer', 'device', 'card', 'log'].map((part) => `${part} holds`);

/** Writes a copy of the saved receipt with something changed, and has the tool look at it. */
async function verifyChanged(change: Partial<ReceiptView>): Promise<{ exitCode: number | null; output: string }> {
  const path = join(folder, 'changed.json');
  await writeFile(path, JSON.stringify({ ...receipt, ...change }));
  return chatpayVerify('receipt', path, '--key', receipt.verifierKey);
}

describe('Receipts and the wallet', () => {
  asOneStory();

  test('Three people sign up', async () => {
    r = await Person.signUp(browser, server, rosa);
    e = await Person.signUp(browser, server, emil, { device: 'phone' });
    i = await Person.signUp(browser, server, ines);
  });

  test('Rosa pays Inês', async () => {
    await r.startDirect(ines);
    await r.pay('Send', '3', 'A stamp');
    await i.openChat(rosa.displayName);
    await i.act('A stamp', 'accept');
  });

  test('She pays Emil, who pays her, and something is left waiting', async () => {
    await r.startDirect(emil);
    await r.pay('Send', '12.34', 'Two tickets');
    await e.openChat(rosa.displayName);
    await e.act('Two tickets', 'accept');
    await r.seesCard('Two tickets', 'accepted');
    await e.pay('Send', '5', 'Half of the tea');
    await r.act('Half of the tea', 'accept');
    await e.seesCard('Half of the tea', 'accepted');
    await r.pay('Send', '1.50', 'Still waiting');
    await e.seesCard('Still waiting', 'held');
  });

  test('A receipt is reached from the card on both sides, and both check every part of it', async () => {
    for (const person of [r, e]) {
      await person.card('Two tickets').getByTestId('card-details').click();
      await person.page.getByTestId('card-receipt').click();
      // Until the log has it, the page says so and asks again by itself.
      await expect.poll(() => verdict(person), soon).toBe('sealed');
      expect(await steps(person)).toEqual(everythingHolds);
      const paper = person.page.getByTestId('receipt');
      await paper.getByText(`${rosa.displayName} paid ${emil.displayName}`).waitFor();
      await paper.getByText('Two tickets').waitFor();
      expect(await person.page.getByTestId('receipt-amount').textContent()).toBe('€12.34');
    }
  });

  test('What the browser saves is what the verifier reads', async () => {
    const [download] = await Promise.all([r.page.waitForEvent('download'), r.page.getByTestId('save-receipt').click()]);
    saved = join(folder, download.suggestedFilename());
    await download.saveAs(saved);
    receipt = JSON.parse(await readFile(saved, 'utf8')) as ReceiptView;
    const { exitCode, output } = await chatpayVerify('receipt', saved, '--key', receipt.verifierKey);
    expect(exitCode, output).toBe(0);
    expect(output).toContain('12.34 EUR');
  });

  test.each([
    ['amount', () => ({ amountMinor: '123400' })],
    ['payee', () => ({ payee: receipt.payer })],
    ['signature', () => ({ signature: receipt.authorisation?.deviceKey.padEnd(88, '=') ?? '' })],
    ['place in the log', () => ({ seal: receipt.seal ? { ...receipt.seal, index: receipt.seal.index + 1 } : null })],
    ['members', () => ({ note: 'paid in full' }) as Partial<ReceiptView>],
  ])('A copy with another %s is refused by it', async (_, change) => {
    const { exitCode, output } = await verifyChanged(change());
    expect(exitCode, output).toBe(1);
  });

  test('The code on it leads back to it, and compares the page with the ledger', async () => {
    const code = (await r.page.getByTestId('qr').getAttribute('data-text')) ?? '';
    expect(code.startsWith(`${server.url}/#/receipt/${receipt.transfer}?sha256=`)).toBe(true);
    await e.page.goto(code);
    await e.page.getByTestId('page-matches').waitFor();
    await e.go(`${new URL(code).hash.slice(0, -1)}_`);
    await e.page.getByTestId('page-differs').waitFor();
  });

  test('Nobody else sees it', async () => {
    await i.go(`#/receipt/${receipt.transfer}`);
    await i.page.getByText('There is no such payment of yours.').waitFor();
  });

  test('On paper there is the sheet alone, and it fits a page', async () => {
    await r.page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    expect(await r.page.getByRole('navigation').filter({ visible: true }).count()).toBe(0);
    expect(await r.page.getByTestId('save-receipt').isVisible()).toBe(false);
    const pdf = await r.page.pdf({ preferCSSPageSize: true, format: 'A4' });
    // One page object, whatever else is in it.
    expect(pdf.toString('latin1').match(/\/Type\s*\/Page\b/g)).toHaveLength(1);
    await r.page.emulateMedia({ media: 'screen', colorScheme: 'light' });
  });

  const entries = () => r.page.getByTestId('entry');
  const texts = async () =>
    (await entries().allInnerTexts()).map((text) => text.replace(/\s+/g, ' ').replace(/^\S{1,2} /, ''));

  test('The wallet is narrowed by person and direction, by its own address', async () => {
    await r.go('#/wallet/EUR');
    // The ledger names nobody for what is on hold; the card does.
    await entries().first().getByText(`On hold for ${emil.displayName}`).waitFor();
    await expect.poll(() => entries().count(), soon).toBeGreaterThan(4);
    await r.page.getByTestId('filter-toggle').click();
    await r.page.getByTestId('filter-person').selectOption({ label: `${ines.displayName} (@${ines.handle})` });
    await expect
      .poll(texts, soon)
      .toEqual([
        expect.stringContaining(`To ${ines.displayName}, accepted`),
        expect.stringContaining(`On hold for ${ines.displayName}`),
      ]);
    await r.page.getByTestId('filter-panel').getByRole('radio', { name: 'Out' }).check();
    await expect.poll(() => entries().count(), soon).toBe(1);
    expect(new URL(r.page.url()).hash).toContain('side=out');
    await r.page.reload();
    await expect.poll(() => entries().count(), soon).toBe(1);
    await r.page.getByTestId('chip-with').click();
    await expect.poll(() => entries().count(), soon).toBe(2);
    await r.page.getByTestId('statement-search').fill('tickets 12.34');
    await r.page.getByText('Nothing found').waitFor();
    await r.page.getByTestId('statement-search').fill('emil 12.34');
    await expect.poll(() => entries().count(), soon).toBe(1);
  });

  test('A row of it leads to its receipt', async () => {
    await entries().getByTestId('entry-receipt').click();
    await expect.poll(() => verdict(r), soon).toBe('sealed');
    expect(await r.page.getByTestId('receipt-reference').textContent()).toBe(receipt.transfer);
  });

  test('Its days may be named, and what is saved has them', async () => {
    await r.go('#/wallet/EUR');
    await r.page.getByTestId('filter-toggle').click();
    await r.page.getByTestId('filter-period').selectOption('own');
    await r.page.getByTestId('filter-from').fill('2020-01-01');
    await r.page.getByTestId('filter-to').fill('2020-12-31');
    await r.page.getByText('Nothing found').waitFor();
    await r.page.getByTestId('filter-period').selectOption('thisMonth');
    await expect.poll(() => entries().count(), soon).toBeGreaterThan(4);
    await r.page.getByTestId('save-statement').click();
    const [download] = await Promise.all([r.page.waitForEvent('download'), r.page.getByTestId('export-save').click()]);
    const path = join(folder, download.suggestedFilename());
    await download.saveAs(path);
    expect(path).toMatch(/\.csv$/);
    expect(await readFile(path, 'utf8')).toContain(emil.handle);
  });

  test('It tells who sent and got how much, what is on hold and until when, and what is allowed', async () => {
    await r.go('#/wallet/EUR/activity');
    const row = r.page.getByTestId('activity-person').filter({ hasText: emil.displayName });
    await row.getByText('€5.00 received').waitFor();
    await row.getByText('€12.34 sent').waitFor();
    await r.go('#/wallet/on-hold');
    const hold = r.page.getByTestId('hold');
    await hold.getByText(emil.displayName).waitFor();
    expect(await hold.count()).toBe(1);
    await hold.getByText('€1.50').waitFor();
    // What happens meanwhile is seen at once.
    await e.go('#/');
    await e.openChat(rosa.displayName);
    await e.act('Still waiting', 'decline', 'Decline');
    await r.page.getByText('Nothing is on hold').waitFor();
    await r.go('#/wallet/limits');
    await r.page.getByTestId('open-cards').getByText('0 of').waitFor();
  });

  test('The books are in order, and no page has failed', async () => {
    const { exitCode, output } = await server.command('ledger', 'verify');
    expect(exitCode, output).toBe(0);
    expect([r, e, i].flatMap((person) => person.troubles)).toEqual([]);
  });
});
