import { describe, expect, it } from 'vitest';
import { fromBase64 } from '../protocol/bytes';
import { crashing, crashPoints } from './testing/crash';
import { keep, pair, person } from './testing/people';
import { byPin, chainOf, keysOf, nextPin, pin, quiet, registered } from './testing/pins';
import { TestDevice, until } from './testing/testDevice';

describe('a PIN that the realms have and the chain has not', () => {
  it('is named in it when the device goes on', async () => {
    const { server, ann, annClient } = await pair();
    await keysOf(ann).pins.set(pin, quiet);
    const before = String(chainOf(server, ann)?.vaultDigest);
    annClient.busy.add('appendKeys');
    await expect(keysOf(ann).pins.set(nextPin, quiet)).rejects.toThrow('overloaded');
    expect(String(chainOf(server, ann)?.vaultDigest)).toBe(before);
    expect(registered(server, ann)).not.toContain(before);
    ann.stop();
    annClient.busy.clear();
    // Until then the right one costs a guess, for that is when the realms say which registration they have; but only one.
    const tablet = keep(await TestDevice.waiting('ann', server.client()));
    for (let time = 0; time < 3; time++) {
      await expect(keysOf(tablet).pins.recover(nextPin, quiet)).rejects.toThrow('vault_unavailable');
      await tablet.reload();
      await until(() => tablet.screen.state === 'online', 'the tablet is there again');
    }
    expect(server.keys.realmsOf(ann.account).map(({ used }) => used)).toEqual([1, 1, 1]);
    await ann.open();
    await ann.online();
    await until(() => keysOf(ann).own.record.pending.length === 0, 'it is finished');
    expect(registered(server, ann)).toEqual([String(chainOf(server, ann)?.vaultDigest)]);
    await keysOf(tablet).pins.recover(nextPin, quiet);
    await tablet.online();
    expect(tablet.screen.keys?.identityKey).toBe(ann.screen.keys?.identityKey);
    expect(keysOf(ann).alarms.list.map(({ kind }) => kind)).toEqual(['ownKeysChanged']);
  });

  it('is given up where no realm has taken it, and the one before stays', async () => {
    const { server, ann } = await pair();
    await keysOf(ann).pins.set(pin, quiet);
    const before = chainOf(server, ann);
    const length = before?.length;
    // Each says what it has, and then nothing more.
    const { ask } = server.keys;
    let left = 3;
    server.keys.ask = (...given) => {
      if (left-- <= 0) {
        throw new Error('gone');
      }
      return ask.apply(server.keys, given);
    };
    await expect(keysOf(ann).pins.set(nextPin, quiet)).rejects.toThrow('vault_');
    expect(keysOf(ann).own.record.pending).toHaveLength(1);
    server.keys.ask = ask;
    await ann.reload();
    await ann.online();
    await until(() => keysOf(ann).own.record.pending.length === 0, 'it is given up');
    expect(chainOf(server, ann)?.length).toBe(length);
    await byPin(server, ann, pin);
  });

  it('is named in it before another one is begun, which fails as well', async () => {
    const { server, ann, annClient } = await pair();
    await keysOf(ann).pins.set(pin, quiet);
    annClient.busy.add('appendKeys');
    await expect(keysOf(ann).pins.set(nextPin, quiet)).rejects.toThrow('overloaded');
    annClient.busy.clear();
    // Each is asked what stands there, says what it has, and then nothing more.
    const { ask } = server.keys;
    let left = 6;
    server.keys.ask = (...given) => {
      if (left-- <= 0) {
        throw new Error('gone');
      }
      return ask.apply(server.keys, given);
    };
    await expect(keysOf(ann).pins.set('736104', quiet)).rejects.toThrow('vault_');
    server.keys.ask = ask;
    expect(registered(server, ann)).toEqual([String(chainOf(server, ann)?.vaultDigest)]);
    await ann.reload();
    await ann.online();
    await until(() => keysOf(ann).own.record.pending.length === 0, 'it is given up');
    await byPin(server, ann, nextPin);
  });

  it('is given up where another device has set one since', async () => {
    const { server, ann, annClient } = await pair();
    const phone = keep(await TestDevice.signIn('ann', server.client(), ann));
    await keysOf(ann).pins.set(pin, quiet);
    annClient.busy.add('appendKeys');
    await expect(keysOf(ann).pins.set(nextPin, quiet)).rejects.toThrow('overloaded');
    ann.stop();
    annClient.drop();
    annClient.busy.clear();
    await keysOf(phone).pins.set('736104', quiet);
    const named = String(chainOf(server, ann)?.vaultDigest);
    await ann.open();
    await ann.online();
    await until(() => keysOf(ann).own.record.pending.length === 0, 'it is given up');
    expect(String(chainOf(server, ann)?.vaultDigest)).toBe(named);
    expect(registered(server, ann)).toEqual([named]);
  });
});

