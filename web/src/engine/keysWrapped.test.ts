import { describe, expect, it } from 'vitest';
import type { FakeServer } from './testing/fakeServer';
import { keep, pair } from './testing/people';
import { TestDevice, until } from './testing/testDevice';

const pin = '480279';
const otherPin = '590381';
const quiet = () => undefined;
const keysOf = (device: TestDevice) => device.engine.services.keys;
const archiveOf = (device: TestDevice) => device.engine.services.archive;
const keyOf = (device: TestDevice) => device.screen.keys?.identityKey ?? '';
const chainOf = (server: FakeServer, device: TestDevice) => server.keys.chains.get(device.account)?.chain;

/** Two devices of ann's: the phone was approved before there was a PIN, so it does not know what one opens. */
async function twoOfAnn() {
  const house = await pair();
  const phone = keep(await TestDevice.signIn('ann', house.server.client(), house.ann));
  return { ...house, phone };
}

async function knowsOfPin(device: TestDevice): Promise<void> {
  await until(() => device.screen.keys?.pin === 'set', 'it knows that there is a PIN');
  await device.settled();
}

/** A browser that only the PIN lets in. */
async function byPin(server: FakeServer, typed: string): Promise<TestDevice> {
  const device = keep(await TestDevice.waiting('ann', server.client()));
  await keysOf(device).pins.recover(typed, quiet);
  await device.online();
  return device;
}

/** As if the device had not heard that its root secret is not the PIN's any more. */
async function leftBehind(device: TestDevice, rootSecret: Uint8Array): Promise<void> {
  await device.settled();
  await keysOf(device).own.write({ rootSecret, rootDue: false });
}

describe('a root secret that opens nothing', () => {
  it('of a PIN that could not be set is forgotten, and what is stored stays', async () => {
    const { server, ann, phone } = await twoOfAnn();
    await keysOf(ann).pins.set(pin, quiet);
    await knowsOfPin(phone);
    for (const realm of server.keys.realmIds) {
      server.keys.realmsDown.add(realm);
    }
    await expect(keysOf(phone).pins.set(otherPin, quiet)).rejects.toThrow();
    server.keys.realmsDown.clear();
    expect(phone.screen.keys?.knowsPin).toBe(false);
    const stored = server.keys.wrappedOf(ann.account);
    await expect(archiveOf(phone).turnOn()).rejects.toThrow('pin_needed');
    await expect(keysOf(phone).own.rotate()).rejects.toThrow('pin_needed');
    expect(server.keys.wrappedOf(ann.account)).toEqual(stored);
    expect(keyOf(await byPin(server, pin))).toBe(keyOf(ann));
  });

  it('of a PIN that was replaced is forgotten, at the latest when something is to be stored', async () => {
    const { server, ann } = await pair();
    await keysOf(ann).pins.set(pin, quiet);
    const phone = keep(await TestDevice.signIn('ann', server.client(), ann));
    const { rootSecret } = keysOf(phone).own.record;
    expect(phone.screen.keys?.knowsPin).toBe(true);
    await keysOf(ann).pins.remove();
    await keysOf(ann).pins.set(otherPin, quiet);
    await until(() => phone.screen.keys?.knowsPin === false, 'the phone notices');
    await leftBehind(phone, rootSecret as Uint8Array);
    const stored = server.keys.wrappedOf(ann.account);
    await expect(archiveOf(phone).turnOn()).rejects.toThrow('pin_needed');
    expect(server.keys.wrappedOf(ann.account)).toEqual(stored);
    expect(phone.screen.keys?.knowsPin).toBe(false);
    expect(keyOf(await byPin(server, otherPin))).toBe(keyOf(ann));
  });

  it('does not come back by a device that was approved with it', async () => {
    const { server, ann } = await pair();
    await keysOf(ann).pins.set(pin, quiet);
    await archiveOf(ann).turnOn();
    const phone = keep(await TestDevice.signIn('ann', server.client(), ann));
    const { rootSecret } = keysOf(phone).own.record;
    await keysOf(ann).pins.remove();
    await keysOf(ann).pins.set(otherPin, quiet);
    await until(() => phone.screen.keys?.pin === 'set', 'the phone follows');
    await leftBehind(phone, rootSecret as Uint8Array);
    const stored = server.keys.wrappedOf(ann.account);
    const tablet = keep(await TestDevice.signIn('ann', server.client(), phone));
    await until(() => archiveOf(tablet).status.state === 'on', 'the tablet has the archive');
    await tablet.settled();
    expect(server.keys.wrappedOf(ann.account)).toEqual(stored);
    const again = await byPin(server, otherPin);
    await until(() => archiveOf(again).status.state === 'on', 'the PIN brings the archive');
    expect(tablet.screen.keys?.knowsPin).toBe(false);
  });
});

describe('the identity key', () => {
  it('is not renewed without what the PIN opens, and is with it', async () => {
    const { server, ann, phone } = await twoOfAnn();
    await keysOf(ann).pins.set(pin, quiet);
    await knowsOfPin(phone);
    const length = chainOf(server, ann)?.length;
    await expect(keysOf(phone).own.rotate()).rejects.toThrow('pin_needed');
    expect(chainOf(server, ann)?.length).toBe(length);
    await keysOf(phone).pins.recover(pin, quiet);
    const before = keyOf(ann);
    await keysOf(phone).own.rotate();
    expect(keyOf(phone)).not.toBe(before);
    expect(keyOf(await byPin(server, pin))).toBe(keyOf(phone));
  });

  it('is renewed once, however often what follows fails', async () => {
    const { server, ann, annClient } = await pair();
    await keysOf(ann).pins.set(pin, quiet);
    const length = chainOf(server, ann)?.length ?? 0;
    annClient.busy.add('storeWrappedKeys');
    await keysOf(ann).own.rotate();
    expect(keysOf(ann).own.record.wrapDue).toBe(true);
    await expect(keysOf(ann).own.rotate()).rejects.toThrow('overloaded');
    expect(chainOf(server, ann)?.length).toBe(length + 1);
    annClient.busy.clear();
    await keysOf(ann).watch();
    expect(keysOf(ann).own.record.wrapDue).toBe(false);
    expect(chainOf(server, ann)?.length).toBe(length + 1);
    expect(keyOf(await byPin(server, pin))).toBe(keyOf(ann));
  });
});

