import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../protocol/bytes';
import { uuidv7 } from '../protocol/ids';
import type { GroupRecord } from '../storage/records';
import { crashing, crashPoints } from './testing/crash';
import { keep, pair } from './testing/people';
import { TestDevice, until } from './testing/testDevice';

const pin = '480279';
const quiet = () => undefined;
const keysOf = (device: TestDevice) => device.engine.services.keys;
const alarmsOf = (device: TestDevice) => keysOf(device).alarms.list.map(({ kind }) => kind);
const keyOf = (device: TestDevice) => device.screen.keys?.identityKey ?? '';

/** The identity keys that an account's devices show in a group, as one device has it. */
async function shown(device: TestDevice, id: string, account: string): Promise<string[]> {
  const group = await device.engine.services.core.group(id);
  const leaves = (group?.leaves ?? []).filter((leaf) => leaf.account === account);
  return leaves.map(({ identityKey }) => (identityKey ? toHex(identityKey) : ''));
}

/** A second device of ann's, approved by the first. */
async function withPhone(before: (ann: TestDevice) => Promise<void> = async () => undefined) {
  const house = await pair();
  await before(house.ann);
  const phoneClient = house.server.client();
  const phone = keep(await TestDevice.signIn('ann', phoneClient, house.ann));
  await house.bob.send(house.id, 'both of you');
  await phone.sees(house.id, 'both of you');
  return { ...house, phone, phoneClient };
}

describe('a renewed identity key', () => {
  it('leaves the one before it to vouch for the devices that were there, and for no new one', async () => {
    const { ann, bob } = await pair();
    const before = fromHex(keyOf(ann));
    await keysOf(ann).own.rotate();
    await keysOf(bob).personKeys(ann.account);
    await keysOf(bob).people.accept(ann.account, false);
    const { account, device, publicKey: signatureKey } = ann.engine.services.core.device;
    for (const one of [ann, bob]) {
      const { people } = keysOf(one);
      expect(people.mayAdd({ account, device, signatureKey, identityKey: before })).toBe(true);
      expect(people.mayAdd({ account, device: uuidv7(), signatureKey, identityKey: before })).toBe(false);
    }
  });

  it('is not verified by a number that was shown before it, and a mark can be taken away', async () => {
    const { ann, bob } = await pair();
    const trust = async () => (await keysOf(bob).personKeys(ann.account)).state;
    const before = (await keysOf(bob).personKeys(ann.account)).safetyCode ?? '';
    await keysOf(ann).own.rotate();
    expect(await trust()).toBe('changed');
    expect(await keysOf(bob).verifySafety(ann.account, before)).toBe('mismatch');
    expect(await trust()).toBe('changed');
    const { safetyCode } = await keysOf(bob).personKeys(ann.account);
    expect(safetyCode).not.toBe(before);
    expect(await keysOf(bob).verifySafety(ann.account, safetyCode ?? '')).toBe('match');
    expect(await trust()).toBe('verified');
    await keysOf(bob).people.unverify(ann.account);
    expect(await trust()).toBe('accepted');
    await bob.reload();
    expect(await trust()).toBe('accepted');
  });

  it('vouches for the device in every group, and stops what contacts send until they accept it', async () => {
    const { server, id, ann, bob } = await pair();
    const group = await ann.createGroup('Garden', bob);
    await bob.settled();
    await keysOf(bob).people.accept(ann.account, true);
    const before = keyOf(ann);
    await keysOf(ann).own.rotate();
    expect(keyOf(ann)).not.toBe(before);
    for (const one of [id, group]) {
      await until(async () => (await shown(bob, one, ann.account))[0] === keyOf(ann), 'bob sees the new key');
    }
    await until(() => keysOf(bob).people.isChanged(ann.account), 'bob is asked');
    await expect(bob.send(id, 'still you?')).rejects.toThrow('identity_changed');
    const card = { kind: 'transfer' as const, other: ann.account, amountMinor: 1n, asset: 'EUR', memo: '' };
    await expect(bob.engine.postCard({ conversation: id, ...card })).rejects.toThrow('identity_changed');
    await keysOf(bob).people.accept(ann.account, false);
    await bob.send(id, 'welcome back');
    await ann.sees(id, 'welcome back');
    await ann.send(id, 'thank you');
    await bob.sees(id, 'thank you');
    const chain = server.keys.chains.get(ann.account)?.chain;
    expect(chain).toMatchObject({ resets: 0, length: 3 });
    expect(chain?.devices.size).toBe(1);
    expect(alarmsOf(ann)).toEqual([]);
    expect(alarmsOf(bob)).toEqual([]);
    expect(ann.screen.keys?.renewal).toBeNull();
  });

  it('comes with the PIN on a wiped browser, with no new registration', async () => {
    const { server, id, ann, bob } = await pair();
    await keysOf(ann).pins.set(pin, quiet);
    const versions = () => server.keys.realmsOf(ann.account).map((realm) => realm.record?.version);
    const registered = versions();
    await keysOf(ann).own.rotate();
    await until(() => keysOf(bob).people.isChanged(ann.account), 'bob is asked');
    await keysOf(bob).people.accept(ann.account, false);
    expect(versions()).toEqual(registered);
    const again = keep(await TestDevice.waiting('ann', server.client()));
    await keysOf(again).pins.recover(pin, quiet);
    await again.online();
    expect(keyOf(again)).toBe(keyOf(ann));
    await bob.send(id, 'the same to me');
    await again.sees(id, 'the same to me');
    expect(keysOf(bob).people.isChanged(ann.account)).toBe(false);
    // The realms take the key that the log has in force.
    await keysOf(again).pins.guesses.giveBack();
  });

  it('is renewed twice, and each is a change to others', async () => {
    const { id, ann, bob } = await pair();
    const seen = new Set([keyOf(ann)]);
    for (let i = 0; i < 2; i++) {
      await keysOf(ann).own.rotate();
      seen.add(keyOf(ann));
      await until(() => keysOf(bob).people.isChanged(ann.account), 'bob is asked');
      await keysOf(bob).people.accept(ann.account, false);
    }
    expect(seen.size).toBe(3);
    await bob.send(id, 'third time');
    await ann.sees(id, 'third time');
  });
});

