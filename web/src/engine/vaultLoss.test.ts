import { describe, expect, it, vi } from 'vitest';
import { toHex } from '../protocol/bytes';
import type { VaultSeenRecord } from '../storage/records';
import { VaultRejection } from '../vault/rejection';
import type { FakeServer } from './testing/fakeServer';
import { keep, pair } from './testing/people';
import { chainOf, keysOf, nextPin, pin, quiet } from './testing/pins';
import { TestDevice, until } from './testing/testDevice';

const wrong = '771144';
const alarmsOf = (device: TestDevice) => keysOf(device).alarms.list.map(({ kind }) => kind);
const stateOf = (device: TestDevice) => [keysOf(device).security.pin, keysOf(device).security.pinLoss];

/** Ann with a PIN, and a browser of hers that has no keys yet. */
async function house() {
  const { server, ann } = await pair();
  await ann.engine.services.payPin.set(pin, quiet);
  await keysOf(ann).watch();
  const phone = keep(await TestDevice.waiting('ann', server.client()));
  return { server, ann, phone };
}

async function nameOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (thrown) => thrown?.info?.name,
  );
}

/** What the realms, or some of them, have lost. */
function lose(server: FakeServer, account: string, reason: VaultRejection, at = [0, 1, 2]): void {
  for (const index of at) {
    const realm = server.keys.realmsOf(account)[index];
    if (realm) {
      realm.record = reason === VaultRejection.notRegistered ? null : realm.record;
      realm.isLocked = reason === VaultRejection.locked;
      realm.used = reason === VaultRejection.guessesExhausted ? 10 : realm.used;
    }
  }
}

describe('a PIN whose guesses are used up', () => {
  it('is said to be gone with the last of them, and the signed-in device asks to set it again, once', async () => {
    const { server, ann, phone } = await house();
    for (let guess = 1; guess <= 9; guess++) {
      expect(await nameOf(keysOf(phone).pins.recover(wrong, quiet))).toBe('wrong_pin');
    }
    await keysOf(ann).watch();
    expect(stateOf(ann)).toEqual(['set', null]);
    // None is left now; one whose end nobody has told of may turn out right yet, and be given back.
    await expect(keysOf(phone).pins.recover(wrong, quiet)).rejects.toMatchObject({
      info: { name: 'wrong_pin', details: { guessesLeft: 0 } },
    });
    await keysOf(ann).watch();
    expect([stateOf(ann), alarmsOf(ann)]).toEqual([['set', null], []]);
    expect(await nameOf(keysOf(phone).pins.recover(pin, quiet))).toBe('vault_used_up');
    for (const realm of server.keys.realmsOf(ann.account)) {
      realm.lapse();
    }
    expect(await nameOf(keysOf(phone).pins.recover(pin, quiet))).toBe('vault_exhausted');
    const gone = { guessesLeft: null, loss: 'exhausted', isUsable: false };
    expect(await keysOf(phone).pins.guesses.look()).toMatchObject(gone);
    expect(await nameOf(keysOf(ann).pins.guesses.giveBack())).not.toBe('done');

    await keysOf(ann).watch();
    expect(stateOf(ann)).toEqual(['lost', 'exhausted']);
    expect(alarmsOf(ann)).toEqual(['pinLost']);
    expect(await nameOf(ann.engine.services.archive.turnOn())).toBe('archive_needs_pin');
    const [alarm] = keysOf(ann).alarms.list;
    expect(alarm?.evidence[0]).toBe(toHex(chainOf(server, ann)?.vaultDigest ?? new Uint8Array()));
    await keysOf(ann).alarms.dismiss(alarm?.number ?? 0);
    await ann.reload();
    await ann.online();
    await keysOf(ann).watch();
    expect([stateOf(ann), alarmsOf(ann)]).toEqual([['lost', 'exhausted'], []]);
  });

  it('is looked at again two minutes later where the last guess may turn out right still', async () => {
    const { server, ann, phone } = await house();
    for (const realm of server.keys.realmsOf(ann.account)) {
      realm.used = 9;
    }
    expect(await nameOf(keysOf(phone).pins.recover(wrong, quiet))).toBe('wrong_pin');
    const timers = vi.spyOn(globalThis, 'setTimeout');
    await keysOf(ann).watch();
    expect(stateOf(ann)).toEqual(['set', null]);
    const [later] = timers.mock.calls.filter(([, ms]) => ms === 120_000);
    timers.mockRestore();
    for (const realm of server.keys.realmsOf(ann.account)) {
      realm.lapse();
    }
    later?.[0]();
    await until(() => stateOf(ann)[0] === 'lost', 'it is said without a greeting');
  });

  it('is right again once it is set, on all devices, and lets in who waits', async () => {
    const { server, ann, phone } = await house();
    const tablet = keep(await TestDevice.signIn('ann', server.client(), ann));
    lose(server, ann.account, VaultRejection.guessesExhausted);
    await Promise.all([keysOf(ann).watch(), keysOf(tablet).watch()]);
    expect([stateOf(ann)[0], stateOf(tablet)[0]]).toEqual(['lost', 'lost']);
    expect(alarmsOf(tablet)).toContain('pinLost');
    await ann.engine.services.payPin.set(nextPin, quiet);
    expect(stateOf(ann)).toEqual(['set', null]);
    expect(alarmsOf(ann)).not.toContain('pinLost');
    await until(() => stateOf(tablet)[0] === 'set', 'the other device hears of it');
    await until(() => !alarmsOf(tablet).includes('pinLost'), 'its alarm is over');
    await keysOf(phone).pins.recover(nextPin, quiet);
    expect(keysOf(phone).isApproved).toBe(true);
  });
});

