import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch } from '../gallery/browser';
import { RealServer, readFolder } from '../server';
import { Person, soon } from './person';
import { disguises, find, readEverything } from './secrets';
import { asOneStory } from './story';

// One day of three people, told in order: each test goes on where the one before it stopped.
const amina = { handle: 'amina_d', displayName: 'Amina Diallo', password: 'copper lantern walks uphill' };
const benoit = { handle: 'benoit_l', displayName: 'Benoît Laurent', password: 'seven quiet herons landing' };
const chiara = { handle: 'chiara_r', displayName: 'Chiara Rossi', password: 'umbrella maker of trieste' };
const hello = 'The tram to the harbour leaves at nine';
const answer = 'Then I will be there with coffee';
const groupName = 'Harbour swimmers';
const groupHello = 'Who brings the towels this time?';
const groupAnswer = 'Towels are in my rucksack already';
const transferMemo = 'Tickets for the tram';
const requestMemo = 'Half of the breakfast';
const afterwards = 'Everything is still here after the crash';

/** The log is searched for secrets, so it says all it can. */
const talkative = { Logging__LogLevel__Default: 'Debug', 'Logging__LogLevel__Microsoft.AspNetCore': 'Debug' };

let browser: Browser;
let server: RealServer;
let a: Person;
let b: Person;
let c: Person;

asOneStory();

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), RealServer.start(talkative)]);
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

describe('Three people with a browser each', () => {
  test('They sign up and each finds play money in the wallet', async () => {
    a = await Person.signUp(browser, server, amina);
    b = await Person.signUp(browser, server, benoit);
    c = await Person.signUp(browser, server, chiara);
    await a.hasMoney('€1,000.00');
    await b.hasMoney('€1,000.00');
    await c.hasMoney('€1,000.00');
  });

  test('Two of them chat both ways and see what was read', async () => {
    await a.startDirect(benoit);
    await a.say(hello);
    await b.openChat(amina.displayName);
    await b.reads(hello);
    await b.say(answer);
    await a.reads(answer);
    await expect.poll(() => a.message(hello).getAttribute('data-state'), soon).toBe('read');
  });

  test('All three talk in a group', async () => {
    await a.createGroup(groupName, [benoit, chiara]);
    await a.say(groupHello);
    await b.openChat(groupName);
    await c.openChat(groupName);
    await b.reads(groupHello);
    await c.reads(groupHello);
    await c.say(groupAnswer);
    await a.reads(groupAnswer);
    await b.reads(groupAnswer);
  });

  test('A payment in the group waits on hold until it is accepted', async () => {
    await a.pay('Send', '12.34', transferMemo, benoit);
    // The third sees that there is a payment, and neither what it is for nor what is to be done with it.
    const hidden = c.page.locator('[data-hidden]').last();
    await hidden.and(c.page.locator('[data-state=held]')).waitFor();
    expect(await hidden.textContent()).not.toContain(transferMemo);
    expect(await hidden.getByRole('button').count()).toBe(0);
    await a.hasMoney('€987.66', '€12.34');
    await b.hasMoney('€1,000.00');
    await b.seesCard(transferMemo, 'held');
    await b.act(transferMemo, 'accept');
    await Promise.all([a, b].map((person) => person.seesCard(transferMemo, 'accepted')));
    await hidden.and(c.page.locator('[data-state=accepted]')).waitFor();
    await a.hasMoney('€987.66');
    await b.hasMoney('€1,012.34');
    await c.hasMoney('€1,000.00');
  });

  test('A request is paid at once', async () => {
    await a.openChat(benoit.displayName);
    await b.openChat(amina.displayName);
    await a.pay('Request', '5.00', requestMemo);
    await b.seesCard(requestMemo, 'open');
    await b.hasMoney('€1,012.34');
    await b.act(requestMemo, 'pay', 'Pay €5.00');
    await a.seesCard(requestMemo, 'paid');
    await b.seesCard(requestMemo, 'paid');
    await a.hasMoney('€992.66');
    await b.hasMoney('€1,007.34');
  });

  test('Both statements tell it line by line', async () => {
    await a.hasStatement(['transfer', 'capture', 'hold', 'funding']);
    await b.hasStatement(['transfer', 'capture', 'funding']);
  });

  test('After kill -9 the server recovers by itself, the browsers come back, and nothing has changed', async () => {
    const before = await settledHistories();
    await server.kill();
    await Promise.all([a, b, c].map((person) => person.page.getByTestId('reconnect-banner').waitFor()));
    await server.run();
    await Promise.all(
      [a, b, c].map((person) => person.page.getByTestId('reconnect-banner').waitFor({ state: 'detached' })),
    );
    await Promise.all([a, b, c].map((person) => person.page.reload()));
    expect(await settledHistories()).toEqual(before);
    await a.hasMoney('€992.66');
    await b.hasMoney('€1,007.34');
    await c.hasMoney('€1,000.00');
  });

  test('They go on talking where they stopped', async () => {
    await a.openChat(groupName);
    await c.openChat(groupName);
    await a.say(afterwards);
    await c.reads(afterwards);
  });

  test('The books are in order, by the same program while the server runs', async () => {
    const { exitCode, output } = await server.command('ledger', 'verify');
    expect(output).toContain('The ledger is clean.');
    expect(exitCode, output).toBe(0);
  });

  test('No page met an error that it did not expect', () => {
    expect([a, b, c].flatMap((person) => person.troubles)).toEqual([]);
  });
});

