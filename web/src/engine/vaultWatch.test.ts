import { describe, expect, it } from 'vitest';
import type { VaultAttempt } from '../protocol/wire';
import type { VaultSeenRecord } from '../storage/records';
import { vaultOverview, vaultTold } from './keys/vaultTold';
import type { FakeServer } from './testing/fakeServer';
import { keep, pair } from './testing/people';
import { TestDevice, until } from './testing/testDevice';

const pin = '480279';
const quiet = () => undefined;
const stranger = '0198a000-0000-7000-8000-00000000beef';
const visitor = '0198a000-0000-7000-8000-00000000cafe';
const keysOf = (device: TestDevice) => device.engine.services.keys;
const alarmsOf = (device: TestDevice) => keysOf(device).alarms.list.map(({ kind, evidence }) => [kind, evidence[0]]);
const seen = async (device: TestDevice) => (await keysOf(device).core.db.keys<VaultSeenRecord>('vault'))?.guesses ?? [];
const news = (device: TestDevice) => device.screen.keys?.vaultNews ?? -1;

/** Ann with a PIN and a phone that has looked once. */
async function house() {
  const { server, ann, bob } = await pair();
  await keysOf(ann).pins.set(pin, quiet);
  await keysOf(ann).watch();
  const client = server.client();
  return { server, ann, bob, client };
}

/** All realms, or some, list a guess that failed; their clocks differ by seconds. */
function list(server: FakeServer, account: string, minute: number, at = [0, 1, 2], device = stranger): void {
  for (const index of at) {
    const realm = server.keys.realmsOf(account)[index];
    const time = `2026-11-28T12:${String(minute).padStart(2, '0')}:0${index}.123456Z`;
    const attempt: VaultAttempt = { at: time, device, outcome: 'failed', realm: realm?.id ?? '' };
    realm?.listed.unshift(attempt);
  }
}

