import { describe, expect, it } from 'vitest';
import { fromBase64 } from '../protocol/bytes';
import { requestIdOf } from '../vault/messages/layout';
import { refusal } from '../vault/messages/refusal';
import { VaultRejection } from '../vault/rejection';
import type { FakeClient } from './testing/fakeClient';
import type { FakeServer } from './testing/fakeServer';
import { keep, pair } from './testing/people';
import { byPin, chainOf, delayed, keysOf, nextPin, pin, quiet, registered, waiting } from './testing/pins';
import { TestDevice, until } from './testing/testDevice';

/** Ann's first PIN is on its way to all realms, and her device takes none for lost. */
async function onItsWay() {
  const { server, ann, annClient } = await pair();
  await waiting(ann);
  const arrive = delayed(server);
  await expect(keysOf(ann).pins.set(pin, quiet)).rejects.toThrow('vault_');
  return { server, ann, annClient, arrive };
}

/** Nobody tells the device of its account's chain any more, and it has looked at all that it was told of. */
async function deaf(device: TestDevice, client: FakeClient) {
  client.hearsKeys = false;
  await device.settled();
}

/** Its requests are over by now: what has not arrived never will. */
async function over(ann: TestDevice) {
  ann.onTheWayMs = 0;
  await ann.reload();
  await ann.online();
  await keysOf(ann).pins.settle();
}

/** The messages that realms get from now on, by their type. */
function heard(server: FakeServer): number[] {
  const types: number[] = [];
  const { ask } = server.keys;
  server.keys.ask = (device, realm, message) => {
    types.push(fromBase64(message)[1] as number);
    return ask.call(server.keys, device, realm, message);
  };
  return types;
}

