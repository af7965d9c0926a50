import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch } from '../gallery/browser';
import { RealServer } from '../server';
import { Person } from './person';
import { asOneStory } from './story';

const pin = '480279';
const ines = { handle: 'ines_b', displayName: 'Inès Baptiste', password: 'windows over the old harbour' };
const jonas = { handle: 'jonas_w', displayName: 'Jonas Weber', password: 'seven bicycles and a bell' };
const groupName = 'Allotment';
const shortLived = 'For a month';

/** A chunk waits twenty seconds for more. */
const inTime = { timeout: 90_000, interval: 250 };

let browser: Browser;
let server: RealServer;
let first: Person;
let second: Person;
let other: Person;

asOneStory();

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), RealServer.start()]);
  first = await Person.signUp(browser, server, ines, {}, pin);
  other = await Person.signUp(browser, server, jonas);
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

/** As the page itself asks the server. */
function ask<T>(page: Page, path: string, method = 'GET', body?: unknown): Promise<T> {
  return page.evaluate(
    async ({ path, method, body }) => {
      const headers = body === undefined ? {} : { 'content-type': 'application/json' };
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      const answer = await fetch(path, { method, headers, ...sent });
      return (await answer.text().then((text) => (text ? JSON.parse(text) : null))) as never;
    },
    { path, method, body },
  );
}

/** Everything that this browser has is in the archive: nothing waits any more. */
async function isArchived(person: Person): Promise<void> {
  const { page } = person;
  const before = new URL(page.url()).hash;
  await person.go('#/settings/security');
  const section = page.getByTestId('archive');
  await section.and(page.locator('[data-state=on]')).waitFor();
  const bytes = async () => Number(await section.getByTestId('archive-used').getAttribute('data-bytes'));
  await expect.poll(bytes, inTime).toBeGreaterThan(0);
  await expect
    .poll(() => section.getByText('on their way').or(section.getByText('on its way')).count(), inTime)
    .toBe(0);
  await expect.poll(() => section.getByText('being taken into the archive').count(), inTime).toBe(0);
  await person.go(before);
}

describe('Somebody with a PIN and an archive', () => {
  test('Writes, pays, and turns the archive on, which says before what it costs', async () => {
    await first.startDirect(jonas);
    await first.say('Before there was an archive');
    await first.pay('Send', '4.00', 'Tomato seeds');
    await other.openChat(ines.displayName);
    await other.reads('Before there was an archive');
    await other.seesCard('Tomato seeds', 'held');
    await first.createGroup(shortLived, [jonas]);
    const id = new URL(first.page.url()).hash.split('/')[2] ?? '';
    await ask(first.page, `/v1/conversations/${id}/retention`, 'PUT', { days: 30 });
    await first.page.locator('[data-kind=retention]').waitFor();
    await first.say('Gone in a month');
    await first.go('#/settings/security');
    const section = first.page.getByTestId('archive');
    await section.getByText('Off.').waitFor();
    await section.getByText('Whoever has your PIN').waitFor();
    await section.getByTestId('archive-on').click();
    await first.page.getByRole('alertdialog').getByRole('button', { name: 'Turn on' }).click();
    await isArchived(first);
  });

  test('What comes after it is kept as well', async () => {
    await first.openChats();
    await first.createGroup(groupName, [jonas]);
    await first.say('Who waters in August?');
    await other.openChat(groupName);
    await other.say('I do');
    await first.reads('I do');
    await first.openChats();
    await isArchived(first);
    expect(first.troubles).toEqual([]);
  });

  test('In another browser the PIN brings identity and history, and contacts see no change', async () => {
    await first.close();
    second = await Person.waiting(browser, server, ines);
    await second.page.getByLabel('PIN or passphrase').fill(pin);
    await second.page.getByRole('button', { name: 'Continue' }).click();
    await second.page.getByRole('heading', { name: 'Chats' }).waitFor();
    // Until their names are there, groups are called by who is in them.
    await second.row(groupName).waitFor();
    await second.row(shortLived).waitFor();
    await second.openChat(jonas.displayName);
    await second.reads('Before there was an archive');
    await second.seesCard('Tomato seeds', 'held');
    expect(await second.page.locator('[data-kind=historyStartsHere]').count()).toBe(0);
    await second.openChat(groupName);
    await second.reads('Who waters in August?');
    await second.reads('I do');
    await second.say('Back, with everything');
    await other.reads('Back, with everything');
    expect(await other.page.getByTestId('changed-keys').count()).toBe(0);
  });

  test('A conversation that is kept for some time only was never archived', async () => {
    await second.openChat(shortLived);
    await second.page.locator('[data-kind=historyStartsHere]').waitFor();
    expect(await second.message('Gone in a month').count()).toBe(0);
  });

  test('The key log shows the new device', async () => {
    const { account, device } = await ask<{ account: { id: string }; device: { id: string } }>(second.page, '/v1/me');
    const chain = await ask<{ entries: { entry: string }[] }>(
      second.page,
      `/v1/keys/accounts/${account.id}?from=0&size=0`,
    );
    const added = chain.entries.map(({ entry }) => Buffer.from(entry, 'base64')).filter((entry) => entry[1] === 3);
    expect(added).toHaveLength(2);
    expect(added[1]?.subarray(58, 74).toString('hex')).toBe(device.id.replaceAll('-', ''));
    await second.go('#/settings/security');
    await second.page.getByText('2 devices have your keys.').waitFor();
    await second.page.getByTestId('archive').getByText('Your history was brought back.').waitFor();
    expect(await second.page.getByTestId('alarm').count()).toBe(0);
  });

  test('Turned off it is deleted: a third browser gets no history', async () => {
    await second.page.getByTestId('archive-off').click();
    await second.page.getByRole('alertdialog').getByRole('button', { name: 'Delete archive' }).click();
    await second.page.getByText('The archive is deleted.').waitFor();
    expect(await ask(second.page, '/v1/archive')).toMatchObject({ bytes: 0, streams: [] });
    const third = await Person.waiting(browser, server, ines);
    await third.page.getByLabel('PIN or passphrase').fill(pin);
    await third.page.getByRole('button', { name: 'Continue' }).click();
    await third.page.getByRole('heading', { name: 'Chats' }).waitFor();
    await third.row(groupName).waitFor();
    await third.openChat(groupName);
    await third.page.locator('[data-kind=historyStartsHere]').waitFor();
    await other.say('Can you read this?');
    await third.reads('Can you read this?');
    expect(await third.message('Who waters in August?').count()).toBe(0);
    expect([...second.troubles, ...third.troubles, ...other.troubles]).toEqual([]);
  });
});
