import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch } from '../gallery/browser';
import { RealServer } from '../server';
import { Person, soon } from './person';
import { asOneStory } from './story';

const dario = { handle: 'dario_v', displayName: 'Dario Vidal', password: 'lemon tree behind the wall' };
const elif = { handle: 'elif_k', displayName: 'Elif Kaya', password: 'paper boats on the canal' };
const fatou = { handle: 'fatou_s', displayName: 'Fatou Sarr', password: 'harbour lights after rain' };
const groupName = 'Book club';
const unknown = { type: 'about:blank', status: 404, code: 2009, name: 'device_unknown', retryable: false };

let browser: Browser;
let server: RealServer;
let phone: Person;
let laptop: Person;
let other: Person;
let secondTab: Page;

asOneStory();

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), RealServer.start()]);
  phone = await Person.signUp(browser, server, dario);
  other = await Person.signUp(browser, server, elif);
  await phone.startDirect(elif);
  await phone.say('Before the second device');
  await phone.pay('Send', '3.00', 'Library fee');
  await other.openChat(dario.displayName);
  await other.seesCard('Library fee', 'held');
  await phone.createGroup(groupName, [elif]);
  await phone.say('First chapter by Friday');
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

describe('A second device', () => {
  test('It waits until the first one approves it; then it finds the conversations, and says that it cannot read what was sent before it came', async () => {
    laptop = await Person.waiting(browser, server, dario);
    expect(await laptop.page.getByRole('heading', { name: 'Chats' }).count()).toBe(0);
    await phone.approve(laptop);
    await laptop.row(groupName).waitFor();
    await laptop.openChat(elif.displayName);
    await laptop.page.locator('[data-kind=historyStartsHere]').waitFor();
    expect(await laptop.message('Before the second device').count()).toBe(0);
  });

  test('It shows a card from before with what the ledger knows, and keeps quiet about the memo', async () => {
    const card = laptop.page.getByTestId('card');
    await card.getByText('The memo was sent before this device was added').waitFor();
    await expect.poll(() => card.getAttribute('data-state'), soon).toBe('held');
    expect(await card.textContent()).toContain('€3.00');
  });

  test('It talks with everybody, its own first device included', async () => {
    await laptop.say('Hello from the laptop');
    await other.reads('Hello from the laptop');
    await phone.openChat(elif.displayName);
    await phone.reads('Hello from the laptop');
    await other.say('Hello to both of you');
    await laptop.reads('Hello to both of you');
    await phone.reads('Hello to both of you');
    await phone.say('And hello from the phone');
    await laptop.reads('And hello from the phone');
    await other.reads('And hello from the phone');
  });

  test('It takes part in the group under its name', async () => {
    await laptop.openChat(groupName);
    await laptop.say('Second chapter by Monday');
    await phone.openChat(groupName);
    await phone.reads('Second chapter by Monday');
    await other.openChat(groupName);
    await other.reads('Second chapter by Monday');
  });

  test('Cards and wallets move on both devices', async () => {
    await laptop.openChat(elif.displayName);
    await laptop.pay('Request', '1.50', 'Bookmark');
    await phone.openChat(elif.displayName);
    await phone.seesCard('Bookmark', 'open');
    await other.openChat(dario.displayName);
    await other.act('Bookmark', 'pay', 'Pay €1.50');
    await phone.seesCard('Bookmark', 'paid');
    await laptop.seesCard('Bookmark', 'paid');
    await other.act('Library fee', 'accept');
    await phone.seesCard('Library fee', 'accepted');
    await phone.hasMoney('€998.50');
    await laptop.hasMoney('€998.50');
    await other.hasMoney('€1,001.50');
  });

  test('Removed by the first, it says so by itself and holds nothing any more', async () => {
    await phone.go('#/settings/devices');
    const second = phone.page.getByTestId('device').and(phone.page.locator('[data-current=false]'));
    await second.getByRole('button', { name: /^Remove/ }).click();
    await phone.page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click();
    // Nobody reloads it: the server has told it.
    await laptop.page.getByRole('heading', { name: 'This device was removed' }).waitFor();
    await expect.poll(() => stored(laptop.page), soon).toEqual([]);
    const answer = await laptop.page.request.get(`${server.url}/v1/conversations`);
    expect(answer.status()).toBe(401);
    await laptop.page.reload();
    await laptop.page.getByRole('heading', { name: 'Welcome back' }).waitFor();
  });

  test('The others go on without it, under new keys', async () => {
    await phone.openChats();
    await phone.openChat(elif.displayName);
    await other.page.locator('[data-kind=deviceRemoved]').waitFor();
    await other.say('Just us again');
    await phone.reads('Just us again');
    await phone.say('Good');
    await other.reads('Good');
    await phone.openChat(groupName);
    await phone.say('And here too');
    await other.openChat(groupName);
    await other.reads('And here too');
  });
});

