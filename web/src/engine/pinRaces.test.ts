import { describe, expect, it } from 'vitest';
import { wrapKeys } from '../identity/wrappedKeys';
import { fromBase64, toBase64 } from '../protocol/bytes';
import { OwnRecord } from './keys/ownRecord';
import { keep, pair } from './testing/people';
import { byPin, chainOf, delayed, keysOf, nextPin, pin, quiet, registered, waiting } from './testing/pins';
import { TestDevice, until } from './testing/testDevice';

it('A PIN is set also where the wrapped keys change while an earlier registration is named', async () => {
  const { server, ann } = await pair();
  const phone = keep(await TestDevice.signIn('ann', server.client(), ann));
  await keysOf(ann).pins.set(pin, quiet);
  await until(() => phone.screen.keys?.pin === 'set', 'the phone knows that there is a PIN');
  const { api } = keysOf(phone).core;
  const { storeWrappedKeys } = api;
  api.storeWrappedKeys = async () => {
    throw new Error('gone');
  };
  await expect(keysOf(phone).pins.set(nextPin, quiet)).rejects.toThrow('gone');
  expect(keysOf(phone).own.record).toMatchObject({ rootSecret: null, rootDue: false, pending: [{}] });
  let stale = 0;
  api.storeWrappedKeys = (revision, wrapped) => {
    api.storeWrappedKeys = storeWrappedKeys;
    stale++;
    return storeWrappedKeys.call(api, revision - 1, wrapped);
  };
  await keysOf(phone).pins.set('736104', quiet);
  expect(stale).toBe(1);
  expect(registered(server, ann)).toEqual([String(chainOf(server, ann)?.vaultDigest)]);
  await byPin(server, ann, '736104');
});

it('A PIN that was cut off is named also where another device stores keys while it is', async () => {
  const { server, ann, annClient } = await pair();
  await keysOf(ann).pins.set(pin, quiet);
  annClient.busy.add('appendKeys');
  await expect(keysOf(ann).pins.set(nextPin, quiet)).rejects.toThrow('overloaded');
  annClient.busy.clear();
  const { api } = keysOf(ann).core;
  const { wrappedKeys } = api;
  api.wrappedKeys = async () => {
    const found = await wrappedKeys.call(api);
    api.wrappedKeys = wrappedKeys;
    const identitySeed = keysOf(ann).own.requireSeed(keysOf(ann).own.chain);
    const other = wrapKeys(new Uint8Array(32).fill(9), ann.account, { identitySeed, archiveKey: null });
    server.keys.store(ann.account, found.revision, toBase64(other));
    return found;
  };
  await keysOf(ann).pins.settle();
  expect(keysOf(ann).own.record.pending).toEqual([]);
  expect(registered(server, ann)).toEqual([String(chainOf(server, ann)?.vaultDigest)]);
  await byPin(server, ann, nextPin);
});

describe('a registration that arrives while another one is begun', () => {
  it('gives way to it', async () => {
    const { server, ann } = await pair();
    await keysOf(ann).pins.set(pin, quiet);
    // Between the two questions that the second is made of.
    const arrive = delayed(server, () => arrive());
    await expect(keysOf(ann).pins.set(nextPin, quiet)).rejects.toThrow('vault_');
    await keysOf(ann).pins.set('736104', quiet);
    expect(registered(server, ann)).toEqual([String(chainOf(server, ann)?.vaultDigest)]);
    expect(keysOf(ann).own.record.pending).toEqual([]);
    await byPin(server, ann, '736104');
  });

  it('is named where the other one came to nothing', async () => {
    const { server, ann, annClient } = await pair();
    await waiting(ann);
    await keysOf(ann).pins.set(pin, quiet);
    const arrive = delayed(server);
    await expect(keysOf(ann).pins.set(nextPin, quiet)).rejects.toThrow('vault_');
    const again = delayed(server);
    await expect(keysOf(ann).pins.set('736104', quiet)).rejects.toThrow('vault_');
    expect(keysOf(ann).own.record.pending).toHaveLength(2);
    arrive();
    again();
    ann.stop();
    annClient.drop();
    await ann.open();
    await ann.online();
    await until(() => keysOf(ann).own.record.pending.length === 0, 'both are settled');
    expect(registered(server, ann)).toEqual([String(chainOf(server, ann)?.vaultDigest)]);
    await byPin(server, ann, nextPin);
  });

  it('is one of a few: more are not begun', async () => {
    const { server, ann } = await pair();
    await waiting(ann);
    await keysOf(ann).pins.set(pin, quiet);
    const arrivals: (() => void)[] = [];
    for (let n = 0; n < 8; n++) {
      arrivals.push(delayed(server));
      await expect(keysOf(ann).pins.set(nextPin, quiet)).rejects.toThrow('vault_');
    }
    const heard: number[] = [];
    const { ask } = server.keys;
    server.keys.ask = (device, realm, message) => {
      heard.push(fromBase64(message)[1] as number);
      return ask.call(server.keys, device, realm, message);
    };
    await expect(keysOf(ann).pins.set('736104', quiet)).rejects.toThrow('vault_');
    expect(heard).not.toContain(3);
    arrivals[0]?.();
    await keysOf(ann).pins.settle();
    expect(keysOf(ann).own.record.pending).toEqual([]);
    await byPin(server, ann, nextPin);
  });
});

