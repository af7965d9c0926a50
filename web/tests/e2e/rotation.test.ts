import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch } from '../gallery/browser';
import { RealServer } from '../server';
import { Person, soon } from './person';
import { asOneStory } from './story';

const pin = '480279';
const ann = { handle: 'ann_l', displayName: 'Ann Lindqvist', password: 'stairs behind the bakery' };
const ben = { handle: 'ben_o', displayName: 'Ben Okafor', password: 'three kites and a kettle' };

let browser: Browser;
let server: RealServer;
let phone: Person;
let laptop: Person;
let other: Person;

asOneStory();

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), RealServer.start()]);
  // The laptop is there before there is a PIN, so it does not know what the PIN opens.
  phone = await Person.signUp(browser, server, ann);
  other = await Person.signUp(browser, server, ben);
  await phone.startDirect(ben);
  await phone.say('Under the first key');
  laptop = await Person.signIn(browser, server, ann, phone);
  await laptop.openChat(ben.displayName);
  await other.openChat(ann.displayName);
  await other.reads('Under the first key');
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

describe('A renewed identity key', () => {
  test('There is a PIN by now, set on one of her devices', async () => {
    const { page } = phone;
    await phone.go('#/settings/security');
    await page.getByTestId('pin-section').getByRole('button', { name: 'Set PIN' }).click();
    await page.getByLabel('PIN', { exact: true }).fill(pin);
    await page.getByLabel('Once more').fill(pin);
    // How far its stretching is shows while that takes its time, and goes with it.
    const bar = page.getByTestId('stretching').getByRole('progressbar');
    const isShown = bar.waitFor();
    await page.getByTestId('pin-form').getByRole('button', { name: 'Set PIN' }).click();
    await isShown;
    await page.getByText('Your PIN is set.').waitFor();
    expect(await bar.count()).toBe(0);
  });

  test('The same page says how the key log stands', async () => {
    const log = phone.page.getByTestId('log');
    await log.getByText(/\d+ entries, checked .+\. All that was checked fits\./).waitFor();
    expect(await log.locator('code').textContent()).not.toBe('');
  });

  test('A device that does not know what the PIN opens asks for the PIN first', async () => {
    const { page } = laptop;
    await laptop.go('#/settings/security');
    await page.locator('[data-testid=pin-section][data-set=true]').waitFor();
    await page.getByTestId('renew-key').click();
    const section = page.locator('section', { hasText: 'has to bring back the new key' });
    await section.getByTestId('pin-entry').waitFor();
    expect(await page.getByRole('alertdialog').count()).toBe(0);
    await laptop.openChats();
    await laptop.openChat(ben.displayName);
  });

  test('It is asked before, with what contacts will see', async () => {
    const { page } = phone;
    await page.getByTestId('renew-key').click();
    const question = page.getByRole('alertdialog');
    await question.getByText('Your contacts see that your keys have changed.').waitFor();
    await question.getByRole('button', { name: 'Renew key' }).click();
    await page.getByText('Your identity key is new.').waitFor();
  });

  test('Its contact sees the change, and can neither write nor pay until it is accepted', async () => {
    await other.page.getByTestId('changed-keys').waitFor();
    await expect.poll(() => other.page.getByTestId('composer').count(), soon).toBe(0);
    await expect.poll(() => other.page.getByTestId('pay-button').count(), soon).toBe(0);
    await other.page.getByTestId('accept-keys').click();
    await other.page.getByRole('alertdialog').getByRole('button', { name: 'Accept new keys' }).click();
    await other.say('I asked her on the phone');
    await phone.openChats();
    await phone.openChat(ben.displayName);
    await phone.reads('I asked her on the phone');
    await other.pay('Send', '2.00', 'Train');
    await phone.seesCard('Train', 'held');
  });

  test('Her other device goes on chatting, asks to be approved again, and is', async () => {
    await laptop.say('From the laptop, with the old certificate');
    await other.reads('From the laptop, with the old certificate');
    await laptop.page.getByTestId('alarm-banner').getByRole('button').click();
    await laptop.page.getByTestId('behind').getByText('This device needs your new identity key').waitFor();
    await phone.approve(laptop);
    await laptop.page.getByTestId('behind').waitFor({ state: 'detached' });
    await laptop.openChats();
    await laptop.openChat(ben.displayName);
    await laptop.say('And with the new one');
    await other.reads('And with the new one');
    expect(await other.page.getByTestId('changed-keys').count()).toBe(0);
  });

  test('A browser that knows nothing gets in with the same PIN, and nobody sees another change', async () => {
    await phone.close();
    const again = await Person.waiting(browser, server, ann);
    await again.page.getByLabel('PIN or passphrase').fill(pin);
    await again.page.getByRole('button', { name: 'Continue' }).click();
    await again.page.getByRole('heading', { name: 'Chats' }).waitFor();
    await again.openChat(ben.displayName);
    await again.say('Back again');
    await other.reads('Back again');
    await other.say('Still the same to me');
    await again.reads('Still the same to me');
    expect(await other.page.getByTestId('changed-keys').count()).toBe(0);
    await again.go('#/settings/security');
    await again.page.getByRole('button', { name: 'Give back guesses' }).waitFor({ state: 'detached' });
    expect([...phone.troubles, ...laptop.troubles, ...other.troubles, ...again.troubles]).toEqual([]);
  });
});
