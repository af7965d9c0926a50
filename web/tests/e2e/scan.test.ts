import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cameraArguments, filmOf } from '../camera';
import { launch } from '../gallery/browser';
import { RealServer } from '../server';
import { Person } from './person';
import { asOneStory } from './story';

const ines = { handle: 'ines_m', displayName: 'Inês Matos', password: 'seven gulls on the roof' };
const jonas = { handle: 'jonas_w', displayName: 'Jonas Weber', password: 'warm bread at six' };
const folder = mkdtempSync(join(tmpdir(), 'chatpay-film-'));

let browser: Browser;
let filming: Browser;
let server: RealServer;
let shower: Person;
let scanner: Person;

asOneStory();

beforeAll(async () => {
  // What the second browser's camera sees is written before each scan.
  const film = filmOf(folder, 'film', '');
  [browser, filming, server] = await Promise.all([launch(), launch(cameraArguments(film)), RealServer.start()]);
  shower = await Person.signUp(browser, server, ines);
  scanner = await Person.signUp(filming, server, jonas);
  await shower.startDirect(jonas);
  await shower.say('Shall we compare?');
  await scanner.openChat(ines.displayName);
  await scanner.reads('Shall we compare?');
  await scanner.say('Hold it up');
  await shower.reads('Hold it up');
});

afterAll(async () => {
  await Promise.all([browser?.close(), filming?.close()]);
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('A camera', () => {
  test('Reads the other person’s safety number from their screen, and marks them as compared', async () => {
    await shower.page.getByTestId('thread-details').click();
    await shower.page.getByTestId('safety').locator('summary').click();
    const shown = (await shower.page.getByTestId('qr').getAttribute('data-text')) ?? '';
    expect(shown).toMatch(/^chatpay:safety:1:/);
    filmOf(folder, 'film', shown);
    await scanner.page.getByTestId('thread-details').click();
    await scanner.page.getByTestId('safety').locator('summary').click();
    await scanner.page.getByTestId('scan-safety').click();
    await scanner.page.getByText(`It is the same. ${ines.displayName} is marked as compared.`).waitFor();
    await scanner.page.getByTestId('verified').waitFor();
  });

  test('Reads the code of a new device, which is let in', async () => {
    const laptop = await Person.waiting(browser, server, jonas);
    filmOf(folder, 'film', ((await laptop.page.getByTestId('approval-code').textContent()) ?? '').trim());
    await scanner.go('#/settings/devices');
    await scanner.page.getByTestId('approve-device').click();
    await scanner.page.getByTestId('scan-approval').click();
    await scanner.page.getByTestId('approve-confirm').click();
    await laptop.page.getByRole('heading', { name: 'Chats' }).waitFor();
    expect([...shower.troubles, ...scanner.troubles, ...laptop.troubles]).toEqual([]);
  });
});