describe('guesses of the PIN', () => {
  it('that failed on other devices meanwhile alarm at the next greeting, once, also after a restart', async () => {
    const { server, ann } = await house();
    list(server, ann.account, 1, [0, 1, 2], keysOf(ann).core.device.device);
    await keysOf(ann).watch();
    expect(alarmsOf(ann)).toEqual([]);
    list(server, ann.account, 2);
    await ann.reload();
    await ann.online();
    await until(() => alarmsOf(ann).length > 0, 'the greeting looks');
    expect(alarmsOf(ann)).toEqual([['pinGuessed', stranger]]);
    await until(() => news(ann) > 0, 'screens are told');
    await keysOf(ann).alarms.dismiss(keysOf(ann).alarms.list[0]?.number ?? 0);
    await ann.reload();
    await ann.online();
    await keysOf(ann).watch();
    expect(alarmsOf(ann)).toEqual([]);
    list(server, ann.account, 9);
    await keysOf(ann).watch();
    expect(alarmsOf(ann)).toEqual([['pinGuessed', stranger]]);
  });

  it('are one guess, also where a realm tells of it only later, and nothing is forgotten with a realm that is away', async () => {
    const { server, ann } = await house();
    const [, , third = ''] = server.keys.realmIds;
    server.keys.realmsDown.add(third);
    list(server, ann.account, 3);
    await keysOf(ann).watch();
    expect(alarmsOf(ann)).toHaveLength(1);
    await keysOf(ann).alarms.dismiss(keysOf(ann).alarms.list[0]?.number ?? 0);
    server.keys.realmsDown.clear();
    await keysOf(ann).watch();
    server.keys.realmsDown.add(third);
    await keysOf(ann).watch();
    server.keys.realmsDown.clear();
    await keysOf(ann).watch();
    expect(alarmsOf(ann)).toEqual([]);
  });

  it('that a hint told of do not alarm again from the list', async () => {
    const { server, ann } = await house();
    list(server, ann.account, 4);
    const [attempt] = server.keys.realmsOf(ann.account)[0]?.listed ?? [];
    const before = news(ann);
    await keysOf(ann).heard({ account: ann.account, length: 0, attempt: attempt ?? null });
    expect(alarmsOf(ann)).toEqual([['pinGuessed', stranger]]);
    expect(news(ann)).toBe(before + 1);
    await keysOf(ann).alarms.dismiss(keysOf(ann).alarms.list[0]?.number ?? 0);
    await keysOf(ann).watch();
    expect(alarmsOf(ann)).toEqual([]);
  });

  it('of which there are two within a minute alarm twice, where the first was dismissed', async () => {
    const { server, ann } = await house();
    list(server, ann.account, 6);
    await keysOf(ann).watch();
    await keysOf(ann).alarms.dismiss(keysOf(ann).alarms.list[0]?.number ?? 0);
    for (const realm of server.keys.realmsOf(ann.account)) {
      realm.listed.unshift({ at: '2026-11-28T12:06:30.5Z', device: stranger, outcome: 'failed', realm: realm.id });
    }
    const [again] = server.keys.realmsOf(ann.account)[1]?.listed ?? [];
    await keysOf(ann).heard({ account: ann.account, length: 0, attempt: again ?? null });
    expect(alarmsOf(ann)).toEqual([['pinGuessed', stranger]]);
    await keysOf(ann).alarms.dismiss(keysOf(ann).alarms.list[0]?.number ?? 0);
    await keysOf(ann).watch();
    expect(alarmsOf(ann)).toEqual([]);
  });

  it('of a PIN of before are no news to a device that first looks when there is none', async () => {
    const { server, ann } = await pair();
    list(server, ann.account, 7);
    await keysOf(ann).core.write([{ remove: 'keys', id: 'vault' }]);
    await ann.reload();
    await ann.online();
    await keysOf(ann).watch();
    await keysOf(ann).pins.set(pin, quiet);
    await keysOf(ann).watch();
    expect(alarmsOf(ann)).toEqual([]);
    list(server, ann.account, 8);
    await keysOf(ann).watch();
    expect(alarmsOf(ann)).toEqual([['pinGuessed', stranger]]);
  });

  it('from before a device ever looked are in its list and raise nothing', async () => {
    const { server, ann, client } = await house();
    list(server, ann.account, 5);
    const phone = keep(await TestDevice.waiting('ann', client));
    await keysOf(phone).pins.recover(pin, quiet);
    await phone.online();
    await keysOf(phone).watch();
    expect(alarmsOf(phone)).toEqual([]);
    expect((await vaultOverview(keysOf(phone).core.api)).attempts).toHaveLength(1);
  });
});

/** A phone of Ann's that has the keys and has not looked yet, while a guess stands in the lists. */
async function unlooked(minute: number) {
  const found = await house();
  list(found.server, found.ann.account, minute);
  const phone = keep(await TestDevice.waiting('ann', found.client));
  await keysOf(phone).pins.recover(pin, quiet);
  return { ...found, phone };
}