describe('a PIN that is removed while a registration is on its way', () => {
  it('stays removed when that arrives, where it was the first', async () => {
    const { server, ann, arrive } = await onItsWay();
    await keysOf(ann).pins.remove();
    arrive();
    expect(registered(server, ann)).toHaveLength(1);
    await keysOf(ann).pins.settle();
    expect(registered(server, ann)).toEqual([]);
    expect(chainOf(server, ann)?.vaultDigest).toBeNull();
    expect(ann.screen.keys).toMatchObject({ pin: 'none', knowsPin: false });
    await over(ann);
    expect(keysOf(ann).own.record.pending).toEqual([]);
  });

  it('stays removed also where another one stood in between', async () => {
    const { server, ann, arrive } = await onItsWay();
    await keysOf(ann).pins.set(nextPin, quiet);
    await keysOf(ann).pins.settle();
    expect(registered(server, ann)).toEqual([String(chainOf(server, ann)?.vaultDigest)]);
    await keysOf(ann).pins.remove();
    arrive();
    await keysOf(ann).pins.settle();
    expect(registered(server, ann)).toEqual([]);
    expect(chainOf(server, ann)?.vaultDigest).toBeNull();
  });

  it('stays removed also where another device set and removed it', async () => {
    const { server, ann, arrive } = await onItsWay();
    const phone = keep(await TestDevice.signIn('ann', server.client(), ann));
    await keysOf(phone).pins.set(nextPin, quiet);
    await until(() => ann.screen.keys?.pin === 'set', 'ann knows of it');
    await keysOf(ann).pins.settle();
    await keysOf(phone).pins.remove();
    await until(() => ann.screen.keys?.pin === 'none', 'and that it is gone');
    arrive();
    await keysOf(ann).pins.settle();
    expect(registered(server, ann)).toEqual([]);
    expect(chainOf(server, ann)?.vaultDigest).toBeNull();
  });

  it('stays removed where the other device did both while this one was away', async () => {
    const { server, ann, arrive } = await onItsWay();
    const phone = keep(await TestDevice.signIn('ann', server.client(), ann));
    ann.stop();
    await keysOf(phone).pins.set(nextPin, quiet);
    await keysOf(phone).pins.remove();
    arrive();
    await ann.open();
    await ann.online();
    await until(() => registered(server, ann).length === 0, 'it is deleted');
    expect(chainOf(server, ann)?.vaultDigest).toBeNull();
  });

  it('stays removed where this device has not heard of it when that arrives', async () => {
    const { server, ann, annClient, arrive } = await onItsWay();
    const phone = keep(await TestDevice.signIn('ann', server.client(), ann));
    await deaf(ann, annClient);
    await keysOf(phone).pins.set(nextPin, quiet);
    await keysOf(phone).pins.remove();
    arrive();
    expect(registered(server, ann)).toHaveLength(1);
    await keysOf(ann).pins.settle();
    expect(registered(server, ann)).toEqual([]);
    expect(chainOf(server, ann)?.vaultDigest).toBeNull();
  });

  it('stays removed where this device hears of it while it takes up what arrived', async () => {
    const { server, ann, annClient, arrive } = await onItsWay();
    const phone = keep(await TestDevice.signIn('ann', server.client(), ann));
    await deaf(ann, annClient);
    await keysOf(phone).pins.set(nextPin, quiet);
    await keysOf(phone).pins.remove();
    arrive();
    const { own, pins } = keysOf(ann);
    const write = own.write.bind(own);
    let look: Promise<boolean> | undefined;
    own.write = async (change) => {
      // The first one takes the registration up; it is written in the middle of what the removal changes.
      const begun = new Promise<void>((resolve) => {
        own.write = (first) => {
          own.write = write;
          const written = write(first);
          resolve();
          return written;
        };
      });
      look = own.ensure();
      await begun;
      return write(change);
    };
    await pins.settle();
    await look;
    expect(look).toBeDefined();
    expect(registered(server, ann)).toEqual([]);
    expect(chainOf(server, ann)?.vaultDigest).toBeNull();
    expect(own.record.rootSecret).toBeNull();
  });

  it('has what arrived at a single realm deleted too, once and again', async () => {
    const { server, ann, arrive } = await onItsWay();
    await keysOf(ann).pins.remove();
    for (let realm = 0; realm < 3; realm++) {
      arrive(1);
      expect(registered(server, ann)).toHaveLength(1);
      await keysOf(ann).pins.settle();
      expect(registered(server, ann)).toEqual([]);
    }
  });

  it('is looked for once more when nothing can arrive any more', async () => {
    const { server, ann, arrive } = await onItsWay();
    await keysOf(ann).pins.remove();
    arrive();
    await over(ann);
    expect(registered(server, ann)).toEqual([]);
    expect(keysOf(ann).own.record.pending).toEqual([]);
  });

  it('is remembered as long as the realms that may have it say nothing', async () => {
    const { server, ann, arrive } = await onItsWay();
    await keysOf(ann).pins.remove();
    arrive();
    for (const realm of server.keys.realmIds) {
      server.keys.realmsDown.add(realm);
    }
    await over(ann);
    expect(keysOf(ann).own.record.pending).toHaveLength(1);
    server.keys.realmsDown.clear();
    await keysOf(ann).pins.settle();
    expect(registered(server, ann)).toEqual([]);
    expect(keysOf(ann).own.record.pending).toEqual([]);
  });

  it('leaves the way to another one, which nothing deletes', async () => {
    const { server, ann, arrive } = await onItsWay();
    await keysOf(ann).pins.remove();
    // It arrives between the two questions that the next one is made of.
    const { ask } = server.keys;
    let isFirst = true;
    server.keys.ask = (device, realm, message) => {
      if (isFirst && fromBase64(message)[1] === 3) {
        isFirst = false;
        arrive();
      }
      return ask.call(server.keys, device, realm, message);
    };
    await keysOf(ann).pins.set('736104', quiet);
    await keysOf(ann).pins.settle();
    expect(registered(server, ann)).toEqual([String(chainOf(server, ann)?.vaultDigest)]);
    expect(isFirst).toBe(false);
    await byPin(server, ann, '736104');
  });

  it('asks nothing of the realms for what took the place of another one', async () => {
    const { server, ann } = await pair();
    await waiting(ann);
    await keysOf(ann).pins.set(pin, quiet);
    delayed(server);
    await expect(keysOf(ann).pins.set(nextPin, quiet)).rejects.toThrow('vault_');
    await keysOf(ann).pins.remove();
    const types = heard(server);
    await keysOf(ann).pins.settle();
    expect(types).toEqual([]);
    expect(keysOf(ann).own.record.pending).toEqual([]);
  });
});