it('A record of earlier versions has one registration or none', async () => {
  const { ann } = await pair();
  const { core, own } = keysOf(ann);
  const one = { version: '0198a000-0000-7000-8000-00000000beef', digest: new Uint8Array(32) };
  for (const pending of [null, undefined, one]) {
    await own.write({ pending: pending as never });
    const again = new OwnRecord(core);
    await again.load();
    expect(again.value.pending).toEqual(pending ? [one] : []);
  }
});

describe('a PIN that is removed while a registration is under way', () => {
  /** Ann's device has found that the realms have what it registered, and has not gone on yet. */
  async function settling() {
    const { server, ann, annClient } = await pair();
    annClient.busy.add('appendKeys');
    await expect(keysOf(ann).pins.set(pin, quiet)).rejects.toThrow('overloaded');
    annClient.busy.clear();
    const { api } = keysOf(ann).core;
    const { askRealm } = api;
    let told = 0;
    let goOn: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let isFound = false;
    api.askRealm = async (realm, message) => {
      const answer = await askRealm.call(api, realm, message);
      if (++told <= 3) {
        isFound = true;
        await held;
      }
      return answer;
    };
    const settled = keysOf(ann).pins.settle();
    await until(() => isFound, 'the realms have answered');
    return { server, ann, settled, goOn };
  }

  it('stays removed', async () => {
    const { server, ann, settled, goOn } = await settling();
    const removed = keysOf(ann).pins.remove();
    // Time enough for it to be done, were it not to wait.
    for (let time = 0; time < 10; time++) {
      await keysOf(ann).own.ensure();
    }
    goOn();
    await Promise.all([settled, removed]);
    expect(keysOf(ann).own.record).toMatchObject({ rootSecret: null, pending: [] });
    expect(chainOf(server, ann)?.vaultDigest).toBeNull();
    expect(registered(server, ann)).toEqual([]);
  });

  it('stays removed where it was being set', async () => {
    const { server, ann } = await pair();
    const { api } = keysOf(ann).core;
    const { storeWrappedKeys } = api;
    let removed: Promise<void> = Promise.resolve();
    api.storeWrappedKeys = async (...given) => {
      api.storeWrappedKeys = storeWrappedKeys;
      removed = keysOf(ann).pins.remove();
      for (let time = 0; time < 10; time++) {
        await keysOf(ann).own.ensure();
      }
      return storeWrappedKeys.apply(api, given);
    };
    await keysOf(ann).pins.set(pin, quiet);
    await removed;
    expect(keysOf(ann).own.record).toMatchObject({ rootSecret: null, pending: [] });
    expect(chainOf(server, ann)?.vaultDigest).toBeNull();
    expect(registered(server, ann)).toEqual([]);
  });

  it('is not brought back where something else has forgotten it', async () => {
    const { server, ann, settled, goOn } = await settling();
    await keysOf(ann).own.write({ rootSecret: null, pending: [] });
    goOn();
    await settled;
    expect(keysOf(ann).own.record).toMatchObject({ rootSecret: null, pending: [] });
    expect(chainOf(server, ann)?.vaultDigest).toBeNull();
  });
});

it('A PIN is not guessed while it is being set: the chain does not name it yet', async () => {
  const { server, ann } = await pair();
  await keysOf(ann).pins.set(pin, quiet);
  const { api } = keysOf(ann).core;
  const { storeWrappedKeys } = api;
  let recovered: Promise<void> | null = null;
  api.storeWrappedKeys = async (...given) => {
    recovered ??= keysOf(ann).pins.recover(nextPin, quiet);
    recovered.catch(() => undefined);
    // Time enough for the guess, were it not to wait.
    for (let time = 0; time < 30; time++) {
      await keysOf(ann).own.ensure();
    }
    return storeWrappedKeys.apply(api, given);
  };
  await keysOf(ann).pins.set(nextPin, quiet);
  await recovered;
  expect(server.keys.realmsOf(ann.account).map(({ used }) => used)).toEqual([0, 0, 0]);
});
