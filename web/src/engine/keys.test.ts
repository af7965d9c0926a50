import { describe, expect, it } from 'vitest';
import { issueCredential } from '../identity/deviceCredential';
import { KeyChain } from '../keylog/chain';
import { TestLog } from '../keylog/testing/testLog';
import { toHex } from '../protocol/bytes';
import { uuidv7 } from '../protocol/ids';
import type { GroupRecord } from '../storage/records';
import { streamOf } from '../vault/testing/stream';
import { FakeServer } from './testing/fakeServer';
import { keep, pair, person } from './testing/people';
import { TestDevice, until } from './testing/testDevice';

const pin = '480279';
const quiet = () => undefined;
const keysOf = (device: TestDevice) => device.engine.services.keys;
const alarmsOf = (device: TestDevice) => keysOf(device).alarms.list.map(({ kind }) => kind);

/** Another device of ann's, without her keys, while the first one is there. */
async function waiting() {
  const house = await pair();
  const client = house.server.client();
  const phone = keep(await TestDevice.waiting('ann', client));
  return { ...house, phone, client };
}

describe('the first device of an account', () => {
  it('begins its chain, is in it, and shows a certificate in every group', async () => {
    const { server, id, ann, bob } = await pair();
    const { account, device } = ann.engine.services.core.device;
    const chain = server.keys.chains.get(account)?.chain;
    expect([...(chain?.devices.keys() ?? [])]).toEqual([device]);
    expect(ann.screen.keys).toMatchObject({ standing: 'approved', pin: 'none', alarms: [], devices: 1 });
    const group = await bob.engine.services.core.group(id);
    const shown = group?.leaves.find((leaf) => leaf.account === account)?.identityKey;
    expect(shown && toHex(shown)).toBe(ann.screen.keys?.identityKey);
    await until(() => keysOf(bob).people.find(account).entries.length === 2, 'bob has read the chain of ann');
  });
});

describe('a device from before there were keys', () => {
  it('begins the chain at its next start, and shows its certificate where it is already', async () => {
    const { id, ann, bob } = await pair();
    const { core } = ann.engine.services;
    // As if its leaf had no certificate yet: nobody remembers a key of its.
    const key = ann.screen.keys?.identityKey;
    const group = await core.group(id);
    const leaves = (group?.leaves ?? []).map((leaf) => ({ ...leaf, identityKey: null }));
    await core.write([{ put: 'groups', value: { ...(group as GroupRecord), leaves } }]);
    await core.updateDevice({ credential: null });
    const before = group?.epoch ?? 0;
    await ann.reload();
    await ann.online();
    await until(() => ann.screen.keys?.standing === 'approved', 'it proves itself again');
    await until(async () => ((await bob.engine.services.core.group(id))?.epoch ?? 0) > before, 'a commit shows it');
    expect(ann.screen.keys?.identityKey).toBe(key);
    await bob.send(id, 'all is as it was');
    await ann.sees(id, 'all is as it was');
  });
});

