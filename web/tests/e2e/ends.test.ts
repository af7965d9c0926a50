import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch } from '../gallery/browser';
import { RealServer } from '../server';
import { inDatabase } from './database';
import type { Person } from './person';
import { asOneStory } from './story';
import { meet, omar, priya } from './weekend';

let server: RealServer;
let browser: Browser;
let n: Person;
/** On a phone. */
let o: Person;
let p: Person;
const moved: (string | null)[] = [];

beforeAll(async () => {
  [server, browser] = await Promise.all([RealServer.start(), launch()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

/** Nobody waits for hours here: the one card that is open comes to its end, and with it the hold of its money. */
async function comesToItsEnd(): Promise<void> {
  await inDatabase(await server.database(), async (sql) => {
    const cards = await sql<{ holdId: string | null }[]>`
      update card set expires_at = clock_timestamp() where closed_at is null returning hold_id as "holdId"`;
    expect(cards.length).toBe(1);
    for (const { holdId } of cards.filter((card) => card.holdId !== null)) {
      await sql`update hold set expires_at = clock_timestamp() where transfer_id = ${holdId}`;
      moved.push(holdId);
    }
  });
}

/** As above, for what arrives at its end: the hold outlasts it. */
async function arrivesIn(seconds: number): Promise<void> {
  await inDatabase(await server.database(), async (sql) => {
    const cards = await sql`
      update card set expires_at = clock_timestamp() + make_interval(secs => ${seconds})
      where closed_at is null returning id`;
    expect(cards.length).toBe(1);
  });
}

describe('Cards that come to their end by themselves', () => {
  asOneStory();

  test('Three people meet, one of them on a phone', async () => {
    [n, o, p] = await meet(browser, server);
  });

  test('A transfer that nobody accepts returns', async () => {
    await n.pay('Send', '20', 'Nobody takes it', omar);
    await o.seesCard('Nobody takes it', 'held');
    await n.hasMoney('€980.00', '€20.00');
    await comesToItsEnd();
    for (const person of [n, o]) {
      await person.seesCard('Nobody takes it', 'expired');
    }
    expect(await o.card('Nobody takes it').getByTestId('card-accept').count()).toBe(0);
    expect(await n.card('Nobody takes it').getByTestId('card-cancel').count()).toBe(0);
    await n.hasMoney('€1,000.00');
    await o.hasMoney('€1,000.00');
  });

  test('A delayed transfer arrives, also where the server was away when it was due', async () => {
    await n.composePayment('Send', '15', 'Comes by itself', omar);
    await n.page.getByRole('dialog').getByRole('button', { name: 'Change' }).click();
    await n.page.getByRole('dialog').getByTestId('arrival').selectOption('in2h');
    await n.confirmSheet('Comes by itself');
    await o.card('Comes by itself').getByText('On its way').waitFor();
    await n.hasMoney('€985.00', '€15.00');
    await arrivesIn(4);
    await server.halt();
    await server.run();
    for (const person of [n, o]) {
      await person.seesCard('Comes by itself', 'accepted');
    }
    expect(await n.card('Comes by itself').getByTestId('card-cancel').count()).toBe(0);
    await n.hasMoney('€985.00');
    await o.hasMoney('€1,015.00');
    await o.inCard('Comes by itself', async (pane) => {
      await pane.getByTestId('card-refund').waitFor();
    });
  });

  test('A request that nobody pays ends', async () => {
    await n.pay('Request', '9', 'Forgotten', omar);
    await o.card('Forgotten').getByTestId('card-pay').waitFor();
    await comesToItsEnd();
    for (const person of [n, o]) {
      await person.seesCard('Forgotten', 'expired');
    }
    expect(await o.card('Forgotten').getByTestId('card-pay').count()).toBe(0);
  });

  test('What is left in a gift packet returns', async () => {
    await n.composeKind('packet', '10', 'For who is quick');
    await n.confirmSheet('For who is quick');
    await o.act('For who is quick', 'claim');
    const mine = o.card('For who is quick').getByTestId('packet-mine');
    const taken = Number(((await mine.textContent()) ?? '').replace(/\D/g, ''));
    await n.card('For who is quick').getByTestId('packet-progress').getByText('1 of 2 taken').waitFor();
    await comesToItsEnd();
    for (const person of [n, o, p]) {
      await person.seesCard('For who is quick', 'expired');
    }
    expect(await p.card('For who is quick').getByTestId('card-claim').count()).toBe(0);
    await n.hasMoney(euros(98_500 - taken));
    await o.hasMoney(euros(101_500 + taken));
  });

  test('The open parts of a bill end, and a standing payment does', async () => {
    await n.composeKind('split', '30', 'Firewood');
    await n.confirmSheet('Firewood');
    await p.act('Firewood', 'pay', 'Pay €10.00');
    await n.card('Firewood').getByTestId('split-progress').getByText('1 of 2 paid').waitFor();
    await comesToItsEnd();
    for (const person of [n, o, p]) {
      await person.seesCard('Firewood', 'expired');
    }
    expect(await o.card('Firewood').getByTestId('card-pay').count()).toBe(0);
    await p.hasMoney('€990.00');
    await n.composeKind('mandate', '20', 'Bread', priya);
    await n.confirmSheet('Bread');
    await p.card('Bread').getByTestId('card-draw').waitFor();
    await comesToItsEnd();
    for (const person of [n, p]) {
      await person.seesCard('Bread', 'expired');
    }
    expect(await p.card('Bread').getByTestId('card-draw').count()).toBe(0);
  });

  test('Nothing is amiss in the books but the ends of the holds that were moved by hand here', async () => {
    const { output } = await server.command('ledger', 'verify');
    const findings = output
      .split('\n')
      .filter((line) => line.startsWith('finding: '))
      .sort();
    expect(findings, output).toEqual(
      moved
        .map((hold) => `finding: transfer ${hold}: differs from what was decided (payload hash, or the hold's end)`)
        .sort(),
    );
    expect(output).toContain(`Findings: ${moved.length}.`);
    expect([n, o, p].flatMap((person) => person.troubles)).toEqual([]);
  });
});

function euros(cents: number): string {
  return new Intl.NumberFormat('en', { style: 'currency', currency: 'EUR' }).format(cents / 100);
}