describe('What the server holds after that day', () => {
  const secrets = [
    hello,
    answer,
    groupName,
    groupHello,
    groupAnswer,
    transferMemo,
    requestMemo,
    afterwards,
    amina.password,
    benoit.password,
    chiara.password,
  ];

  test('No column of any table holds a message, memo, group name or password in any disguise', async () => {
    const values = await readEverything(await server.database());
    expect(values.length).toBeGreaterThan(500);
    expect(secrets.flatMap((secret) => find(secret, values))).toEqual([]);
    // The same search does find what the server is meant to know.
    expect(find(amina.handle, values)).toContain('account.handle');
  });

  test('No log holds one either', async () => {
    const logs = [
      { where: 'the log', bytes: Buffer.from(server.output) },
      { where: 'the log of PostgreSQL', bytes: Buffer.from(readFolder((await server.database()).logFolder)) },
    ];
    expect(logs.every((log) => log.bytes.length > 500)).toBe(true);
    expect(secrets.flatMap((secret) => find(secret, logs))).toEqual([]);
    expect(find('/v1/conversations', logs)).toEqual(['the log']);
  });

  test('The search sees through every disguise, wherever it starts', () => {
    for (const [name, forms] of Object.entries(disguises(hello))) {
      for (const form of forms) {
        const bytes = Buffer.concat([Buffer.from('before '), form, Buffer.from(' after')]);
        expect(find(hello, [{ where: name, bytes }]), name).toEqual([name]);
      }
    }
    for (const before of ['', 'x', 'xy', 'xyz']) {
      for (const encoding of ['base64', 'base64url', 'hex'] as const) {
        const bytes = Buffer.from(Buffer.from(`${before}${hello} and more`).toString(encoding));
        expect(find(hello, [{ where: encoding, bytes }])).toEqual([encoding]);
      }
    }
  });
});

/** Every conversation as everybody sees it, once all is read. */
async function settledHistories(): Promise<string[][]> {
  const histories: string[][] = [];
  for (const [person, title] of [
    [a, benoit.displayName],
    [b, amina.displayName],
    [a, groupName],
    [b, groupName],
    [c, groupName],
  ] as const) {
    await person.openChat(title);
    await expect.poll(() => person.page.getByTestId('thread-item').count(), soon).toBeGreaterThan(3);
    const unsettled = person.page.locator('[data-state=sending], [data-state=sent], [data-state=delivered]');
    await expect.poll(() => unsettled.count(), soon).toBe(0);
    histories.push(await person.history());
  }
  return histories;
}
