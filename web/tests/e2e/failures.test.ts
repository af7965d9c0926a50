import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch } from '../gallery/browser';
import { RealServer } from '../server';
import { Person, soon } from './person';
import { asOneStory } from './story';

const farid = { handle: 'farid_n', displayName: 'Farid Nasser', password: 'window seat on the left' };
const greta = { handle: 'greta_o', displayName: 'Greta Olsen', password: 'cinnamon before the snow' };

let browser: Browser;
let server: RealServer;
let f: Person;
let g: Person;

asOneStory();

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), RealServer.start()]);
  f = await Person.signUp(browser, server, farid);
  g = await Person.signUp(browser, server, greta);
  await f.startDirect(greta);
  await f.say('First');
  await g.openChat(farid.displayName);
  await g.reads('First');
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

describe('Without a connection', () => {
  test('A message waits, and is sent exactly once when the connection is back', async () => {
    await f.context.setOffline(true);
    await f.page.getByTestId('reconnect-banner').waitFor();
    await f.say('Written on the train');
    await f.say('In the tunnel');
    await expect.poll(() => f.message('In the tunnel').getAttribute('data-state'), soon).toBe('sending');
    expect(await g.message('Written on the train').count()).toBe(0);
    await f.context.setOffline(false);
    await f.page.getByTestId('reconnect-banner').waitFor({ state: 'detached' });
    await g.reads('In the tunnel');
    await expect.poll(() => f.message('In the tunnel').getAttribute('data-state'), soon).toBe('read');
    await g.say('Got both');
    await f.reads('Got both');
    for (const person of [f, g]) {
      const texts = (await person.page.getByTestId('message').allTextContents()).map((text) =>
        text.replace(/\d.*/, ''),
      );
      expect(texts).toEqual(['First', 'Written on the train', 'In the tunnel', 'Got both']);
    }
  });

  test('A message written offline survives closing the page', async () => {
    await f.context.setOffline(true);
    await f.page.getByTestId('reconnect-banner').waitFor();
    await f.say('Written before the battery died');
    await f.message('Written before the battery died').waitFor();
    await f.page.goto('about:blank');
    await f.context.setOffline(false);
    await f.page.goto(`${server.url}/`);
    await g.reads('Written before the battery died');
    await f.openChat(greta.displayName);
    await f.reads('Written before the battery died');
    expect(await f.message('Written before the battery died').count()).toBe(1);
    expect(await g.message('Written before the battery died').count()).toBe(1);
  });

  test('A payment is not even tried', async () => {
    await f.composePayment('Send', '2.00', 'Never sent');
    await f.context.setOffline(true);
    const sheet = f.page.getByRole('dialog');
    await sheet.getByText('You are offline. Payments need a connection.').waitFor();
    await expect.poll(() => f.page.getByTestId('pay-confirm').isDisabled(), soon).toBe(true);
    await f.context.setOffline(false);
    await expect.poll(() => f.page.getByTestId('pay-confirm').isEnabled(), soon).toBe(true);
    await f.page.keyboard.press('Escape');
    await sheet.waitFor({ state: 'detached' });
    await f.hasMoney('€1,000.00');
  });

  test('Accepting says that no money moved, and works once the connection is back', async () => {
    await g.pay('Send', '4.00', 'Ferry');
    await f.seesCard('Ferry', 'held');
    await f.context.setOffline(true);
    await f.page.getByTestId('reconnect-banner').waitFor();
    await f.act('Ferry', 'accept');
    await f.card('Ferry').getByText('No money moved.').waitFor();
    await f.seesCard('Ferry', 'held');
    await f.context.setOffline(false);
    await f.page.getByTestId('reconnect-banner').waitFor({ state: 'detached' });
    await f.act('Ferry', 'accept');
    await f.seesCard('Ferry', 'accepted');
    await f.hasMoney('€1,004.00');
    await g.hasMoney('€996.00');
  });
});

