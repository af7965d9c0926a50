import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { FixtureApp } from '../fixtures/app.svelte';
import { aminaPays, ids } from '../fixtures/cards';
import { now } from '../fixtures/people';
import { contextFor, type Gallery, launch, serveGallery } from '../gallery/browser';
import { tabTo } from '../keyboard';

let browser: Browser;
let gallery: Gallery;
let page: Page;

beforeAll(async () => {
  gallery = await serveGallery();
  browser = await launch();
});

afterEach(async () => {
  await page.context().close();
});

afterAll(async () => {
  await browser.close();
  await gallery.close();
});

async function open(scene: string, hash: string): Promise<void> {
  const context = await contextFor(browser, { device: 'desktop', theme: 'light', language: 'en' });
  page = await context.newPage();
  page.setDefaultTimeout(60_000);
  await page.clock.setFixedTime(now);
  await page.goto(`${gallery.url}?scene=${scene}${hash}`);
}

describe('While the keys of somebody have changed', () => {
  test('A card of theirs cannot be accepted, says why, and leads to the comparison', async () => {
    await open('changed', `#/c/${ids.amina}`);
    const card = page.locator(`[data-card="${aminaPays.id}"]`);
    await expect.poll(() => card.getByTestId('card-accept').isDisabled()).toBe(true);
    const why = (await card.getByTestId('card-accept').getAttribute('aria-describedby')) ?? '';
    expect(await page.locator(`[id="${why}"]`).textContent()).toMatch(
      /^Nothing is paid here until you accept the new keys/,
    );
    // What moves no money to them goes on.
    expect(await card.getByTestId('card-decline').isDisabled()).toBe(false);
    await card.getByRole('link', { name: 'Compare keys' }).click();
    await page.getByTestId('scan-safety').waitFor();
  });

  test('The sheet to pay says so before anything is typed, and everything goes on once they are accepted', async () => {
    await open('changed', `#/c/${ids.amina}/pay`);
    await page.getByRole('dialog').getByTestId('pay-blocked').waitFor();
    expect(await page.getByTestId('amount').count()).toBe(0);
    await page.keyboard.press('Escape');
    await page.getByTestId('accept-keys').click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Accept new keys' }).click();
    await page.getByTestId('pay-button').click();
    await page.getByTestId('amount').waitFor();
    await page.keyboard.press('Escape');
    await expect
      .poll(() => page.locator(`[data-card="${aminaPays.id}"]`).getByTestId('card-accept').isDisabled())
      .toBe(false);
  });
});

test.each(['stranger', 'strangerAccepted'])(
  'Beside a device that somebody’s keys do not know nothing can be written or paid or accepted (%s)',
  async (scene) => {
    await open(scene, `#/c/${ids.amina}`);
    await page.getByTestId('changed-keys').getByText('An unknown device in the name of').waitFor();
    expect(await page.getByTestId('composer').count()).toBe(0);
    expect(await page.getByTestId('accept-keys').count()).toBe(0);
    expect(await page.getByTestId('changed-keys').textContent()).not.toContain('new keys');
    const card = page.locator(`[data-card="${aminaPays.id}"]`);
    await expect.poll(() => card.getByTestId('card-accept').isDisabled()).toBe(true);
    await card.getByText('Nothing is paid here while an unknown device is in this conversation').waitFor();
  },
);

test('Where somebody has a device that is not theirs, and somebody else new keys, both is said, and one comparison offered', async () => {
  await open('strangerAndChanged', `#/c/${ids.group}/pay`);
  const dialog = page.getByRole('dialog');
  await dialog.getByTestId('pay-blocked').waitFor();
  const blocked = dialog.getByTestId('pay-blocked');
  expect((await blocked.locator('p').textContent())?.trim()).toBe(
    'Nothing is paid here while an unknown device is in this conversation in the name of Sam Okafor. ' +
      'Nothing is paid here until you accept the new keys of Bashir Karimi.',
  );
  expect(await blocked.getByRole('link', { name: 'Compare keys' }).count()).toBe(1);
  await page.keyboard.press('Escape');
  const changed = page.getByTestId('changed-keys');
  await changed.getByText('An unknown device in the name of Sam Okafor').waitFor();
  await changed.getByText('Bashir Karimi has new keys').waitFor();
  // To accept those of the one lets nobody in who is not the other's.
  await changed.getByTestId('accept-keys').click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Accept new keys' }).click();
  await changed.getByText('Bashir Karimi has new keys').waitFor({ state: 'detached' });
  expect(await page.getByTestId('composer').count()).toBe(0);
});