describe('a PIN of a device that did not know the one before', () => {
  /** Ann's phone, which was approved before there was a PIN, sets one and dies when the realms have it. */
  async function cutOff(before: (ann: TestDevice, phone: TestDevice) => Promise<void> = async () => undefined) {
    const { server, ann } = await pair();
    const client = server.client();
    const phone = keep(await TestDevice.signIn('ann', client, ann));
    await keysOf(ann).pins.set(pin, quiet);
    await until(() => phone.screen.keys?.pin === 'set', 'the phone knows that there is a PIN');
    const { api } = phone.engine.services.core;
    const { storeWrappedKeys } = api;
    api.storeWrappedKeys = async () => {
      await before(ann, phone);
      phone.engine.stop();
      client.drop();
      throw new Error('crash');
    };
    await keysOf(phone)
      .pins.set(nextPin, quiet)
      .catch(() => undefined);
    api.storeWrappedKeys = storeWrappedKeys;
    return { server, ann, phone };
  }

  it('is finished when the device goes on', async () => {
    const { server, ann, phone } = await cutOff();
    expect(registered(server, ann)).not.toEqual([String(chainOf(server, ann)?.vaultDigest)]);
    await phone.open();
    await phone.online();
    await until(() => keysOf(phone).own.record.pending.length === 0, 'it is finished');
    expect(registered(server, ann)).toEqual([String(chainOf(server, ann)?.vaultDigest)]);
    expect(phone.screen.keys).toMatchObject({ pin: 'set', knowsPin: true });
    const again = await byPin(server, ann, nextPin);
    expect(again.screen.keys?.identityKey).toBe(ann.screen.keys?.identityKey);
    await until(() => ann.screen.keys?.knowsPin === false, 'ann sees that hers opens nothing any more');
  });

  it('has to be set again where the key of an archive would be left behind', async () => {
    const { server, ann, phone } = await cutOff(async (first) => {
      await first.engine.services.archive.turnOn();
    });
    await phone.open();
    await phone.online();
    await until(() => phone.screen.keys?.pin === 'void', 'the phone says so');
    expect(keysOf(phone).own.record.pending).toEqual([]);
    await keysOf(ann).pins.set('736104', quiet);
    await until(() => phone.screen.keys?.pin === 'set', 'and no longer, once it is set');
    const again = await byPin(server, ann, '736104');
    await until(() => again.engine.services.archive.status.state === 'on', 'the archive comes with it');
  });

  it('and has to be set again can be on that very device', async () => {
    const { server, ann, phone } = await cutOff(async (first) => {
      await first.engine.services.archive.turnOn();
    });
    await phone.open();
    await phone.online();
    await until(() => phone.screen.keys?.pin === 'void', 'the phone says so');
    await keysOf(phone).pins.set('736104', quiet);
    expect(phone.screen.keys).toMatchObject({ knowsPin: true, pin: 'set' });
    const again = await byPin(server, ann, '736104');
    expect(again.screen.keys?.identityKey).toBe(ann.screen.keys?.identityKey);
  });
});

