import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch } from '../gallery/browser';
import { RealServer } from '../server';
import { type Person, soon } from './person';
import { asOneStory } from './story';
import { group, meet, nadia, omar, priya } from './weekend';

let server: RealServer;
let browser: Browser;
let n: Person;
/** On a phone. */
let o: Person;
let p: Person;

beforeAll(async () => {
  [server, browser] = await Promise.all([RealServer.start(), launch()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

const parts = (person: Person, memo: string) =>
  person
    .card(memo)
    .getByTestId('part')
    .evaluateAll((rows) => rows.map((row) => row.getAttribute('data-state')).sort());

describe('Cards of all kinds between three people', () => {
  asOneStory();

  test('They meet in a group, one of them on a phone', async () => {
    [n, o, p] = await meet(browser, server);
  });

  test('A bill is split to the cent, paid by one and declined by the other, and all see it as it comes', async () => {
    const sheet = await n.composeKind('split', '100', 'The cabin');
    await expect
      .poll(() => sheet.getByTestId('bill-share').allTextContents(), soon)
      .toEqual(['€33.34', '€33.33', '€33.33']);
    await sheet.getByTestId('bill-sum').getByText('You ask for €66.66 and bear €33.34 yourself.').waitFor();
    await n.confirmSheet('The cabin');
    await o.card('The cabin').getByTestId('card-pay').click();
    const question = o.page.getByRole('alertdialog');
    await question.getByText(`You are paying €33.33 to ${nadia.displayName} (@${nadia.handle}).`).waitFor();
    await question.getByTestId('pay-confirm').click();
    await question.waitFor({ state: 'detached' });
    await p.card('The cabin').getByTestId('split-progress').getByText('€33.33 of €66.66 paid').waitFor();
    expect(await parts(p, 'The cabin')).toEqual(['open', 'paid']);
    await p.act('The cabin', 'decline', 'Decline');
    await n.seesCard('The cabin', 'settled');
    expect(await parts(n, 'The cabin')).toEqual(['declined', 'paid']);
    await n.hasMoney('€1,033.33');
    await o.hasMoney('€966.67');
  });

  test('A bill by amounts is stopped: what was paid stays paid', async () => {
    const sheet = await n.composeKind('split', '30', 'Firewood');
    await sheet.getByRole('radio', { name: 'Amounts' }).check();
    await sheet.getByLabel('Amount of You').fill('10');
    await sheet.getByLabel(`Amount of ${omar.displayName}`).fill('12.50');
    await sheet.getByTestId('bill-sum').getByText('€7.50 still to divide').waitFor();
    expect(await sheet.getByRole('button', { name: 'Continue' }).isDisabled()).toBe(true);
    await sheet.getByLabel(`Amount of ${priya.displayName}`).fill('7.50');
    await n.confirmSheet('Firewood');
    await p.act('Firewood', 'pay', 'Pay €7.50');
    await n.card('Firewood').getByTestId('split-progress').getByText('1 of 2 paid').waitFor();
    await n.act('Firewood', 'cancel', 'Stop');
    await o.seesCard('Firewood', 'cancelled');
    expect(await parts(o, 'Firewood')).toEqual(['cancelled', 'paid']);
    expect(await o.card('Firewood').getByTestId('card-pay').count()).toBe(0);
    await p.hasMoney('€992.50');
    await n.hasMoney('€1,040.83');
  });

  test('A gift packet by chance is opened by both, and shows who was luckiest', async () => {
    await n.composeKind('packet', '10', 'Good luck');
    await n.confirmSheet('Good luck');
    await n.hasMoney('€1,030.83', '€10.00');
    await o.act('Good luck', 'claim');
    await o.card('Good luck').getByTestId('packet-mine').waitFor();
    expect(await o.card('Good luck').getByTestId('card-claim').count()).toBe(0);
    await n.card('Good luck').getByTestId('packet-progress').getByText('1 of 2 taken').waitFor();
    await p.act('Good luck', 'claim');
    for (const person of [n, o, p]) {
      await person.seesCard('Good luck', 'exhausted');
      await expect.poll(() => person.card('Good luck').getByTestId('best').count(), soon).toBe(1);
      expect(await person.card('Good luck').getByTestId('unfair').count()).toBe(0);
    }
    const got = await Promise.all(
      [o, p].map(async (person) => (await person.card('Good luck').getByTestId('packet-mine').textContent()) ?? ''),
    );
    const cents = got.map((text) => Number(text.replace(/\D/g, '')));
    expect(
      cents.reduce((sum, one) => sum + one, 0),
      got.join(),
    ).toBe(1000);
    await n.inCard('Good luck', async (pane) => {
      await expect.poll(() => pane.getByTestId('part-row').count(), soon).toBe(2);
    });
    await n.hasMoney('€1,030.83');
  });

  test('A request between two is the third’s to know of, and no more; it is reminded of, paid and given back in part', async () => {
    await n.pay('Request', '20', 'Only for Omar', omar);
    await o.seesCard('Only for Omar', 'open');
    const hidden = p.page.locator('[data-hidden][data-kind=request]');
    await hidden.getByText('A payment between other members').waitFor();
    expect(await p.card('Only for Omar').count()).toBe(0);
    await n.act('Only for Omar', 'remind');
    await o.card('Only for Omar').getByTestId('reminded').waitFor();
    await expect.poll(() => n.card('Only for Omar').getByTestId('card-remind').count(), soon).toBe(0);
    await o.act('Only for Omar', 'pay', 'Pay €20.00');
    await p.page.locator('[data-hidden][data-kind=request][data-state=paid]').waitFor();
    await n.seesCard('Only for Omar', 'paid');
    await n.inCard('Only for Omar', async (pane) => {
      await n.nameAmount(pane, 'refund', '7.25');
      await pane.getByTestId('refunded').getByText('€7.25 given back').waitFor();
    });
    await o.card('Only for Omar').getByTestId('refunded').getByText('€7.25 given back').waitFor();
    expect(await p.page.getByText('€7.25').count()).toBe(0);
    await n.hasMoney('€1,043.58');
  });

  test('A delayed transfer is cancelled on its way', async () => {
    await n.composePayment('Send', '15', 'Not so fast', priya);
    await n.page.getByRole('dialog').getByRole('button', { name: 'Change' }).click();
    const arrival = n.page.getByRole('dialog').getByTestId('arrival');
    // Nobody has compared safety numbers yet, so nothing is sent at once.
    expect(await arrival.locator('option').allTextContents()).toEqual([
      `When ${priya.displayName} accepts it`,
      'By itself in 2 hours',
      'By itself in 24 hours',
    ]);
    await arrival.selectOption('in2h');
    await n.confirmSheet('Not so fast');
    await p.seesCard('Not so fast', 'held');
    await p.card('Not so fast').getByText('On its way').waitFor();
    expect(await p.card('Not so fast').getByTestId('card-accept').count()).toBe(0);
    await n.act('Not so fast', 'cancel', 'Cancel');
    await p.seesCard('Not so fast', 'cancelled');
    await n.hasMoney('€1,043.58');
  });

  test('Once safety numbers were compared, money is sent at once', async () => {
    await n.startDirect(priya);
    await n.say('Hello Priya');
    await n.page.getByTestId('thread-details').click();
    await n.page.getByTestId('safety').locator('summary').click();
    await n.page.getByTestId('mark-verified').click();
    await n.page.getByTestId('verified').waitFor();
    await n.openChats();
    await n.openChat(priya.displayName);
    await n.composePayment('Send', '5', 'There already');
    await n.page.getByRole('dialog').getByRole('button', { name: 'Change' }).click();
    await n.page.getByRole('dialog').getByTestId('arrival').selectOption('atOnce');
    await n.page.getByRole('dialog').getByRole('button', { name: 'Continue' }).click();
    await n.page.getByTestId('fate').getByText('It cannot be taken back.').waitFor();
    await n.page.getByTestId('pay-confirm').click();
    await n.page.getByRole('dialog').waitFor({ state: 'detached' });
    await p.openChats();
    await p.openChat(nadia.displayName);
    await p.seesCard('There already', 'accepted');
    await n.hasMoney('€1,038.58');
  });

  test('A standing payment is drawn on within its bounds, and ended', async () => {
    await n.openChats();
    await n.openChat(group);
    await n.composeKind('mandate', '20', 'Bread', omar);
    await n.page.getByRole('dialog').getByRole('radio', { name: 'Day' }).check();
    await n.confirmSheet('Bread');
    await o.seesCard('Bread', 'active');
    await o.nameAmount(o.card('Bread'), 'draw', '15');
    await n.card('Bread').getByTestId('mandate-left').getByText('€5.00 left in this period').waitFor();
    await o.card('Bread').getByTestId('card-draw').click();
    const question = o.page.getByRole('dialog');
    await question.getByTestId('amount').fill('5.01');
    await question.getByText('This is more than €5.00.').waitFor();
    expect(await question.getByRole('button', { name: 'Continue' }).isDisabled()).toBe(true);
    await question.getByRole('button', { name: 'Close' }).click();
    await n.inCard('Bread', async (pane) => {
      await pane.getByText('€15.00 taken', { exact: true }).waitFor();
    });
    await n.act('Bread', 'cancel', 'End');
    await o.seesCard('Bread', 'cancelled');
    expect(await o.card('Bread').getByTestId('card-draw').count()).toBe(0);
    await n.hasMoney('€1,023.58');
  });

  test('A bill by shares is paid by all who were asked', async () => {
    await p.openChats();
    await p.openChat(group);
    const sheet = await n.composeKind('split', '10', 'Groceries');
    await sheet.getByRole('radio', { name: 'Shares' }).check();
    await sheet.getByLabel(`Shares of ${omar.displayName}`, { exact: true }).fill('2');
    await expect
      .poll(async () => (await sheet.getByTestId('bill-share').allTextContents()).sort(), soon)
      .toEqual(['€2.50', '€2.50', '€5.00']);
    await n.confirmSheet('Groceries');
    await o.act('Groceries', 'pay', 'Pay €5.00');
    await p.act('Groceries', 'pay', 'Pay €2.50');
    for (const person of [n, o, p]) {
      await person.seesCard('Groceries', 'paid');
    }
    await n.hasMoney('€1,031.08');
  });

  test('A gift packet of equal shares has no luckiest', async () => {
    const sheet = await n.composeKind('packet', '1', 'Same for you');
    await sheet.getByRole('radio', { name: 'Same for all' }).check();
    await sheet.getByText('€0.50 each').waitFor();
    await n.confirmSheet('Same for you');
    for (const person of [o, p]) {
      await person.act('Same for you', 'claim');
      await person.card('Same for you').getByTestId('packet-mine').getByText('€0.50').waitFor();
    }
    for (const person of [n, o, p]) {
      await person.seesCard('Same for you', 'exhausted');
      expect(await person.card('Same for you').getByTestId('best').count()).toBe(0);
    }
    await n.hasMoney('€1,030.08');
  });

  test('A gift packet for one person is for nobody else to open', async () => {
    const sheet = await n.composeKind('packet', '3', 'Only for Priya');
    await sheet.getByTestId('packet-whom').selectOption({ label: `${priya.displayName} (@${priya.handle})` });
    await sheet.getByRole('button', { name: 'Continue' }).click();
    await n.page
      .getByRole('dialog')
      .getByText(`You put €3.00 into a packet for ${priya.displayName} (@${priya.handle}).`)
      .waitFor();
    await n.page.getByTestId('pay-confirm').click();
    await n.page.getByRole('dialog').waitFor({ state: 'detached' });
    const hidden = o.page.locator('[data-hidden][data-kind=packet]');
    await hidden.getByText('A payment between other members').waitFor();
    expect(await hidden.getByTestId('card-claim').count()).toBe(0);
    expect(await o.card('Only for Priya').count()).toBe(0);
    await p.act('Only for Priya', 'claim');
    await p.card('Only for Priya').getByTestId('packet-mine').getByText('€3.00').waitFor();
    await n.seesCard('Only for Priya', 'exhausted');
    await o.page.locator('[data-hidden][data-kind=packet][data-state=exhausted]').waitFor();
    await n.hasMoney('€1,027.08');
  });

  test('The books are in order, and all is there after a reload', async () => {
    await p.page.reload();
    await p.openChats();
    await p.openChat(group);
    await p.seesCard('The cabin', 'settled');
    expect(await parts(p, 'The cabin')).toEqual(['declined', 'paid']);
    await p.seesCard('Good luck', 'exhausted');
    const { exitCode, output } = await server.command('ledger', 'verify');
    expect(output).toContain('The ledger is clean.');
    expect(exitCode, output).toBe(0);
    expect([n, o, p].flatMap((person) => person.troubles)).toEqual([]);
  });
});