describe('what is lost', () => {
  it.each([
    [VaultRejection.locked, 'locked', 'vault_locked'],
    [VaultRejection.notRegistered, 'missing', 'vault_not_registered'],
  ] as const)('is told by what the realms say (%i)', async (reason, loss, name) => {
    const { server, ann, phone } = await house();
    lose(server, ann.account, reason);
    await keysOf(ann).watch();
    if (loss === 'missing') {
      // It may be on its way out of the chain.
      expect([stateOf(ann), alarmsOf(ann)]).toEqual([['set', null], []]);
      keysOf(ann).vault.now = () => Date.now() + 31_000;
      await keysOf(ann).watch();
    }
    expect([stateOf(ann), alarmsOf(ann)]).toEqual([['lost', loss], ['pinLost']]);
    expect(await nameOf(keysOf(phone).pins.recover(pin, quiet))).toBe(name);
    await ann.engine.services.payPin.set(pin, quiet);
    expect(stateOf(ann)).toEqual(['set', null]);
    await keysOf(phone).pins.recover(pin, quiet);
  });

  it('is nothing while enough others have it, or may have it', async () => {
    const { server, ann, phone } = await house();
    lose(server, ann.account, VaultRejection.locked, [0]);
    await keysOf(ann).watch();
    expect(stateOf(ann)).toEqual(['set', null]);
    const [, second = ''] = server.keys.realmIds;
    server.keys.realmsDown.add(second);
    await keysOf(ann).watch();
    expect(stateOf(ann)).toEqual(['set', null]);
    expect(await nameOf(keysOf(phone).pins.recover(pin, quiet))).toBe('vault_too_few');
  });

  it('is not forgotten while too few answer, and is where they have it again', async () => {
    const { server, ann } = await house();
    lose(server, ann.account, VaultRejection.locked);
    await keysOf(ann).watch();
    const [first = '', second = ''] = server.keys.realmIds;
    server.keys.realmsDown.add(first).add(second);
    await keysOf(ann).watch();
    expect([stateOf(ann)[0], alarmsOf(ann)]).toEqual(['lost', ['pinLost']]);
    server.keys.realmsDown.clear();
    for (const realm of server.keys.realmsOf(ann.account)) {
      realm.isLocked = false;
    }
    await keysOf(ann).watch();
    expect([stateOf(ann)[0], alarmsOf(ann)]).toEqual(['set', []]);
    // Of the same PIN it alarms once.
    lose(server, ann.account, VaultRejection.locked);
    await keysOf(ann).watch();
    expect([stateOf(ann)[0], alarmsOf(ann)]).toEqual(['lost', []]);
  });

  it('is removed where the realms were restored from a backup', async () => {
    const { server, ann } = await house();
    lose(server, ann.account, VaultRejection.locked);
    await keysOf(ann).watch();
    await ann.engine.services.payPin.remove();
    expect(server.keys.realmsOf(ann.account).map(({ record }) => record)).toEqual([null, null, null]);
    await keysOf(ann).watch();
    expect([stateOf(ann), alarmsOf(ann)]).toEqual([['none', null], []]);
  });

  it('shows as soon as the last guess is told of, without a greeting', async () => {
    const { server, ann, phone } = await house();
    lose(server, ann.account, VaultRejection.guessesExhausted);
    const { device } = phone.engine.services.core.device;
    const attempt = { at: new Date().toISOString(), device, outcome: 'failed' as const };
    await keysOf(ann).heard({ account: ann.account, length: 0, attempt });
    expect(stateOf(ann)).toEqual(['lost', 'exhausted']);
  });
});

