import { describe, expect, it } from 'vitest';
import { fromBase64, toBase64 } from '../protocol/bytes';
import { stretchHere } from './argon2/argon2';
import { PinVault, type VaultRegistered } from './pinVault';
import { VaultRejection } from './rejection';
import { type VaultApi, vaultOverRest } from './restPort';
import { streamOf } from './testing/stream';
import { cheap, pinOf, TestVault } from './testing/testVault';

type Tampering = (realm: number, request: Uint8Array, response: Uint8Array) => Uint8Array;

/** Realms behind a fake REST, in which some may be out of reach or lie. */
function house(seed = 'vault') {
  const vault = new TestVault(3, 2, seed);
  const state = { down: [] as number[], tamper: null as Tampering | null, asked: [] as string[] };
  const askRealm = async (realm: string, message: string) => {
    const index = vault.realms.findIndex((one) => realm === one.id) + 1;
    state.asked.push(`POST ${index}`);
    if (index === 0 || state.down.includes(index)) {
      throw new Error('offline');
    }
    const request = fromBase64(message);
    const response = vault.realm(index).answer(request);
    return { message: toBase64(state.tamper?.(index, request, response) ?? response) };
  };
  const vaultAttempts = async (realm: string) => {
    const index = vault.realms.findIndex((one) => realm === one.id) + 1;
    if (state.down.includes(index)) {
      throw new Error('offline');
    }
    return vault.realm(index).list();
  };
  // The third realm is a process of its own, which lets nobody in without its token.
  const [, , elsewhere = ''] = vault.configuration.realms;
  const api: VaultApi = {
    vault: async () => ({
      operators: 2,
      threshold: 2,
      realms: [...vault.configuration.realms],
      hosts: [{ realm: elsewhere, address: 'https://realm.example/', operator: 'somebody else' }],
    }),
    askRealm: (realm, message) =>
      realm === elsewhere ? Promise.reject(new Error('not here')) : askRealm(realm, message),
    vaultAttempts,
    realmToken: async (realm) => ({ token: `for ${realm}`, expiresAt: '' }),
    realmAt: (address, token) => {
      expect([address, token]).toEqual(['https://realm.example/', `for ${elsewhere}`]);
      return { askRealm, vaultAttempts };
    },
  };
  const device = new PinVault(vaultOverRest(api), vault.account, stretchHere, streamOf('device'));
  const { root: rootSecret, identitySeed } = vault;
  const register = (pin = '480279') =>
    device.register({ pin: pinOf(pin), rootSecret, identitySeed, parameters: cheap });
  return { vault, device, state, register };
}

