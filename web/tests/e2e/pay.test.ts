import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch } from '../gallery/browser';
import { RealServer } from '../server';
import { Person } from './person';
import { asOneStory } from './story';

const jana = { handle: 'jana', displayName: 'Jana Nováková', password: 'velvet tram number nine' };
const karim = { handle: 'karim', displayName: 'Karim Haddad', password: 'orange bell under snow' };
const pin = '480279';

let server: RealServer;
let browser: Browser;
/** She has a PIN and he has none. */
let j: Person;
let k: Person;

beforeAll(async () => {
  [server, browser] = await Promise.all([RealServer.start(), launch()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

describe('Paying much', () => {
  asOneStory();

  test('Two people meet, one of them with a PIN', async () => {
    j = await Person.signUp(browser, server, jana, {}, pin);
    k = await Person.signUp(browser, server, karim, { device: 'phone' });
    await j.startDirect(karim);
    await j.say('Hello Karim');
    await k.openChat(jana.displayName);
    await k.reads('Hello Karim');
  });

  test('A little leaves with one confirmation', async () => {
    await j.pay('Send', '100', 'Just at the limit');
    await k.act('Just at the limit', 'accept');
    await j.seesCard('Just at the limit', 'accepted');
  });

  test('More leaves only after the PIN: a wrong one moves nothing', async () => {
    await j.composePayment('Send', '100.01', 'A cent above');
    expect(await j.page.getByTestId('payee').getAttribute('data-trust')).toBe('accepted');
    await j.page.getByTestId('pay-confirm').click();
    await j.enterPin('111111');
    await j.page.getByRole('dialog').getByRole('alert').getByText('9 tries left').waitFor();
    expect(await k.card('A cent above').count()).toBe(0);
    await j.enterPin(pin);
    await j.page.getByRole('dialog').waitFor({ state: 'detached' });
    await k.seesCard('A cent above', 'held');
    await k.act('A cent above', 'accept');
    await j.hasMoney('€799.99');
  });

  test('So it is with a request that she pays, and he pays one without', async () => {
    await k.pay('Request', '150', 'The long tent');
    await j.card('The long tent').getByTestId('card-pay').click();
    const question = j.page.getByRole('alertdialog');
    await question.getByText(`You are paying €150.00 to ${karim.displayName} (@${karim.handle}).`).waitFor();
    await question.getByTestId('pay-confirm').click();
    await j.enterPin(pin);
    await question.waitFor({ state: 'detached' });
    await k.seesCard('The long tent', 'paid');
    await j.pay('Request', '500', 'The car');
    await k.act('The car', 'pay', 'Pay €500.00');
    await j.seesCard('The car', 'paid');
    await j.hasMoney('€1,149.99');
    await k.hasMoney('€850.01');
  });

  test('Her new device has the vault check the PIN once, and pays then', async () => {
    const second = await Person.signIn(browser, server, jana, j);
    await second.openChat(karim.displayName);
    await second.composePayment('Send', '200', 'From the tablet');
    await second.page.getByTestId('pay-confirm').click();
    await second.page.getByRole('dialog').getByText('has not seen your PIN yet').waitFor();
    await second.enterPin(pin);
    await second.page.getByRole('dialog').waitFor({ state: 'detached' });
    await k.seesCard('From the tablet', 'held');
    await second.act('From the tablet', 'cancel', 'Cancel');
    await second.composePayment('Send', '201', 'Once more');
    await second.page.getByTestId('pay-confirm').click();
    await second.page.getByRole('dialog').getByText('It is checked on this device').waitFor();
    await second.close();
  });

  test('A request that was there before a device cannot be paid from it', async () => {
    await k.pay('Request', '3', 'Before the tablet');
    await j.seesCard('Before the tablet', 'open');
    const third = await Person.signIn(browser, server, jana, j);
    await third.openChat(karim.displayName);
    const card = third.page.getByTestId('card').and(third.page.locator('[data-kind=request][data-state=open]'));
    await card.getByTestId('card-unread').getByText('cannot be checked or paid here').waitFor();
    expect(await card.getByTestId('card-pay').count()).toBe(0);
    await third.close();
  });

  test('The books are in order', async () => {
    const { exitCode, output } = await server.command('ledger', 'verify');
    expect(output).toContain('The ledger is clean.');
    expect(exitCode, output).toBe(0);
    expect([j, k].flatMap((person) => person.troubles)).toEqual([]);
  });
});