describe('a hint before the first look', () => {
  it('of another guess does not make old ones alarm, and what fails after the look does', async () => {
    const { server, ann, phone } = await unlooked(10);
    list(server, ann.account, 20, [0, 1, 2], visitor);
    const [attempt] = server.keys.realmsOf(ann.account)[0]?.listed ?? [];
    await keysOf(phone).heard({ account: ann.account, length: 0, attempt: attempt ?? null });
    expect(alarmsOf(phone)).toEqual([['pinGuessed', visitor]]);
    await keysOf(phone).watch();
    expect(alarmsOf(phone)).toEqual([['pinGuessed', visitor]]);
    list(server, ann.account, 30);
    await keysOf(phone).watch();
    expect(alarmsOf(phone).map(([, device]) => device)).toContain(stranger);
  });

  it('of a wait does not either', async () => {
    const { ann, client, phone } = await unlooked(11);
    const third = keep(await TestDevice.waiting('ann', client));
    await keysOf(third).pins.waits.begin();
    const [{ wait } = {}] = await vaultTold(keysOf(phone).core.api);
    await keysOf(phone).heard({ account: ann.account, length: 0, wait: wait ?? null });
    await keysOf(phone).watch();
    expect(alarmsOf(phone)).toEqual([['pinWait', third.engine.services.core.device.device]]);
  });

  it('is no look, nor is one that no realm answers', async () => {
    const { server, ann, phone } = await unlooked(12);
    for (const realm of server.keys.realmIds) {
      server.keys.realmsDown.add(realm);
    }
    await keysOf(phone).watch();
    server.keys.realmsDown.clear();
    await keysOf(phone).watch();
    expect(alarmsOf(phone)).toEqual([]);
    expect((await vaultOverview(keysOf(ann).core.api)).attempts).toHaveLength(1);
  });

  it('is kept no longer than until a realm lists the guess', async () => {
    const { server, ann } = await house();
    list(server, ann.account, 13);
    const [attempt] = server.keys.realmsOf(ann.account)[0]?.listed ?? [];
    await keysOf(ann).heard({ account: ann.account, length: 0, attempt: attempt ?? null });
    expect(await seen(ann)).toHaveLength(1);
    await keysOf(ann).watch();
    expect((await seen(ann)).map(({ realm }) => realm)).toEqual(server.keys.realmIds);
  });
});

describe('a wait for the PIN to go', () => {
  it('begun by a device without the keys alarms the others, who see how long it takes and end it', async () => {
    const { ann, client } = await house();
    const phone = keep(await TestDevice.waiting('ann', client));
    expect(await keysOf(phone).pins.waits.begin()).toBe(72 * 3_600_000);
    await keysOf(ann).watch();
    const { device } = phone.engine.services.core.device;
    expect(alarmsOf(ann)).toEqual([['pinWait', device]]);
    // Dismissed, it is not told of again at each greeting; the Security page shows it as long as it lasts.
    await keysOf(ann).alarms.dismiss(keysOf(ann).alarms.list[0]?.number ?? 0);
    await keysOf(ann).watch();
    expect(alarmsOf(ann)).toEqual([]);
    const { wait } = await vaultOverview(keysOf(ann).core.api);
    expect(wait?.device).toBe(device);
    expect((wait?.until ?? 0) - Date.now()).toBeGreaterThan(71 * 3_600_000);
    await expect(keysOf(phone).pins.waits.cancel()).rejects.toThrow('device_not_approved');
    await keysOf(ann).pins.waits.cancel();
    expect((await vaultOverview(keysOf(ann).core.api)).wait).toBeNull();
    expect((await keysOf(ann).pins.guesses.look()).guessesLeft).toBe(10);
  });

  it('cannot be ended where too few realms answer, and the error says so', async () => {
    const { server, ann } = await house();
    for (const realm of server.keys.realmIds.slice(1)) {
      server.keys.realmsDown.add(realm);
    }
    await expect(keysOf(ann).pins.waits.cancel()).rejects.toThrow('vault_too_few');
  });
});

describe('a scanned safety code', () => {
  it('marks somebody as compared where it is theirs, and changes nothing where it is not', async () => {
    const { ann, bob } = await house();
    const shown = (await keysOf(bob).personKeys(ann.account)).safetyCode ?? '';
    const other = `${shown.slice(0, -1)}${shown.endsWith('A') ? 'E' : 'A'}`;
    expect(await keysOf(ann).scanSafety(bob.account, other)).toBe('mismatch');
    expect(await keysOf(ann).scanSafety(bob.account, 'https://example.org')).toBe('notACode');
    const own = (await keysOf(ann).personKeys(bob.account)).safetyCode ?? '';
    expect(await keysOf(ann).scanSafety(bob.account, own)).toBe('otherPerson');
    expect(keysOf(ann).people.isVerified(bob.account)).toBe(false);
    expect(await keysOf(ann).scanSafety(bob.account, `${shown}\n`)).toBe('match');
    expect(keysOf(ann).people.isVerified(bob.account)).toBe(true);
  });
});