describe('another device of the account', () => {
  it('with the root secret takes the new key by itself, and tells of the change', async () => {
    const { id, ann, bob, phone } = await withPhone((ann) => keysOf(ann).pins.set(pin, quiet));
    await keysOf(ann).own.rotate();
    await until(() => keyOf(phone) === keyOf(ann) && keysOf(phone).own.holdsKey, 'the phone has it');
    await until(async () => (await shown(bob, id, ann.account)).every((key) => key === keyOf(ann)), 'both show it');
    expect(alarmsOf(phone)).toEqual(['ownKeysChanged']);
    expect(phone.screen.keys?.alarms[0]?.changes).toEqual([{ kind: 'identity', device: null }]);
    await keysOf(bob).people.accept(ann.account, false);
    await bob.send(id, 'to both');
    await phone.sees(id, 'to both');
  });

  it('without it goes on chatting, shows its code, and is approved again', async () => {
    const { id, ann, bob, phone } = await withPhone();
    await keysOf(ann).own.rotate();
    await until(() => phone.screen.keys?.isBehind === true, 'the phone knows');
    expect(phone.screen.keys?.standing).toBe('approved');
    await keysOf(bob).people.check(ann.account);
    await keysOf(bob).people.accept(ann.account, false);
    await phone.send(id, 'I am here all the same');
    await bob.sees(id, 'I am here all the same');
    expect(keysOf(bob).people.isChanged(ann.account)).toBe(false);
    await expect(keysOf(phone).pins.set(pin, quiet)).rejects.toThrow('device_not_approved');
    await ann.approve(phone);
    await until(() => phone.screen.keys?.isBehind === false, 'it has the key');
    await until(async () => (await shown(bob, id, ann.account)).every((key) => key === keyOf(ann)), 'and shows it');
    expect(await keysOf(phone).approvalCode()).toBeNull();
    await bob.send(id, 'to both');
    await phone.sees(id, 'to both');
    await keysOf(ann).watch();
    expect(alarmsOf(ann)).toEqual([]);
  });
});

describe('a crash while the identity key is renewed', () => {
  for (const point of crashPoints) {
    it(`after any ${point} leaves one key that everybody has`, { timeout: 480_000 }, async () => {
      const { server, id, ann, bob, annClient } = await pair();
      await keysOf(ann).pins.set(pin, quiet);
      for (let n = 1; ; n++) {
        const crashed = await crashing(ann, annClient, point, n, () => keysOf(ann).own.rotate());
        await until(() => keysOf(ann).own.holdsKey && !keysOf(ann).own.record.wrapDue, 'ann has her key');
        const inForce = server.keys.chains.get(ann.account)?.chain.identityKey;
        await until(async () => (await shown(bob, id, ann.account))[0] === toHex(inForce as Uint8Array), 'bob sees it');
        const { rootSecret, identitySeed } = keysOf(ann).own.record;
        expect(await keysOf(ann).own.wrapped.read(rootSecret as Uint8Array)).toMatchObject({ identitySeed });
        expect(alarmsOf(ann)).toEqual([]);
        await keysOf(bob).people.check(ann.account);
        await keysOf(bob).people.accept(ann.account, false);
        await bob.send(id, `after ${n}`);
        await ann.sees(id, `after ${n}`);
        if (!crashed) {
          break;
        }
      }
    });
  }
});

describe('somebody who has shown a certificate once', () => {
  it('is taken by none without, although the log says nothing of them', async () => {
    const { id, server, ann, bob } = await pair();
    const { core, groups } = bob.engine.services;
    // As if the server had never shown a chain of ann's: what is known of her is what her device showed.
    server.keys.tamper = (reply) => (reply.account === ann.account ? { ...reply, length: 0, entries: [] } : reply);
    await bob.settled();
    const known = keysOf(bob).people.find(ann.account);
    await core.write([{ put: 'keys', id: `of/${ann.account}`, value: { ...known, entries: [] } }]);
    await bob.reload();
    await until(() => bob.screen.state === 'online', 'bob is back');
    expect(keysOf(bob).people.chainOf(ann.account)).toBeNull();
    const again = bob.engine.services;
    const keys = await again.core.mls.generateKeyPair();
    const bare = { account: ann.account, device: crypto.randomUUID(), ...keys, credential: null };
    const [made] = await again.core.mls.createKeyPackages(bare, 1, Date.now());
    const candidate = { ...bare, keyPackage: made?.message ?? new Uint8Array() };
    await expect(
      again.core.lane.run(id, () => again.groups.commit(id, () => ({ adds: [candidate], removeLeaves: [] }))),
    ).rejects.toThrow();
    expect(groups).not.toBe(again.groups);
    expect(((await again.core.group(id)) as GroupRecord).leaves).toHaveLength(2);
  });
});