describe('a PIN that another device sets while it is removed', () => {
  /** Ann's browser and her phone; something happens right before the device's next change of the chain. */
  async function two(isAnyBefore = true) {
    const { server, ann } = await pair();
    const phone = keep(await TestDevice.signIn('ann', server.client(), ann));
    if (isAnyBefore) {
      await keysOf(ann).pins.set(pin, quiet);
    }
    return { server, ann, phone };
  }

  function beforeNext(device: TestDevice, work: () => Promise<void>) {
    const { api } = keysOf(device).core;
    const { appendKeys } = api;
    api.appendKeys = async (entries) => {
      api.appendKeys = appendKeys;
      await work();
      return appendKeys.call(api, entries);
    };
  }

  function expectNone(server: FakeServer, ann: TestDevice) {
    expect(registered(server, ann)).toEqual([]);
    expect(chainOf(server, ann)?.vaultDigest).toBeNull();
  }

  it('is removed as well where it is set between the deletion and its entry', async () => {
    const { server, ann, phone } = await two();
    let named = '';
    beforeNext(ann, async () => {
      expect(registered(server, ann)).toEqual([]);
      await keysOf(phone).pins.set(nextPin, quiet);
      named = String(chainOf(server, ann)?.vaultDigest);
      expect(registered(server, ann)).toEqual([named]);
    });
    await keysOf(ann).pins.remove();
    expect(named).not.toBe('');
    expectNone(server, ann);
  });

  it('is removed from the chain as well where it is deleted before it is named', async () => {
    const { server, ann, phone } = await two();
    let removal: Promise<void> = Promise.resolve();
    let named: () => void = () => undefined;
    const isNamed = new Promise<void>((resolve) => {
      named = resolve;
    });
    let isDeleted = false;
    beforeNext(phone, async () => {
      beforeNext(ann, () => {
        isDeleted = true;
        return isNamed;
      });
      removal = keysOf(ann).pins.remove();
      await until(() => isDeleted, 'the realms have forgotten it');
      expect(registered(server, ann)).toEqual([]);
    });
    await keysOf(phone).pins.set(nextPin, quiet);
    expect(chainOf(server, ann)?.vaultDigest).not.toBeNull();
    named();
    await removal;
    expectNone(server, ann);
  });

  it('brings its root secret back to nobody, whenever the device that sets it hears of the removal', async () => {
    const { server, ann, phone } = await two();
    const { api } = keysOf(phone).core;
    const { storeWrappedKeys } = api;
    api.storeWrappedKeys = async (revision, wrapped) => {
      api.storeWrappedKeys = storeWrappedKeys;
      await keysOf(ann).pins.remove();
      await keysOf(phone).own.ensure();
      expect(keysOf(phone).own.record.rootSecret).toBeNull();
      return storeWrappedKeys.call(api, revision, wrapped);
    };
    await expect(keysOf(phone).pins.set(nextPin, quiet)).rejects.toThrow('pin_removed');
    expectNone(server, ann);
    expect(keysOf(phone).own.record).toMatchObject({ rootSecret: null, rootDue: false });
  });

  it.each([true, false])('is told to be removed where it is so before it is named: %s', async (isAnyBefore) => {
    const { server, ann, phone } = await two(isAnyBefore);
    beforeNext(phone, () => keysOf(ann).pins.remove());
    await expect(keysOf(phone).pins.set(nextPin, quiet)).rejects.toThrow('pin_removed');
    expectNone(server, ann);
    await keysOf(phone).pins.set('736104', quiet);
    expect(registered(server, ann)).toEqual([String(chainOf(server, ann)?.vaultDigest)]);
    await byPin(server, ann, '736104');
  });
});

it('A PIN whose guesses are used up is removed from the chain', async () => {
  const { server, ann } = await pair();
  await keysOf(ann).pins.set(pin, quiet);
  for (const realm of server.keys.realmsOf(ann.account)) {
    const { answer } = realm;
    realm.answer = (request) =>
      request[1] === 1
        ? answer.call(realm, request)
        : refusal.encode(requestIdOf(request), { reason: VaultRejection.guessesExhausted, guessesLeft: 0 });
  }
  await keysOf(ann).pins.remove();
  expect(chainOf(server, ann)?.vaultDigest).toBeNull();
});