describe('a further device', () => {
  it('waits: it is in no group and has no key packages, and nobody takes it', async () => {
    const { id, server, ann, phone } = await waiting();
    await until(() => phone.screen.keys?.standing === 'waiting', 'it knows that it waits');
    await phone.settled();
    const own = phone.engine.services.core.device.device;
    expect(server.devices.get(own)).toMatchObject({ packages: [], lastResort: null });
    expect(server.conversations.get(id)?.leaves.map((leaf) => leaf?.device)).not.toContain(own);
    await expect(phone.engine.services.chats.startDirect(await phone.engine.findPerson('bob'))).resolves.toBe(id);
    expect(await ann.texts(id)).toEqual(['first']);
  });

  it('alarms where it comes a week after its approval', async () => {
    const { server, ann } = await pair();
    const phone = keep(await TestDevice.waiting('ann', server.client()));
    let looks = 0;
    keysOf(ann).own.now = () => Date.now() + (looks++ === 0 ? 0 : 8 * 24 * 3_600_000);
    await ann.approve(phone);
    await until(() => ann.screen.keys?.alarms.some(({ kind }) => kind === 'ownKeysChanged') ?? false, 'it alarms');
  });

  it('takes part once an earlier one approves it by its code, and that raises no alarm', async () => {
    const { id, ann, bob, phone } = await waiting();
    const code = (await keysOf(phone).approvalCode()) ?? '';
    expect(code).toMatch(/^chatpay:approve:1:/);
    await expect(ann.engine.readApprovalCode(` ${code.slice(0, 40)}\n${code.slice(40)}`)).resolves.toMatchObject({
      id: phone.engine.services.core.device.device,
      approved: false,
    });
    await expect(bob.engine.approveDevice(code)).rejects.toThrow('code_invalid');
    await expect(ann.engine.approveDevice(code.slice(1))).rejects.toThrow('code_invalid');
    await ann.engine.approveDevice(code);
    await phone.online();
    await until(() => phone.screen.keys?.standing === 'approved', 'it is approved');
    await bob.send(id, 'welcome');
    await phone.sees(id, 'welcome');
    await keysOf(ann).watch();
    expect(alarmsOf(ann)).toEqual([]);
    expect(await keysOf(phone).approvalCode()).toBeNull();
    expect(bob.conversation(id).members.every((member) => member.trust === 'accepted')).toBe(true);
  });

  it('gets in with the PIN, which a wrong guess does not open, and the first one is told', async () => {
    const { id, server, ann, bob, phone } = await waiting();
    await expect(keysOf(ann).pins.set('123456', quiet)).rejects.toThrow('pin_refused');
    await keysOf(ann).pins.set(pin, quiet);
    expect(ann.screen.keys?.pin).toBe('set');
    await expect(keysOf(phone).pins.recover('590381', quiet)).rejects.toMatchObject({
      info: { name: 'wrong_pin', details: { guessesLeft: 9 } },
    });
    expect((await keysOf(phone).pins.guesses.look()).guessesLeft).toBe(9);
    await keysOf(phone).pins.recover(pin, quiet);
    await phone.online();
    await bob.send(id, 'you are back');
    await phone.sees(id, 'you are back');
    expect(bob.conversation(id).members.map((member) => member.trust)).toEqual(['accepted', 'accepted']);
    await keysOf(ann).watch();
    const [alarm] = ann.screen.keys?.alarms ?? [];
    const { device } = phone.engine.services.core.device;
    expect(alarm).toMatchObject({ kind: 'ownKeysChanged', changes: [{ kind: 'deviceAdded', device }] });
    await keysOf(ann).alarms.dismiss(alarm?.number ?? 0);
    expect(ann.screen.keys?.alarms).toEqual([]);
    await keysOf(phone).pins.remove();
    await until(() => phone.screen.keys?.pin === 'none', 'the PIN is gone');
    expect(server.keys.realmsOf(ann.account).every((realm) => realm.record === null)).toBe(true);
  });

  it('is revoked in the chain as well as at the server', async () => {
    const { server, ann, phone } = await waiting();
    await ann.approve(phone);
    await phone.online();
    const { device } = phone.engine.services.core.device;
    await ann.engine.services.devices.revoke(device);
    expect(server.keys.chains.get(ann.account)?.chain.devices.has(device)).toBe(false);
    await until(() => phone.screen.phases.at(-1) === 'revoked', 'it knows');
    expect(alarmsOf(ann)).toEqual([]);
  });
});

describe('somebody whose keys are lost', () => {
  it('begins anew; nothing is sent or paid to them until the new key is accepted', async () => {
    const { id, ann, bob, phone, server } = await waiting();
    await keysOf(bob).people.accept(ann.account, true);
    await until(() => bob.conversation(id).members.some((member) => member.trust === 'verified'), 'ann is verified');
    const { account } = ann.engine.services.core.device;
    await keysOf(phone).own.reset();
    await until(() => ann.screen.phases.at(-1) === 'revoked', 'the old device is out');
    await phone.online();
    await until(() => keysOf(bob).people.isChanged(account), 'bob notices');
    expect(bob.conversation(id).members.find((member) => !member.isMe)?.trust).toBe('changed');
    await expect(bob.send(id, 'are you still you?')).rejects.toThrow('identity_changed');
    const card = {
      conversation: id,
      kind: 'transfer' as const,
      other: account,
      amountMinor: 1n,
      asset: 'EUR',
      memo: '',
    };
    await expect(bob.engine.postCard(card)).rejects.toThrow('identity_changed');
    await keysOf(bob).people.accept(account, false);
    expect(bob.conversation(id).members.find((member) => !member.isMe)?.trust).toBe('accepted');
    await bob.send(id, 'hello again');
    await phone.sees(id, 'hello again');
    expect(server.keys.chains.get(account)?.chain.resets).toBe(1);
  });
});