describe('a registration that is still on its way when the device goes on', () => {
  /** Ann's device dies with her registration on its way to all realms. */
  async function onItsWay() {
    const { server, ann, annClient } = await pair();
    await keysOf(ann).pins.set(pin, quiet);
    const { ask } = server.keys;
    const late: (() => void)[] = [];
    server.keys.ask = (device, realm, message) => {
      if (fromBase64(message)[1] !== 3) {
        return ask.call(server.keys, device, realm, message);
      }
      late.push(() => void ask.call(server.keys, device, realm, message));
      throw new Error('no answer');
    };
    await expect(keysOf(ann).pins.set(nextPin, quiet)).rejects.toThrow('vault_');
    server.keys.ask = ask;
    ann.stop();
    annClient.drop();
    expect(late).toHaveLength(3);
    return { server, ann, late };
  }

  it('is waited for, and named when it has arrived', async () => {
    const { server, ann, late } = await onItsWay();
    ann.onTheWayMs = 3600_000;
    await ann.open();
    await ann.online();
    await keysOf(ann).pins.settle();
    expect(keysOf(ann).own.record.pending).toHaveLength(1);
    for (const arrive of late) {
      arrive();
    }
    await keysOf(ann).pins.settle();
    expect(keysOf(ann).own.record.pending).toEqual([]);
    expect(registered(server, ann)).toEqual([String(chainOf(server, ann)?.vaultDigest)]);
    await byPin(server, ann, nextPin);
  });

  it('is given up at once where the realms have another by now, which it cannot take the place of', async () => {
    const { server, ann } = await onItsWay();
    const phone = await byPin(server, ann, pin);
    await keysOf(phone).pins.set('736104', quiet);
    ann.onTheWayMs = 3600_000;
    await ann.open();
    await ann.online();
    await until(() => keysOf(ann).own.record.pending.length === 0, 'it is given up');
  });

  it('is not waited for where no realm has a PIN any more', async () => {
    const { server, ann } = await onItsWay();
    const phone = await byPin(server, ann, pin);
    await keysOf(phone).pins.remove();
    ann.onTheWayMs = 3600_000;
    await ann.open();
    await ann.online();
    await until(() => keysOf(ann).own.record.pending.length === 0, 'it is given up');
    expect(ann.screen.keys?.pin).toBe('none');
  });

  it('is kept as long as a realm that may have it says nothing', async () => {
    const { server, ann, late } = await onItsWay();
    for (const arrive of late.slice(0, 2)) {
      arrive();
    }
    server.keys.realmsDown.add(server.keys.realmIds[0] as string);
    await ann.open();
    await ann.online();
    await keysOf(ann).pins.settle();
    expect(keysOf(ann).own.record.pending).toHaveLength(1);
    server.keys.realmsDown.clear();
    await keysOf(ann).pins.settle();
    expect(keysOf(ann).own.record.pending).toEqual([]);
    expect(registered(server, ann)).toContain(String(chainOf(server, ann)?.vaultDigest));
    await byPin(server, ann, nextPin);
  });
});

describe.each(crashPoints)('a crash after any %s while the PIN is changed', (point) => {
  it('leaves the chain naming what the realms have', { timeout: 480_000 }, async () => {
    const { client, device: ann } = await person((await pair()).server, 'zoe');
    const { server } = client;
    await keysOf(ann).pins.set(pin, quiet);
    for (let n = 1; ; n++) {
      const crashed = await crashing(ann, client, point, n, () =>
        keysOf(ann).pins.set(n % 2 === 0 ? pin : nextPin, quiet),
      );
      await until(() => keysOf(ann).own.record.pending.length === 0, 'nothing is left to do');
      expect(registered(server, ann)).toEqual([String(chainOf(server, ann)?.vaultDigest)]);
      expect(keysOf(ann).alarms.list).toEqual([]);
      if (!crashed) {
        expect(n).toBeGreaterThan(4);
        await byPin(server, ann, n % 2 === 0 ? pin : nextPin);
        break;
      }
    }
  });
});