describe('a right PIN on another device', () => {
  const stranger = '0198a000-0000-7000-8000-00000000beef';

  /** All realms list that it was opened, so many minutes ago. */
  function opened(server: FakeServer, account: string, device: string, minutesAgo: number): void {
    for (const realm of server.keys.realmsOf(account)) {
      const at = new Date(Date.now() - minutesAgo * 60_000).toISOString();
      realm.listed.unshift({ at, device, outcome: 'succeeded', realm: realm.id });
    }
  }

  it('alarms where the account’s keys do not vouch for it, once', async () => {
    const { server, ann } = await house();
    opened(server, ann.account, stranger, 10);
    await keysOf(ann).watch();
    expect(keysOf(ann).security.alarms).toMatchObject([{ kind: 'pinOpened', device: stranger }]);
    await keysOf(ann).alarms.dismiss(keysOf(ann).alarms.list[0]?.number ?? 0);
    await keysOf(ann).watch();
    expect(alarmsOf(ann)).toEqual([]);
    opened(server, ann.account, stranger, 5);
    await keysOf(ann).watch();
    expect(alarmsOf(ann)).toEqual(['pinOpened']);
  });

  it('gives whoever comes in by it the time to say so, and alarms where they do not', async () => {
    const { server, ann } = await house();
    opened(server, ann.account, stranger, 0);
    await keysOf(ann).watch();
    expect(alarmsOf(ann)).toEqual([]);
    keysOf(ann).vault.now = () => Date.now() + 3 * 60_000;
    await keysOf(ann).watch();
    expect(alarmsOf(ann)).toEqual(['pinOpened']);
  });

  it('does not where it is this device or one that the keys vouch for', async () => {
    const { server, ann } = await house();
    const tablet = keep(await TestDevice.signIn('ann', server.client(), ann));
    await until(() => chainOf(server, ann)?.devices.size === 2, 'it is in the keys');
    opened(server, ann.account, ann.engine.services.core.device.device, 10);
    opened(server, ann.account, tablet.engine.services.core.device.device, 10);
    await keysOf(ann).watch();
    expect(alarmsOf(ann)).not.toContain('pinOpened');
    // Nor where the keys have vouched for it once: it is told of again as an opening of before.
    await ann.engine.services.devices.revoke(tablet.engine.services.core.device.device);
    opened(server, ann.account, tablet.engine.services.core.device.device, 9);
    await keysOf(ann).watch();
    expect(alarmsOf(ann)).not.toContain('pinOpened');
  });

  it('forgives on its realms what failed before, and others are told of that all the same', async () => {
    const { server, ann, phone } = await house();
    const { device } = phone.engine.services.core.device;
    for (const realm of server.keys.realmsOf(ann.account)) {
      realm.listed.unshift({ at: new Date(Date.now() - 600_000).toISOString(), device: stranger, outcome: 'failed' });
    }
    await keysOf(phone).pins.recover(pin, quiet);
    opened(server, ann.account, device, 0);
    await keysOf(ann).watch();
    expect(keysOf(ann).security.alarms).toMatchObject(
      expect.arrayContaining([expect.objectContaining({ kind: 'pinGuessed', device: stranger })]) as never,
    );
    expect(alarmsOf(ann)).not.toContain('pinOpened');
  });
});

describe('alarms that a realm can cause', () => {
  it('have places of their own, so that one that makes guesses up hides nothing of the server', async () => {
    const { ann } = await pair();
    const { alarms } = keysOf(ann);
    for (let at = 0; at < 130; at++) {
      await alarms.raise('pinGuessed', ann.account, [String(at)]);
    }
    for (const kind of ['pinWait', 'pinOpened', 'pinLost', 'logForked', 'chainInvalid'] as const) {
      await alarms.raise(kind, ann.account, ['one']);
    }
    const kinds = alarmsOf(ann);
    expect(kinds.filter((kind) => kind === 'pinGuessed')).toHaveLength(20);
    expect(kinds.slice(20)).toEqual(['pinWait', 'pinOpened', 'pinLost', 'logForked', 'chainInvalid']);
    for (let at = 0; at < 130; at++) {
      await alarms.raise('chainInvalid', ann.account, [String(at)]);
    }
    expect(alarmsOf(ann).filter((kind) => kind === 'chainInvalid' || kind === 'logForked')).toHaveLength(100);
  });

  it('are of lists that are read so far and no further', async () => {
    const { server, ann } = await house();
    const [realm] = server.keys.realmsOf(ann.account);
    const made = (index: number) => ({
      at: new Date(Date.UTC(2026, 0, 1) + index * 60_000).toISOString(),
      device: `0198a000-0000-7000-8000-${String(index).padStart(12, '0')}`,
      outcome: 'failed' as const,
    });
    realm?.listed.push(...Array.from({ length: 5000 }, (_, index) => made(index)));
    await keysOf(ann).watch();
    expect((await keysOf(ann).core.db.keys<VaultSeenRecord>('vault'))?.guesses).toHaveLength(100);
    expect(alarmsOf(ann)).toHaveLength(20);
  });
});