describe('the first PIN on two devices at once', () => {
  it('is the one that was stored last, registered anew', async () => {
    const { server, ann, phone } = await twoOfAnn();
    const { api } = ann.engine.services.core;
    const { storeWrappedKeys } = api;
    api.storeWrappedKeys = async (revision, wrapped) => {
      api.storeWrappedKeys = storeWrappedKeys;
      await keysOf(phone).pins.set(otherPin, quiet);
      return storeWrappedKeys(revision, wrapped);
    };
    await keysOf(ann).pins.set(pin, quiet);
    expect(keyOf(await byPin(server, pin))).toBe(keyOf(ann));
  });

  it('is in the chain as the device says whose root secret opens what is stored', async () => {
    const { server, ann, phone } = await twoOfAnn();
    const { api } = ann.engine.services.core;
    const { storeWrappedKeys } = api;
    api.storeWrappedKeys = async (revision, wrapped) => {
      api.storeWrappedKeys = storeWrappedKeys;
      const stored = await storeWrappedKeys(revision, wrapped);
      await keysOf(phone).pins.set(otherPin, quiet);
      return stored;
    };
    await keysOf(ann).pins.set(pin, quiet);
    expect(keyOf(await byPin(server, otherPin))).toBe(keyOf(ann));
    await ann.settled();
    expect(ann.screen.keys?.knowsPin).toBe(false);
  });
});

describe('the key of an archive', () => {
  it('that was deleted does not come back, neither with a new PIN nor with a new archive', async () => {
    const { server, ann, phone } = await twoOfAnn();
    await keysOf(ann).pins.set(pin, quiet);
    await archiveOf(ann).turnOn();
    const { archiveKey, rootSecret } = keysOf(ann).own.record;
    expect(archiveKey).not.toBeNull();
    // The phone does not know what the PIN opens, and leaves the key in there.
    await archiveOf(phone).turnOff();
    await until(() => archiveOf(ann).status.state === 'off', 'ann follows');
    await keysOf(ann).pins.set(otherPin, quiet);
    expect(keysOf(ann).own.record.archiveKey).toBeNull();
    expect(await keysOf(ann).own.wrapped.read(rootSecret as Uint8Array)).toMatchObject({ archiveKey: null });
    await keysOf(ann).own.write({ archiveKey });
    await archiveOf(ann).turnOn();
    expect(keysOf(ann).own.record.archiveKey).not.toBeNull();
    expect(keysOf(ann).own.record.archiveKey).not.toEqual(archiveKey);
    expect(server.archive.kept.size).toBe(1);
  });

  it('is not left behind by a PIN of a device that has it not', async () => {
    const { server, ann, phone } = await twoOfAnn();
    await keysOf(ann).pins.set(pin, quiet);
    await archiveOf(ann).turnOn();
    await until(() => archiveOf(phone).status.state === 'locked', 'the phone sees it');
    const stored = server.keys.wrappedOf(ann.account);
    await expect(keysOf(phone).pins.set(otherPin, quiet)).rejects.toThrow('pin_needed');
    expect(server.keys.wrappedOf(ann.account)).toEqual(stored);
    // The present one lets it take part at once.
    await keysOf(phone).pins.recover(pin, quiet);
    await until(() => archiveOf(phone).status.state === 'on', 'the phone takes part');
    await keysOf(phone).pins.set(otherPin, quiet);
    const again = await byPin(server, otherPin);
    await until(() => archiveOf(again).status.state === 'on', 'the new PIN brings it');
  });
});

describe('an identity that is begun anew', () => {
  it('and fails leaves the code on the screen as good as it was', async () => {
    const { server, ann } = await pair();
    const client = server.client();
    const phone = keep(await TestDevice.waiting('ann', client));
    const code = await keysOf(phone).approvalCode();
    client.busy.add('appendKeys');
    await expect(keysOf(phone).own.reset()).rejects.toThrow('overloaded');
    client.busy.clear();
    await keysOf(phone).watch();
    expect(await keysOf(phone).approvalCode()).toBe(code);
    await ann.engine.approveDevice(code ?? '');
    await until(() => phone.screen.keys?.standing === 'approved', 'it is approved');
    expect(chainOf(server, ann)?.resets).toBe(0);
  });

  it('without an answer is begun once', async () => {
    const { server } = await pair();
    const client = server.client();
    const phone = keep(await TestDevice.waiting('ann', client));
    client.loseOnly = 'appendKeys';
    client.loseReplies = 1;
    await expect(keysOf(phone).own.reset()).rejects.toThrow('offline');
    await keysOf(phone).own.reset();
    await phone.online();
    expect(phone.screen.keys?.standing).toBe('approved');
    expect(keysOf(phone).own.holdsKey).toBe(true);
    expect(chainOf(server, phone)).toMatchObject({ resets: 1 });
  });
});
