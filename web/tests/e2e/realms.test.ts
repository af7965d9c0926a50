import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch } from '../gallery/browser';
import { RealmTrio } from '../realms';
import { Person } from './person';
import { asOneStory } from './story';

const goro = { handle: 'goro_t', displayName: 'Goro Tanaka', password: 'tin kites over the bay' };
const pin = '480279';

let browser: Browser;
let trio: RealmTrio;
let first: Person;
let waiting: Person;

asOneStory();

beforeAll(async () => {
  [browser, trio] = await Promise.all([launch(), RealmTrio.start()]);
});

afterAll(async () => {
  await browser?.close();
  await trio?.stop();
});

async function enter(person: Person, typed: string): Promise<void> {
  await person.page.getByLabel('PIN or passphrase').fill(typed);
  await person.page.getByRole('button', { name: 'Continue' }).click();
}

describe('A vault that two parties run', () => {
  test('Somebody sets a PIN there, and is told how many run it', async () => {
    first = await Person.signUp(browser, trio.server, goro, {}, pin);
    await first.go('#/settings/security');
    const { page } = first;
    await page
      .getByText('The vault has 3 parts, and this server names 2 operators. One of them runs so many')
      .waitFor();
    expect(await page.getByTestId('hosts').getByText("Ben's").count()).toBe(1);
    await first.page.getByText('Nobody has tried your PIN.').waitFor();
    await first.page.locator('[data-testid=pin-section][data-set=true]').waitFor();
  });

  test('With two parts away nothing is recovered, and the error says why', async () => {
    waiting = await Person.waiting(browser, trio.server, goro);
    await Promise.all([trio.realms[0]?.halt(), trio.realms[1]?.halt()]);
    await enter(waiting, pin);
    await waiting.page.getByText('Too few parts of the PIN vault answer right now').waitFor();
  });

  test('With one away a wrong PIN costs a guess and the right one lets in', async () => {
    await trio.realms[0]?.run();
    await enter(waiting, '590381');
    await waiting.page.getByText('This is not your PIN. 9 guesses left.').waitFor();
    await enter(waiting, pin);
    await waiting.page.getByRole('heading', { name: 'Chats' }).waitFor();
    await waiting.go('#/settings/security');
    await waiting.page.getByText('2 of 3 parts answer now.').waitFor();
    await waiting.page.locator('[data-testid=attempt][data-outcome=succeeded]').first().waitFor();
  });

  test('A server that names the same parts elsewhere makes no PIN look lost, and gets one only where the person sees', async () => {
    await trio.realms[1]?.run();
    await trio.move('127.0.0.1');
    const { page } = first;
    await page.reload();
    const section = page.getByTestId('pin-section');
    await section.locator('[data-loss=realms_other]').waitFor();
    await page.locator('[data-testid=alarm][data-kind=realmsOther]').waitFor();
    expect(await page.locator('[data-testid=alarm][data-kind=pinLost]').count()).toBe(0);
    await section.getByRole('button', { name: 'Set PIN again' }).click();
    const elsewhere = section.getByTestId('pin-elsewhere');
    await elsewhere.getByText('http://127.0.0.1:').first().waitFor();
    expect(await elsewhere.getByRole('listitem').count()).toBe(3);
    await section.getByLabel('PIN', { exact: true }).fill('902741');
    await section.getByLabel('Once more').fill('902741');
    await section.getByRole('button', { name: 'Set PIN again' }).click();
    await section.getByText('Your PIN is set.').waitFor();
    await section.locator('[data-loss=realms_other]').waitFor({ state: 'detached' });
    await page.locator('[data-testid=alarm][data-kind=realmsOther]').waitFor({ state: 'detached' });
  });

  test('No page met an error that it did not expect', () => {
    expect([...first.troubles, ...waiting.troubles]).toEqual([]);
  });
});