describe('Devices that the server does not list', () => {
  test('Are shown with what is known of them, and removed without it', async () => {
    await open('hiddenDevices', '#/settings/devices');
    const devices = page.getByTestId('unlisted-device');
    await expect.poll(() => devices.count()).toBe(3);
    const unknown = page.locator('[data-testid=unlisted-device][data-standing=unknown]');
    await unknown.getByText('your keys do not know it and the server does not list it').waitFor();
    await unknown.getByText('In 3 conversations').waitFor();
    expect(await page.getByTestId('device').count()).toBe(4);
    await unknown.getByRole('button', { name: /^Remove the device with the key/ }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByText('The device was removed, and is in none of your conversations any more.').waitFor();
    await expect.poll(() => devices.count()).toBe(2);
    expect(await unknown.count()).toBe(0);
  });

  test('Are where one in the own name that stops a conversation is removed', async () => {
    await open('ownStranger', `#/c/${ids.amina}`);
    const changed = page.getByTestId('changed-keys');
    await changed.getByText('An unknown device in your name').waitFor();
    expect(await page.getByTestId('composer').count()).toBe(0);
    const card = page.locator(`[data-card="${aminaPays.id}"]`);
    await card.getByText('an unknown device is in this conversation in your name').waitFor();
    await changed.getByRole('link', { name: 'See devices' }).click();
    await page.getByTestId('device').first().waitFor();
  });
});

test('A PIN that was cut off and brings nothing back has to be set again, by the button there', async () => {
  await open('pinVoid', '#/settings/security');
  const section = page.getByTestId('pin-section');
  await section.getByText('Set your PIN again.').waitFor();
  expect(await section.getAttribute('data-set')).toBe('false');
  // No other place asks for it either.
  expect(await page.getByTestId('pin-entry').count()).toBe(0);
  await section.getByRole('button', { name: 'Set PIN again' }).click();
  await section.getByLabel('PIN', { exact: true }).fill('480279');
  await section.getByLabel('Once more').fill('480279');
  await section.getByRole('button', { name: 'Set PIN again' }).click();
  await section.getByText('Your PIN is set.').waitFor();
  await expect.poll(() => section.getAttribute('data-set')).toBe('true');
});

describe('A PIN that the vault has lost', () => {
  test('Is asked for by an alarm that leads to the form, by keyboard, and is right again once it is set', async () => {
    await open('pinExhausted', '#/settings/security');
    const section = page.getByTestId('pin-section');
    await section.getByTestId('pin-lost').getByText('the vault has destroyed what it kept of it').waitFor();
    expect(await section.getAttribute('data-set')).toBe('false');
    // What is destroyed cannot be given back.
    await page.getByTestId('attempt').first().waitFor();
    expect(await page.getByTestId('give-back').count()).toBe(0);
    const alarm = page.locator('[data-testid=alarm][data-kind=pinLost]');
    await tabTo(page, /^Set PIN again/);
    await page.keyboard.press('Enter');
    const field = section.getByLabel('PIN', { exact: true });
    await expect.poll(() => field.evaluate((node) => node === document.activeElement)).toBe(true);
    await page.keyboard.type('480279');
    await section.getByLabel('Once more').fill('480279');
    await section.getByRole('button', { name: 'Set PIN again' }).click();
    await section.getByText('Your PIN is set.').waitFor();
    await alarm.waitFor({ state: 'detached' });
    expect(await section.getByTestId('pin-lost').count()).toBe(0);
    // Nobody has guessed wrongly since.
    await page.getByText('10 guesses left').waitFor();
    expect(await page.getByTestId('give-back').count()).toBe(0);
  });

  test.each([
    ['pinLocked', 'locked', 'The vault was restored from a backup'],
    ['pinMissing', 'missing', 'Your keys name one, but the vault has none'],
  ])('Says why (%s)', async (scene, loss, words) => {
    await open(scene, '#/settings/security');
    await page.locator(`[data-testid=pin-lost][data-loss=${loss}]`).getByText(words).waitFor();
    await page.getByTestId('pin-section').getByRole('button', { name: 'Set PIN again' }).waitFor();
  });

  test.each([
    ['waitingExhausted', 'exhausted', 'All guesses of your PIN were used up'],
    ['waitingLocked', 'locked', 'The PIN vault was restored from a backup'],
  ])('Is told of on a device that needs it, before anything is typed and after (%s)', async (scene, loss, words) => {
    await open(scene, '#/');
    const gone = page.locator(`[data-testid=pin-gone][data-loss=${loss}]`);
    await gone.getByText(words).waitFor();
    expect(await page.getByText('guesses left').count()).toBe(0);
    await page.getByLabel('PIN or passphrase').fill('480279');
    await page.getByRole('button', { name: 'Continue' }).click();
    await expect.poll(() => page.getByLabel('PIN or passphrase').inputValue()).toBe('');
    await gone.waitFor();
    expect(await page.getByRole('alert').count()).toBe(1);
  });

  test('Is not lost with one part that lies, which is named', async () => {
    await open('pinLied', '#/');
    await page.getByLabel('PIN or passphrase').fill('480279');
    await page.getByRole('button', { name: 'Continue' }).click();
    const said = page.getByRole('alert');
    await said.getByText('an answer that no honest one gives').waitFor();
    await said.getByText('It was part 3, run by Verein Freie Schlüssel at https://realm-3.').waitFor();
  });
});

describe('A server that names other realms', () => {
  test('Is told of, and the form says where a PIN would go before one is typed', async () => {
    await open('realmsOtherHosts', '#/settings/security');
    await page.locator('[data-testid=alarm][data-kind=realmsOther]').getByText('ask them').waitFor();
    const lied = page.locator('[data-testid=alarm][data-kind=realmLied]');
    await lied.getByText('It was part 3, run by Verein Freie Schlüssel at https://realm-3.').waitFor();
    const section = page.getByTestId('pin-section');
    await section
      .locator('[data-loss=realms_other]')
      .getByText('ChatPay has changed nothing where it was set')
      .waitFor();
    await section.getByRole('button', { name: 'Set PIN again' }).click();
    const elsewhere = section.getByTestId('pin-elsewhere');
    await elsewhere.getByText('This PIN goes to other parts of a vault than the one before: 3 parts.').waitFor();
    expect(await elsewhere.getByRole('listitem').count()).toBe(3);
    await section.getByLabel('PIN', { exact: true }).fill('480279');
    await section.getByLabel('Once more').fill('480279');
    await section.getByRole('button', { name: 'Set PIN again' }).click();
    await section.getByText('Your PIN is set.').waitFor();
    expect(await section.locator('[data-loss=realms_other]').count()).toBe(0);
  });

  test('Does not have the PIN removed, and says why', async () => {
    await open('realmsOther', '#/settings/security');
    const remove = page.getByTestId('remove-pin');
    await page.getByText('the server does not name the parts that have it').waitFor();
    expect(await remove.isDisabled()).toBe(true);
  });

  test('Gets a PIN that brought nothing back by who was shown where it goes', async () => {
    await open('pinVoidElsewhere', '#/settings/security');
    const section = page.getByTestId('pin-section');
    await section.getByText('now names other parts').waitFor();
    await section.getByRole('button', { name: 'Set PIN again' }).click();
    await section.getByTestId('pin-elsewhere').waitFor();
    await section.getByLabel('PIN', { exact: true }).fill('480279');
    await section.getByLabel('Once more').fill('480279');
    await section.getByRole('button', { name: 'Set PIN again' }).click();
    await section.getByText('Your PIN is set.').waitFor();
  });

  test('Leaves a way to who has not the archive’s key: another device, or no archive', async () => {
    await open('archiveElsewhere', '#/settings/security');
    const section = page.getByTestId('pin-section');
    await section.getByRole('button', { name: 'Set PIN again' }).click();
    const first = section.getByTestId('archive-first');
    await first.getByText('set the PIN again on that one').waitFor();
    expect(await page.getByTestId('pin-entry').count()).toBe(0);
    await first.getByTestId('archive-delete').click();
    await page.getByRole('button', { name: 'Delete archive' }).click();
    await section.getByTestId('pin-elsewhere').waitFor();
    await section.getByLabel('PIN', { exact: true }).waitFor();
  });

  test('Is told of on a device that needs the PIN', async () => {
    await open('waitingElsewhere', '#/');
    await page.locator('[data-testid=pin-gone][data-loss=realms_other]').getByText('told them nothing of it').waitFor();
  });
});

test('Parts that have another PIN than the keys name are told as both that it may be', async () => {
  await open('pinDisagrees', '#/');
  await page.getByLabel('PIN or passphrase').fill('480279');
  await page.getByRole('button', { name: 'Continue' }).click();
  const said = page.getByRole('alert');
  await said.getByText('Either a PIN was just being set, or its setting was cut off').waitFor();
  await said.getByText('Or the server names other parts than those where you set it').waitFor();
});

test('A part that lies beside a wrong PIN is named', async () => {
  await open('pinLiedWrong', '#/');
  await page.getByLabel('PIN or passphrase').fill('480270');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByText('This is not your PIN. 6 guesses left.').waitFor();
  await page.getByTestId('liars').getByText('no honest one gives: part 3, run by Verein Freie Schlüssel').waitFor();
});

test('Guesses are shown ten at first and all in the end, by keyboard', async () => {
  await open('attemptsMany', '#/settings/security');
  const attempts = page.getByTestId('attempt');
  await expect.poll(() => attempts.count()).toBe(10);
  await page.getByText('1,600 guesses in all; the newest 10 are shown.').waitFor();
  await tabTo(page, /^Show more/);
  await page.keyboard.press('Enter');
  await expect.poll(() => attempts.count()).toBe(110);
  await page.getByText('1,600 guesses in all; the newest 110 are shown.').waitFor();
  await expect.poll(() => attempts.nth(10).evaluate((node) => node === document.activeElement)).toBe(true);
  for (let shown = 110; shown < 1600; shown += 100) {
    await page.getByTestId('more-attempts').click();
  }
  await expect.poll(() => attempts.count()).toBe(1600);
  expect(await page.getByTestId('more-attempts').count()).toBe(0);
});

test('Guesses are given back where some have failed', async () => {
  await open('rich', '#/settings/security');
  await page.getByText('7 guesses left').waitFor();
  await page.getByTestId('give-back').click();
  await page.getByText('10 guesses left').waitFor();
  await expect.poll(() => page.getByTestId('give-back').count()).toBe(0);
});

test('A number that was compared and is another one by now is said to be so', async () => {
  await open('otherNumber', `#/c/${ids.bashir}/details`);
  await page.getByTestId('safety').locator('summary').click();
  await page.getByTestId('mark-verified').click();
  await page.getByTestId('safety-differs').waitFor();
  expect(await page.getByTestId('mark-verified').count()).toBe(0);
  expect(await page.getByTestId('verified').count()).toBe(0);
});

test('History that comes back is told of at its beginning and its end, not at each step', async () => {
  await open('restoring', '#/settings/security');
  const announcer = page.getByTestId('announcer');
  await page.getByTestId('restore').getByText('Bringing your history back: 30%.').waitFor();
  await expect.poll(() => announcer.textContent()).toContain('Bringing your history back: 30%.');
  await restored(60, false);
  await page.getByTestId('restore').getByText('Bringing your history back: 50%.').waitFor();
  expect(await announcer.textContent()).toContain('30%');
  expect(await page.getByTestId('restore').getByRole('status').count()).toBe(0);
  await restored(120, true);
  await expect.poll(() => announcer.textContent()).toContain('Your history was brought back.');
});

function restored(done: number, isDone: boolean): Promise<void> {
  return page.evaluate(
    (restore) => {
      const { fixture } = window as unknown as { fixture: FixtureApp };
      const { archive } = fixture.security;
      fixture.security = { ...fixture.security, archive: { ...archive, restore } };
    },
    { done, total: 120, isDone, damaged: 0, isPaused: false },
  );
}

describe('A wait for the PIN to go', () => {
  test('Is shown with what is left of it, and stopped from the Security page', async () => {
    await open('alarms', '#/settings/security');
    const wait = page.getByTestId('vault-wait');
    await wait.getByText(/^Possible in \d+ days?, on /).waitFor();
    await wait.getByRole('button', { name: 'Stop it' }).click();
    await page.getByText('It is stopped. Your PIN stays as it is.').waitFor();
    await expect.poll(() => wait.count()).toBe(0);
  });

  test('Is stopped from its alarm, by keyboard, and the alarm goes with it', async () => {
    await open('alarms', '#/settings/security');
    const alarm = page.locator('[data-testid=alarm][data-kind=pinWait]');
    await alarm.waitFor();
    await tabTo(page, /^Stop it/);
    await page.keyboard.press('Enter');
    await alarm.waitFor({ state: 'detached' });
    // The page has read the vault again by itself.
    await page.getByTestId('vault-wait').waitFor({ state: 'detached' });
  });

  test('Is begun where the vault keeps the PIN under other keys', async () => {
    await open('alarms', '#/settings/security');
    await page.getByTestId('pin-section').getByRole('button', { name: 'Change PIN' }).click();
    await page.getByLabel('PIN', { exact: true }).fill('590381');
    await page.getByLabel('Once more').fill('590381');
    await page.getByTestId('pin-form').getByRole('button', { name: 'Change PIN' }).click();
    await page.getByRole('button', { name: 'Start the wait' }).click();
    await page.getByText('The wait is running: in 3 days you can set the PIN here.').waitFor();
  });
});

describe('The archive', () => {
  const section = () => page.getByTestId('archive');

  test('Says that the PIN was right, and that this device takes part', async () => {
    await open('archiveLocked', '#/settings/security');
    await section().getByLabel('PIN or passphrase').fill('480279');
    await section().getByRole('button', { name: 'Continue' }).click();
    await section().getByText('Your PIN was right').waitFor();
    await section().getByText('On. Everything').waitFor();
    await expect.poll(() => section().getByTestId('pin-entry').count()).toBe(0);
  });

  test('Says that the server could not be asked, and asks again', async () => {
    await open('archiveUnknown', '#/settings/security');
    await section().getByRole('alert').waitFor();
    await section().getByRole('button', { name: 'Try again' }).click();
    await section().getByText('On. Everything').waitFor();
  });

  test('Can only be deleted where the server keeps none any more', async () => {
    await open('archiveGone', '#/settings/security');
    await section().getByText('This server keeps no archives at present').waitFor();
    await expect.poll(() => section().getByRole('button').count()).toBe(1);
    await section().getByTestId('archive-off').click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Delete archive' }).click();
    await section().getByText('The archive is deleted.').waitFor();
    await expect.poll(() => section().getByRole('button').count()).toBe(0);
  });

  test('Says that the history has stopped coming, goes on when told to, and that no PIN brings it', async () => {
    await open('restorePaused', '#/settings/security');
    await section().getByText('There is no PIN any more').waitFor();
    await section().getByText('could not be brought back so far').waitFor();
    await section().getByRole('button', { name: 'Try again' }).click();
    await expect.poll(() => section().getByText('could not be brought back so far').count()).toBe(0);
    await section().getByText('Bringing your history back').waitFor();
  });
});