describe('a safety number', () => {
  it('is the same on both sides, and another after a reset', async () => {
    const { id, ann, bob, phone } = await waiting();
    const [one, other] = [await keysOf(ann).personKeys(bob.account), await keysOf(bob).personKeys(ann.account)];
    expect(one).toMatchObject({ state: 'accepted', isLogged: true });
    expect(one.safetyNumber).toHaveLength(12);
    expect(one.safetyNumber).toEqual(other.safetyNumber);
    const { account } = ann.engine.services.core.device;
    await keysOf(phone).own.reset();
    await phone.online();
    await bob.settled();
    const after = await keysOf(bob).personKeys(account);
    expect(after.state).toBe('changed');
    expect(after.safetyNumber).not.toEqual(one.safetyNumber);
    expect(bob.conversation(id).active).toBe(true);
  });
});

describe('an account in the key log', () => {
  it('has no device without a certificate: a commit that adds one is refused, and no message to it is made', async () => {
    const { id, ann, bob } = await pair();
    await keysOf(bob).personKeys(ann.account);
    const { core, groups } = bob.engine.services;
    const keys = await core.mls.generateKeyPair();
    const bare = { account: ann.account, device: uuidv7(), ...keys, credential: null };
    const [made] = await core.mls.createKeyPackages(bare, 1, Date.now());
    const candidate = { ...bare, keyPackage: made?.message ?? new Uint8Array() };
    await expect(
      core.lane.run(id, () => groups.commit(id, () => ({ adds: [candidate], removeLeaves: [] }))),
    ).rejects.toThrow();
    const group = await core.group(id);
    expect(group?.leaves).toHaveLength(2);
  });
});

describe('a device that says it is of the own account', () => {
  it('by another identity key is told of', async () => {
    const { id, ann, bob } = await pair();
    const { core, groups } = bob.engine.services;
    const keys = await core.mls.generateKeyPair();
    const device = uuidv7();
    const credential = issueCredential(streamOf('eve')(32), ann.account, device, keys.publicKey);
    const eve = { account: ann.account, device, ...keys, credential };
    const [made] = await core.mls.createKeyPackages(eve, 1, Date.now());
    const candidate = { ...eve, keyPackage: made?.message ?? new Uint8Array() };
    await core.lane.run(id, () => groups.commit(id, () => ({ adds: [candidate], removeLeaves: [] })));
    await until(() => alarmsOf(ann).includes('identityUnlogged'), 'ann is alarmed');
    // And bob is asked before he goes on, as the key is not the one that he knows of her.
    await until(() => keysOf(bob).people.isChanged(ann.account), 'bob sees another key');
    await until(() => alarmsOf(bob).includes('identityUnlogged'), 'which the log does not have');
    await expect(bob.send(id, 'to whom?')).rejects.toThrow('identity_changed');
  });
});