describe('A payment that comes to nothing', () => {
  test('Declined, the money goes back to who sent it', async () => {
    await f.pay('Send', '10.00', 'Too generous');
    await f.hasMoney('€994.00', '€10.00');
    await g.act('Too generous', 'decline', 'Decline');
    await f.seesCard('Too generous', 'declined');
    await g.seesCard('Too generous', 'declined');
    await expect.poll(() => f.card('Too generous').getByRole('button').count(), soon).toBe(0);
    await f.hasMoney('€1,004.00');
    await g.hasMoney('€996.00');
  });

  test('Cancelled by its sender, likewise', async () => {
    await f.pay('Send', '7.77', 'Wrong person');
    await g.seesCard('Wrong person', 'held');
    await f.act('Wrong person', 'cancel', 'Cancel');
    await f.seesCard('Wrong person', 'cancelled');
    await g.seesCard('Wrong person', 'cancelled');
    await expect.poll(() => g.card('Wrong person').getByRole('button').count(), soon).toBe(0);
    await f.hasMoney('€1,004.00');
  });

  test('A declined request moves nothing', async () => {
    await f.pay('Request', '2.50', 'Lost umbrella');
    await g.act('Lost umbrella', 'decline', 'Decline');
    await f.seesCard('Lost umbrella', 'declined');
    await f.hasMoney('€1,004.00');
    await g.hasMoney('€996.00');
  });

  test('More than there is cannot even be entered', async () => {
    await f.page.getByTestId('pay-button').click();
    const sheet = f.page.getByRole('dialog');
    await sheet.getByTestId('amount').fill('1004.01');
    await sheet.getByText('You have €1,004.00 available.').waitFor();
    await expect.poll(() => sheet.getByRole('button', { name: 'Continue' }).isDisabled(), soon).toBe(true);
    await sheet.getByTestId('amount').fill('1004.00');
    await expect.poll(() => sheet.getByRole('button', { name: 'Continue' }).isEnabled(), soon).toBe(true);
    await f.page.keyboard.press('Escape');
    await sheet.waitFor({ state: 'detached' });
  });

  test('A request for more than the other has is refused by the ledger, which says that no money moved', async () => {
    await f.pay('Request', '996.01', 'Everything and a cent');
    await g.card('Everything and a cent').getByTestId('card-pay').click();
    const question = g.page.getByRole('alertdialog');
    await question.getByRole('button', { name: 'Pay €996.01' }).click();
    await question.getByRole('alert').getByText('No money moved.').waitFor();
    await g.page.keyboard.press('Escape');
    await question.waitFor({ state: 'detached' });
    await g.seesCard('Everything and a cent', 'open');
    await f.seesCard('Everything and a cent', 'open');
    await g.hasMoney('€996.00');
    await f.act('Everything and a cent', 'cancel', 'Cancel');
    await g.seesCard('Everything and a cent', 'cancelled');
    await f.hasMoney('€1,004.00');
  });
});

describe('Bad input', () => {
  test('A handle that is taken is refused where it was typed', async () => {
    const late = await Person.open(browser, server, farid);
    await late.page.goto(`${server.url}/#/sign-up`);
    await late.page.getByRole('textbox', { name: 'Handle' }).fill(farid.handle);
    await late.page.getByLabel('Name', { exact: true }).fill('Somebody else');
    await late.page.getByLabel('Password', { exact: true }).fill('a different long password');
    await late.page.getByRole('button', { name: 'Create account' }).click();
    const handle = late.page.getByRole('textbox', { name: 'Handle' });
    await expect.poll(() => handle.getAttribute('aria-invalid'), soon).toBe('true');
    await expect.poll(() => handle.evaluate((node) => node === document.activeElement), soon).toBe(true);
    await late.close();
  });

  test('A wrong password signs nobody in', async () => {
    const stranger = await Person.open(browser, server, farid);
    await stranger.page.goto(`${server.url}/#/sign-in`);
    await stranger.page.getByRole('textbox', { name: 'Handle' }).fill(farid.handle);
    await stranger.page.getByLabel('Password', { exact: true }).fill('not the right password');
    await stranger.page.getByRole('button', { name: 'Sign in' }).click();
    await stranger.page.getByRole('alert').waitFor();
    expect(await stranger.page.getByRole('heading', { name: 'Welcome back' }).count()).toBe(1);
    await stranger.close();
  });

  test('No page met an error that it did not expect', () => {
    expect([...f.troubles, ...g.troubles]).toEqual([]);
  });
});
