import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch } from '../gallery/browser';
import { GreetingBot } from '../greetingBot';
import { RealServer } from '../server';
import { Person, soon } from './person';
import { asOneStory } from './story';

// Two browsers and a bot written on the .NET SDK in one group: two implementations of MLS that follow each other's commits.
const amina = { handle: 'amina_d', displayName: 'Amina Diallo', password: 'copper lantern walks uphill' };
const benoit = { handle: 'benoit_l', displayName: 'Benoît Laurent', password: 'seven quiet herons landing' };
const bot = { handle: 'greeting_bot', displayName: 'Greeting Bot', password: 'a kettle that never whistles' };
const groupName = 'Harbour café';
const greeting = `Hello ${amina.displayName}!`;
const memo = 'A coffee';

let browser: Browser;
let server: RealServer;
let program: GreetingBot;
let a: Person;
let b: Person;

asOneStory();

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), RealServer.start()]);
  program = await GreetingBot.start(server.url, bot.password);
  a = await Person.signUp(browser, server, amina);
  b = await Person.signUp(browser, server, benoit);
});

afterAll(async () => {
  await program?.stop();
  await browser?.close();
  await server?.stop();
});

describe('Two browsers and a bot in one group', () => {
  test('The bot greets the group, and both read it', async () => {
    await a.createGroup(groupName, [benoit, bot]);
    await a.reads(greeting);
    await b.openChat(groupName);
    await b.reads(greeting);
  });

  test('They talk in front of it', async () => {
    await b.say('A polite one');
    await a.reads('A polite one');
    await expect.poll(() => b.message('A polite one').getAttribute('data-state'), soon).toMatch(/delivered|read/);
  });

  test('What it asks for is paid, to the cent', async () => {
    await a.seesCard(memo, 'open');

    // Between the other two: there is one, and where it stands.
    await b.page.locator('[data-hidden][data-state=open]').first().waitFor();
    await a.act(memo, 'pay', 'Pay €3.50');
    await a.seesCard(memo, 'paid');
    await b.page.locator('[data-hidden][data-state=paid]').first().waitFor();
    await a.hasMoney('€996.50');
  });

  test('Killed and started again it greets nobody twice, and somebody new at once', async () => {
    await program.kill();
    await b.startDirect(bot);
    await b.say('Are you there?');
    await program.run();
    await b.reads(`Hello ${benoit.displayName}!`);
    await b.seesCard(memo, 'open');
    await a.openChat(groupName);
    await b.openChat(groupName);
    await b.say('Whatever it had to say here stands above this');
    await a.reads('Whatever it had to say here stands above this');
    expect(await a.message(greeting).count()).toBe(1);
  });

  test('A second browser joins, the bot goes and comes, and it still reads along and speaks', async () => {
    const laptop = await Person.signIn(browser, server, amina, a);
    await laptop.openChat(groupName);
    await laptop.say('From the laptop');
    await b.openChat(groupName);
    await b.reads('From the laptop');
    await a.removeMember(bot);
    await b.page.locator('[data-kind=removed]').waitFor();
    await a.addMember(bot);
    await expect.poll(() => a.message(greeting).count(), soon).toBe(2);
    await expect.poll(() => b.message(greeting).count(), soon).toBe(2);
    await laptop.reads(greeting);
    expect(laptop.troubles).toEqual([]);
    await laptop.close();
  });

  test('No page met an error that it did not expect, and the bot none at all', () => {
    expect([a, b].flatMap((person) => person.troubles)).toEqual([]);
    expect(program.errors).toBe('');
  });
});