describe('PinVault', { timeout: 30_000 }, () => {
  it('registers, and brings the root secret back with the right PIN at no cost', async () => {
    const { vault, device, register } = house();
    expect((await device.look()).step.rejection).toBe(VaultRejection.notRegistered);
    const { step, digest } = await register();
    expect(step).toEqual({ rejection: VaultRejection.none, faults: [], guessesLeft: null });
    expect((await device.look()).step.guessesLeft).toBe(10);
    const recovered = await device.recover(pinOf('480279'), digest);
    expect(recovered.rootSecret).toEqual(vault.root);
    expect(vault.realms.map((realm) => realm.used)).toEqual([0, 0, 0]);
    expect(vault.realm(1).record?.maxGuesses).toBe(10);
  });

  it('counts wrong PINs until none is left, and gives them back to the identity key', async () => {
    const { vault, device, register } = house();
    await register();
    for (let left = 9; left >= 7; left--) {
      const { step, rootSecret } = await device.recover(pinOf('480278'));
      expect(step).toEqual({ rejection: VaultRejection.wrongPin, faults: [], guessesLeft: left });
      expect(rootSecret).toBeNull();
    }
    expect((await device.clearFailures(new Uint8Array(32))).rejection).toBe(VaultRejection.signatureInvalid);
    expect((await device.clearFailures(vault.identitySeed)).rejection).toBe(VaultRejection.none);
    expect((await device.look()).step.guessesLeft).toBe(10);
    for (const realm of vault.realms) {
      realm.used = 10;
    }
    // The last one may turn out right yet, as far as anybody knows who did not make it.
    const { step: open } = await device.recover(pinOf('480279'));
    expect(open).toMatchObject({ rejection: VaultRejection.sharesTooFew, faults: [] });
    for (const realm of vault.realms) {
      realm.lapse();
    }
    const { step } = await device.recover(pinOf('480279'));
    expect(step).toMatchObject({ rejection: VaultRejection.guessesExhausted, guessesLeft: 0 });
  });

  it('is known by what it takes the place of at the realms that were reached, and by no other', async () => {
    const { vault, device, state, register } = house();
    const kept: VaultRegistered[] = [];
    await register();
    const before = vault.realm(1).record?.version;
    state.down = [3];
    const { root: rootSecret, identitySeed } = vault;
    await device.register({
      ...{ pin: pinOf('590381'), rootSecret, identitySeed, parameters: cheap },
      keep: async (registration) => void kept.push(registration),
    });
    expect(kept.map(({ replaces }) => replaces)).toEqual([[before]]);
  });

  it('replaces a PIN, also where a realm was out of reach for one', async () => {
    const { vault, device, state, register } = house();
    await register();
    state.down = [3];
    expect((await register('739156')).step.rejection).toBe(VaultRejection.none);
    expect((await device.recover(pinOf('739156'))).rootSecret).toEqual(vault.root);
    state.down = [];
    const { step, rootSecret } = await device.recover(pinOf('739156'));
    expect(rootSecret).toEqual(vault.root);
    expect(step.rejection).toBe(VaultRejection.none);
    expect((await register('602915')).step.faults).toEqual([]);
    expect((await device.recover(pinOf('602915'))).rootSecret).toEqual(vault.root);
    expect((await device.recover(pinOf('739156'))).step.rejection).toBe(VaultRejection.wrongPin);
  });

  it('needs a threshold of realms for anything', async () => {
    const { vault, device, state, register } = house();
    await register();
    const before = vault.realm(3).record?.version;
    state.down = [1, 2];
    expect((await register()).step).toMatchObject({ rejection: VaultRejection.sharesTooFew, faults: [] });
    expect(vault.realm(3).record?.version).toBe(before);
    expect((await device.recover(pinOf('480279'))).step.rejection).toBe(VaultRejection.sharesTooFew);
  });

  it('only lets the identity key change what is there', async () => {
    const { vault, device, register } = house();
    await register();
    const stranger = new Uint8Array(32).fill(5);
    const { step, digest } = await device.register({
      ...{ pin: pinOf('739156'), rootSecret: vault.root, identitySeed: stranger, parameters: cheap },
    });
    expect(step.rejection).toBe(VaultRejection.signatureInvalid);
    expect(step.faults).toHaveLength(3);
    expect(digest).toBeNull();
    expect((await device.delete(stranger)).step.rejection).toBe(VaultRejection.signatureInvalid);
    expect((await device.delete(vault.identitySeed)).step.rejection).toBe(VaultRejection.none);
    expect((await device.recover(pinOf('480279'))).step.rejection).toBe(VaultRejection.notRegistered);
  });

  it('begins a wait, after which another key may overwrite, and tells it as a wait until then', async () => {
    const { vault, device, register } = house();
    await register();
    const stranger = new Uint8Array(32).fill(5);
    const overwrite = () =>
      device.register({ pin: pinOf('739156'), rootSecret: vault.root, identitySeed: stranger, parameters: cheap });
    expect(await device.beginWait()).toMatchObject({ secondsLeft: 259_200, step: { rejection: VaultRejection.none } });
    const [first] = vault.realms.map((realm) => realm.wait);
    vault.realm(2).wait = { ...(vault.realm(2).wait as NonNullable<typeof first>), secondsLeft: 7 };
    // Asked again, it is the same wait, and the longest of them is what counts.
    expect((await device.beginWait()).secondsLeft).toBe(259_200);
    expect(vault.realm(1).wait?.id).toBe(first?.id);
    expect((await overwrite()).step).toMatchObject({ rejection: VaultRejection.waitPending });
    expect((await device.recover(pinOf('480279'))).rootSecret).toEqual(vault.root);
    for (const realm of vault.realms) {
      realm.wait = { id: realm.id, device: 'any', secondsLeft: 0 };
    }
    expect((await overwrite()).step).toMatchObject({ rejection: VaultRejection.none, faults: [] });
    expect((await device.recover(pinOf('739156'))).rootSecret).toEqual(vault.root);
  });

  it('cancels waits wherever there are any, with the identity key alone', async () => {
    const { vault, device, state, register } = house();
    await register();
    expect((await device.cancelWait(vault.identitySeed)).rejection).toBe(VaultRejection.none);
    await device.beginWait();
    expect((await device.cancelWait(new Uint8Array(32))).rejection).toBe(VaultRejection.signatureInvalid);
    expect(vault.realms.every((realm) => realm.wait)).toBe(true);
    state.down = [2];
    expect((await device.cancelWait(vault.identitySeed)).rejection).toBe(VaultRejection.none);
    expect(vault.realms.map((realm) => realm.wait !== null)).toEqual([false, true, false]);
    // One alone is left, and goes as well once its realm is there again.
    state.down = [];
    expect((await device.cancelWait(vault.identitySeed)).rejection).toBe(VaultRejection.none);
    expect(vault.realms.map((realm) => realm.wait)).toEqual([null, null, null]);
    state.down = [1, 2];
    expect((await device.cancelWait(vault.identitySeed)).rejection).toBe(VaultRejection.sharesTooFew);
  });

  it('names a realm that lies and goes on without it', async () => {
    const { vault, device, state, register } = house();
    await register();
    let old = new Uint8Array();
    state.tamper = (realm, request, response) => {
      if (realm !== 2 || request[1] !== 7) {
        return response;
      }
      const replayed = old.length > 0 ? old : response;
      old = response as Uint8Array<ArrayBuffer>;
      return replayed;
    };
    expect((await device.recover(pinOf('480279'))).step.faults).toEqual([]);
    const { step, rootSecret } = await device.recover(pinOf('480279'));
    expect(step.rejection).toBe(VaultRejection.none);
    expect(rootSecret).toEqual(vault.root);
    state.down = [3];
    const alone = await device.recover(pinOf('480279'));
    expect(alone.step.rejection).toBe(VaultRejection.responseReplayed);
    expect(alone.step.faults).toMatchObject([{ index: 2, realm: vault.configuration.realmOf(2) }]);
  });

  it('asks each realm once in each step, because a guess that is sent twice is two', async () => {
    const { device, state, register } = house();
    await register();
    state.asked = [];
    await device.recover(pinOf('480278'));
    expect(state.asked).toEqual(['POST 1', 'POST 2', 'POST 3', 'POST 1', 'POST 2', 'POST 3']);
  });
});
