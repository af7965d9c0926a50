import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch } from '../gallery/browser';
import { RealServer } from '../server';
import { inDatabase } from './database';
import { Person } from './person';
import { asOneStory } from './story';

const hana = { handle: 'hana_o', displayName: 'Hana Ota', password: 'grey cranes at low tide' };
const pin = '480279';
const nextPin = '590381';

let browser: Browser;
let server: RealServer;
let first: Person;
let waiting: Person;

asOneStory();

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), RealServer.start()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

async function enter(typed: string): Promise<void> {
  await waiting.page.getByLabel('PIN or passphrase').fill(typed);
  await waiting.page.getByRole('button', { name: 'Continue' }).click();
}

describe('A PIN whose guesses are used up', () => {
  test('Is guessed wrongly on another browser until none is left, and is told so', async () => {
    first = await Person.signUp(browser, server, hana, {}, pin);
    waiting = await Person.waiting(browser, server, hana);
    for (let left = 9; left >= 1; left--) {
      await enter('771144');
      const guesses = left === 1 ? '1 guess left, then the PIN is destroyed.' : `${left} guesses left.`;
      await waiting.page.getByText(`This is not your PIN. ${guesses}`).waitFor();
    }
    await enter('771144');
    await waiting.page.getByText('This is not your PIN. No guesses are left now.').waitFor();
  });

  test('Does not open with the right one either', async () => {
    await enter(pin);
    await waiting.page.getByText('No guesses of your PIN are left now.').waitFor();
    expect(await waiting.page.getByRole('heading', { name: 'Chats' }).count()).toBe(0);
  });

  test('Is asked for again on the browser that is signed in, when it connects, and set there', async () => {
    const { page } = first;
    // Until the last guess is two minutes old it may turn out right.
    await inDatabase(await server.database(), async (sql) => {
      for (const realm of ['realm_1', 'realm_2', 'realm_3']) {
        await sql`update ${sql(realm)}.vault_attempt set at = now() - interval '2 minutes'`;
      }
    });
    await enter(pin);
    const gone = waiting.page.locator('[data-testid=pin-gone][data-loss=exhausted]');
    await gone.getByText('the vault has destroyed what it kept of it. Nothing else was lost.').waitFor();
    await page.reload();
    await page.getByTestId('alarm-banner').getByRole('button', { name: 'Look' }).click();
    const section = page.getByTestId('pin-section');
    await section.getByText('All its guesses were used up').waitFor();
    expect(await section.getAttribute('data-set')).toBe('false');
    const alarm = page.locator('[data-testid=alarm][data-kind=pinLost]');
    await alarm.getByRole('button', { name: 'Set PIN again' }).click();
    await section.getByLabel('PIN', { exact: true }).fill(nextPin);
    await section.getByLabel('Once more').fill(nextPin);
    await section.getByRole('button', { name: 'Set PIN again' }).click();
    await section.getByText('Your PIN is set.').waitFor();
    await alarm.waitFor({ state: 'detached' });
    await page.locator('[data-testid=pin-section][data-set=true]').waitFor();
  });

  test('Lets the other browser in then, which has noticed by itself', async () => {
    await waiting.page.getByTestId('pin-gone').waitFor({ state: 'detached' });
    await enter(nextPin);
    await waiting.page.getByRole('heading', { name: 'Chats' }).waitFor();
  });

  test('No page met an error that it did not expect', () => {
    expect([...first.troubles, ...waiting.troubles]).toEqual([]);
  });
});