describe('the key log', () => {
  it('that shows another history raises an alarm that stays, and its chains are not taken', async () => {
    const { server, ann, bob } = await pair();
    const checked = keysOf(bob).log.log;
    expect(checked?.size).toBeGreaterThan(0);
    const honest = server.keys.log;
    // The same key signs a log of the same size with another beginning.
    const forked = new TestLog(streamOf('fake keys')(32));
    for (const entry of honest.entries) {
      forked.append(entry.map((byte) => byte ^ 1));
    }
    server.keys.log = forked;
    await keysOf(bob).personKeys(ann.account);
    expect(alarmsOf(bob)).toEqual(['logForked']);
    await bob.reload();
    expect(alarmsOf(bob)).toEqual(['logForked']);
    expect(keysOf(bob).log.log).toEqual(checked);
  });

  it('that has become smaller, or another one, raises one as well', async () => {
    const { server, ann, bob } = await pair();
    await ann.settled();
    await bob.settled();
    const { log } = server.keys;
    log.entries.splice(log.entries.length - 1, 1);
    await keysOf(bob).people.check(ann.account);
    expect(alarmsOf(bob)).toEqual(['logShrunk']);
    server.keys.log = new TestLog(streamOf('another key')(32), 'other.example.org/keys');
    server.keys.log.entries.push(...log.entries);
    await keysOf(bob).people.check(ann.account);
    expect(alarmsOf(bob)).toContain('logReplaced');
  });

  it('that a backup was restored of gets back what it lost of the own chain, and keeps of others what is known here', async () => {
    const { server, ann, bob } = await pair();
    await ann.settled();
    await bob.settled();
    const known = keysOf(bob).people.chainOf(ann.account)?.length;
    const { chains, log } = server.keys;
    const { chain, entries } = chains.get(ann.account) ?? { chain: null, entries: [] };
    server.keys.log = new TestLog(streamOf('another key')(32), 'restored.example.org/keys');
    const kept = KeyChain.check(
      ann.account,
      entries.slice(0, 1).map(({ encoding }) => encoding),
    );
    if (!('chain' in kept) || !chain) {
      throw new Error('no chain');
    }
    server.keys.log.append(...log.entries.slice(0, 1));
    chains.set(ann.account, { chain: kept.chain, entries: entries.slice(0, 1).map((one) => ({ ...one, index: 0 })) });
    await keysOf(bob).people.check(ann.account);
    expect(alarmsOf(bob)).toEqual(['logReplaced']);
    expect(keysOf(bob).people.chainOf(ann.account)?.length).toBe(known);
    expect(kept.chain.length).toBe(1);
    await keysOf(ann).watch();
    expect(kept.chain.length).toBe(chain.length);
    expect(alarmsOf(ann)).toEqual(['logReplaced']);
    await keysOf(bob).people.check(ann.account);
    expect(alarmsOf(bob)).toEqual(['logReplaced']);
  });

  it('that shows two people two histories is found out by what they tell each other', async () => {
    const { id, server, ann, bob } = await pair();
    await ann.settled();
    const { log } = keysOf(ann).log;
    expect(alarmsOf(ann)).toEqual([]);
    // What bob is shown is signed by the same key; the server goes on with ann as if nothing was.
    const other = new TestLog(streamOf('fake keys')(32));
    other.append(...server.keys.log.entries.map((entry) => entry.map((byte) => byte ^ 1)));
    keysOf(bob).gossip.next = () => other.note();
    await bob.send(id, 'what do you see?');
    await until(() => alarmsOf(ann).includes('logForked'), 'ann is alarmed');
    expect(keysOf(ann).alarms.list[0]).toMatchObject({ account: null, evidence: [log?.note, other.note()] });
    other.append(new Uint8Array(32));
    await bob.send(id, 'and now?');
    await until(() => alarmsOf(ann).length === 2, 'a longer log than the server has is none either');
    // What nobody signed proves nothing: one alarm, whatever bob comes up with.
    for (const note of ['nonsense', 'more of it']) {
      keysOf(bob).gossip.next = () => note;
      await bob.send(id, note);
      await ann.sees(id, note);
    }
    await until(() => alarmsOf(ann).includes('logOther'), 'ann is told');
    await ann.settled();
    expect(alarmsOf(ann)).toEqual(['logForked', 'logForked', 'logOther']);
  });

  it('that is one is gossiped about without an alarm', async () => {
    const { id, server, ann, bob, annClient } = await pair();
    server.keys.log.append(new Uint8Array(32), new Uint8Array(32).fill(1));
    await keysOf(bob).personKeys(ann.account);
    const { note } = keysOf(bob).log.log ?? { note: '' };
    keysOf(bob).gossip.next = () => note;
    await bob.send(id, 'I have seen more than you');
    await ann.sees(id, 'I have seen more than you');
    await until(() => annClient.calls.includes('keyConsistency'), 'ann has asked');
    await ann.settled();
    expect([...alarmsOf(ann), ...alarmsOf(bob)]).toEqual([]);
  });

  it('that hides an own entry, or makes one up, does not get it taken', async () => {
    const server = new FakeServer();
    const { device: ann } = await person(server, 'ann');
    server.keys.tamper = (reply) => ({ ...reply, length: reply.length - 1, entries: [] });
    await keysOf(ann).watch();
    expect(alarmsOf(ann)).toEqual(['chainInvalid']);
  });
});