describe('A device that the server keeps from the list', () => {
  let hidden: Person;

  test('It is shown all the same, as one that the keys vouch for', async () => {
    hidden = await Person.signIn(browser, server, dario, phone);
    await hidden.row(groupName).waitFor();
    await hidden.openChat(elif.displayName);
    await hidden.say('From a third device');
    await other.openChat(dario.displayName);
    await other.reads('From a third device');
    await phone.openChats();
    await phone.openChat(elif.displayName);
    await phone.reads('From a third device');
    await phone.page.route('**/v1/devices', async (route) => {
      const answer = await route.fetch();
      const devices = (await answer.json()) as { current: boolean }[];
      await route.fulfill({ response: answer, json: devices.filter(({ current }) => current) });
    });
    await phone.page.route('**/v1/devices/*', (route) =>
      route.fulfill({ status: 404, contentType: 'application/problem+json', body: JSON.stringify(unknown) }),
    );
    await phone.go('#/settings/devices');
    const found = phone.page.getByTestId('unlisted-device');
    await found.getByText('Your keys vouch for it, but the server does not list it.').waitFor();
    await found.getByText('In 2 conversations').waitFor();
    expect(await phone.page.getByTestId('device').count()).toBe(1);
  });

  test('Removed, it is out of every conversation, although the server says that there is no such device', async () => {
    const { page } = phone;
    await page.getByRole('button', { name: /^Remove the device with the key/ }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByText('The device was removed, and is in none of your conversations any more.').waitFor();
    await expect.poll(() => page.getByTestId('unlisted-device').count(), soon).toBe(0);
    // The entry in the chain has ended its sessions as well.
    await hidden.page.getByRole('heading', { name: 'This device was removed' }).waitFor();
    await phone.openChats();
    await phone.openChat(elif.displayName);
    await phone.say('The third one is gone');
    await other.reads('The third one is gone');
    await page.unrouteAll();
    expect(hidden.troubles).toEqual([]);
    await hidden.close();
    await phone.openChats();
    await phone.openChat(groupName);
  });
});

describe('A browser of somebody with a PIN', () => {
  const pin = '480279';
  let first: Person;
  let again: Person;

  test('Signing up with a PIN is refused one that is guessed first, and takes another', async () => {
    first = await Person.open(browser, server, fatou);
    const { page } = first;
    await page.goto(`${server.url}/#/sign-up`);
    await page.getByRole('textbox', { name: 'Handle' }).fill(fatou.handle);
    await page.getByLabel('Name', { exact: true }).fill(fatou.displayName);
    await page.getByLabel('Password', { exact: true }).fill(fatou.password);
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByLabel('PIN', { exact: true }).fill('123456');
    await page.getByText('Digits in a row are guessed early.').waitFor();
    await page.getByLabel('PIN', { exact: true }).fill(pin);
    await page.getByLabel('Once more').fill(pin);
    await page.getByRole('button', { name: 'Set PIN' }).click();
    await page.getByRole('heading', { name: 'Chats' }).waitFor();
    await first.startDirect(elif);
    await first.say('From my first browser');
    await other.openChat(fatou.displayName);
    await other.reads('From my first browser');
  });

  test('It is gone, and in another one the PIN brings the identity: a wrong one costs a guess', async () => {
    await first.close();
    again = await Person.waiting(browser, server, fatou);
    const { page } = again;
    await page.getByLabel('PIN or passphrase').fill('590381');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('This is not your PIN. 9 guesses left.').waitFor();
    await page.getByLabel('PIN or passphrase').fill(pin);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('heading', { name: 'Chats' }).waitFor();
    await again.openChat(elif.displayName);
    await again.say('From my second browser');
    await other.reads('From my second browser');
  });

  test('The other one sees no change of keys, and both the same safety number', async () => {
    expect(await other.page.getByTestId('changed-keys').count()).toBe(0);
    await other.say('Still you, then');
    await again.reads('Still you, then');
    const numbers: (string | null)[] = [];
    for (const one of [other, again]) {
      await one.page.getByTestId('thread-details').click();
      await one.page.getByTestId('safety').locator('summary').click();
      numbers.push(await one.page.getByTestId('safety-number').textContent());
      await one.page.goBack();
    }
    expect(numbers[0]).toMatch(/^(\d{5} ){12}$/);
    expect(numbers[0]).toBe(numbers[1]);
    await again.go('#/settings/security');
    await again.page.getByText('one operator runs all of them').waitFor();
    await again.page.locator('[data-testid=attempt]:not([data-outcome=succeeded])').first().waitFor();
    await again.page.locator('[data-testid=attempt][data-outcome=succeeded]').first().waitFor();
    expect(await again.page.getByTestId('alarm').count()).toBe(0);
  });

  test('Beginning anew stops what is sent to them until the new keys are accepted', async () => {
    const third = await Person.waiting(browser, server, fatou);
    await third.page.getByRole('button', { name: 'Begin anew' }).click();
    await third.page.getByRole('alertdialog').getByRole('button', { name: 'Begin anew' }).click();
    await third.page.getByRole('heading', { name: 'Chats' }).waitFor();
    await again.page.getByRole('heading', { name: 'This device was removed' }).waitFor();
    await third.openChat(elif.displayName);
    await third.say('With new keys');
    await other.page.getByTestId('changed-keys').waitFor();
    await expect.poll(() => other.page.getByTestId('composer').count(), soon).toBe(0);
    await other.page.getByTestId('accept-keys').click();
    await other.page.getByRole('alertdialog').getByRole('button', { name: 'Accept new keys' }).click();
    await other.say('I believe you');
    await third.reads('I believe you');
    expect([...first.troubles, ...again.troubles, ...third.troubles]).toEqual([]);
    await third.close();
    await other.openChat(groupName);
  });
});

describe('A second tab', () => {
  test('It says that another one is open, and takes over when asked', async () => {
    secondTab = await phone.context.newPage();
    await secondTab.goto(`${server.url}/`);
    await secondTab.getByRole('heading', { name: 'ChatPay is open in another tab' }).waitFor();
    await secondTab.getByRole('button', { name: 'Use it here' }).click();
    await secondTab.getByRole('heading', { name: 'Chats' }).waitFor();
    await phone.page.getByRole('heading', { name: 'ChatPay is open in another tab' }).waitFor();
  });

  test('The tab in charge sends and receives; the other takes it back with nothing lost', async () => {
    const here = phone.on(secondTab);
    await here.openChat(groupName);
    await here.reads('And here too');
    await here.say('From the second tab');
    await other.reads('From the second tab');
    await phone.page.getByRole('button', { name: 'Use it here' }).click();
    await phone.reads('From the second tab');
    await secondTab.getByRole('heading', { name: 'ChatPay is open in another tab' }).waitFor();
    await other.say('Both tabs are fine');
    await phone.reads('Both tabs are fine');
    expect(await phone.message('From the second tab').count()).toBe(1);
  });

  test('Once the one in charge is closed, a reload is enough', async () => {
    await phone.page.close();
    // The browser gives the closed tab's lock back a moment after the page is gone.
    const held = () => secondTab.evaluate(async () => (await navigator.locks.query()).held?.length ?? 0);
    await expect.poll(held, soon).toBe(0);
    await secondTab.reload();
    const here = phone.on(secondTab);
    await here.openChat(groupName);
    await here.reads('Both tabs are fine');
    expect([...phone.troubles, ...other.troubles, ...laptop.troubles]).toEqual([]);
  });
});

/** Stores that hold anything, over all databases of the page; `meta` has but a new key and the name of the tab. */
function stored(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const found: string[] = [];
    for (const { name } of await indexedDB.databases()) {
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const request = indexedDB.open(name ?? '');
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
      for (const store of database.objectStoreNames) {
        const count = await new Promise<number>((resolve, reject) => {
          const request = database.transaction(store).objectStore(store).count();
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
        if (count > 0 && store !== 'meta') {
          found.push(`${name}.${store}: ${count}`);
        }
      }
      database.close();
    }
    return found;
  });
}
