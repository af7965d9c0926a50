import { describe, expect, it } from 'vitest';
import { fail } from './testing/fakeServer';
import { keep, pair, person } from './testing/people';
import { chainOf, keysOf } from './testing/pins';
import { bringIn, seedOf, spyOf } from './testing/strangers';
import { TestDevice, until } from './testing/testDevice';

const devicesOf = (device: TestDevice) => device.engine.services.devices;
const leavesOf = async (device: TestDevice, id: string) =>
  ((await device.engine.services.core.group(id))?.leaves ?? []).map((leaf) => leaf.device);
const ownId = (device: TestDevice) => device.engine.services.core.device.device;

/** Ann with a phone beside her first device, both in a conversation with bob. */
async function withPhone() {
  const { server, id, ann, bob } = await pair();
  const phone = keep(await TestDevice.signIn('ann', server.client(), ann));
  await until(async () => (await leavesOf(ann, id)).includes(ownId(phone)), 'the phone is in');
  await phone.settled();
  return { server, id, ann, bob, phone };
}

/** The server tells ann of no such device, and does nothing about it. */
function hide({ server, ann }: Awaited<ReturnType<typeof withPhone>>, hidden: string): void {
  const { api } = ann.engine.services.core;
  const { devices } = api;
  api.devices = async () => (await devices.call(api)).filter(({ id }) => id !== hidden);
  const { revoke } = server;
  server.revoke = (id) => (id === hidden ? undefined : revoke.call(server, id));
}

async function unlisted(device: TestDevice) {
  return devicesOf(device).unlisted(await devicesOf(device).list());
}

describe('a device of the own account that the server hides', () => {
  it('is known from the keys and the conversations, and is put out without the server', async () => {
    const all = await withPhone();
    const { server, id, ann, bob, phone } = all;
    const hidden = ownId(phone);
    const [fingerprint] = (await devicesOf(phone).list()).filter(({ current }) => current);
    hide(all, hidden);
    expect(await unlisted(ann)).toEqual([
      { id: hidden, fingerprint: fingerprint?.fingerprint ?? '', standing: 'vouched', conversations: 1 },
    ]);
    await devicesOf(ann).revokeUnlisted(hidden);
    expect(chainOf(server, ann)?.devices.has(hidden)).toBe(false);
    expect(await leavesOf(ann, id)).not.toContain(hidden);
    expect(await unlisted(ann)).toEqual([]);
    await ann.send(id, 'between us');
    await bob.sees(id, 'between us');
    expect(await leavesOf(bob, id)).not.toContain(hidden);
    expect(await phone.texts(id)).not.toContain('between us');
  });

  it('is put out also where the server says that there is no such device', async () => {
    const all = await withPhone();
    const { id, ann, phone } = all;
    hide(all, ownId(phone));
    const { api } = ann.engine.services.core;
    api.revokeDevice = async () => fail(2009, 'device_unknown');
    await devicesOf(ann).revokeUnlisted(ownId(phone));
    expect(await leavesOf(ann, id)).not.toContain(ownId(phone));
  });

  it('is told of while it is in conversations, where only the keys have let it go', async () => {
    const all = await withPhone();
    const { ann, phone } = all;
    hide(all, ownId(phone));
    await keysOf(ann).revokeInChain(ownId(phone));
    expect(await unlisted(ann)).toMatchObject([{ id: ownId(phone), standing: 'removed', conversations: 1 }]);
  });

  it('is no other than the one that is listed under the same name, if that has another key', async () => {
    const { ann, phone } = await withPhone();
    const { api } = ann.engine.services.core;
    const { devices } = api;
    api.devices = async () =>
      (await devices.call(api)).map((view) =>
        view.id === ownId(phone) ? { ...view, signatureKey: Buffer.alloc(32, 7).toString('base64') } : view,
      );
    expect(await unlisted(ann)).toMatchObject([{ id: ownId(phone), standing: 'vouched' }]);
  });
});

describe('a device that the server lists', () => {
  it('is put out of conversations also where the server keeps its removal to itself', async () => {
    const { server, id, ann, bob, phone } = await withPhone();
    const gone = ownId(phone);
    // It is let go at the server, and nobody is told to remove it.
    server.revoke = (device) => {
      const known = server.devices.get(device);
      if (known) {
        known.revoked = true;
      }
    };
    await devicesOf(ann).revoke(gone);
    await until(async () => !(await leavesOf(bob, id)).includes(gone), 'it is out');
    expect(await unlisted(ann)).toEqual([]);
  });

  it('is not told of as hidden, before and after it is removed', async () => {
    const { id, ann, phone } = await withPhone();
    const gone = ownId(phone);
    expect(await unlisted(ann)).toEqual([]);
    await devicesOf(ann).revoke(gone);
    expect(await unlisted(ann)).toEqual([]);
    await until(async () => !(await leavesOf(ann, id)).includes(gone), 'it is out');
    expect(await unlisted(ann)).toEqual([]);
  });
});

describe('a removal of which only a half can be done', () => {
  it('ends the sessions also where the keys cannot be changed, and says so', async () => {
    const { server, id, ann, bob, phone } = await withPhone();
    const gone = ownId(phone);
    const { api } = ann.engine.services.core;
    const { appendKeys } = api;
    api.appendKeys = async () => fail(7001, 'key_entry_invalid');
    await expect(devicesOf(ann).revoke(gone)).rejects.toThrow('device_still_vouched');
    expect(server.devices.get(gone)?.revoked).toBe(true);
    expect(chainOf(server, ann)?.devices.has(gone)).toBe(true);
    await until(async () => !(await leavesOf(bob, id)).includes(gone), 'it is out');
    // It is found among those that are not listed, and the other half is done there.
    await until(async () => (await unlisted(ann)).length > 0, 'it is shown');
    expect(await unlisted(ann)).toMatchObject([{ id: gone, standing: 'vouched' }]);
    api.appendKeys = appendKeys;
    await devicesOf(ann).revokeUnlisted(gone);
    expect(chainOf(server, ann)?.devices.has(gone)).toBe(false);
    expect(await unlisted(ann)).toEqual([]);
  });

  it('says where the server did not sign it out', async () => {
    const { server, ann, phone } = await withPhone();
    const { api } = ann.engine.services.core;
    api.revokeDevice = async () => fail(1008, 'unavailable');
    await expect(devicesOf(ann).revoke(ownId(phone))).rejects.toThrow('device_still_signed_in');
    expect(chainOf(server, ann)?.devices.has(ownId(phone))).toBe(false);
  });

  it('says what was in the way where neither could be done', async () => {
    const { ann, phone } = await withPhone();
    const { api } = ann.engine.services.core;
    api.appendKeys = async () => fail(1008, 'unavailable');
    api.revokeDevice = async () => fail(1007, 'overloaded');
    await expect(devicesOf(ann).revoke(ownId(phone))).rejects.toThrow('unavailable');
  });

  it('says only that it is signed in where the keys never vouched for it', async () => {
    const { server, ann } = await withPhone();
    const waiting = keep(await TestDevice.waiting('ann', server.client()));
    const { api } = ann.engine.services.core;
    api.revokeDevice = async () => fail(1008, 'unavailable');
    await expect(devicesOf(ann).revoke(ownId(waiting))).rejects.toThrow('unavailable');
  });

  it('does not count as done on a device that has no say in the keys', async () => {
    const { server, ann, phone } = await withPhone();
    const waiting = keep(await TestDevice.waiting('ann', server.client()));
    await expect(devicesOf(waiting).revoke(ownId(phone))).rejects.toThrow('device_still_vouched');
    expect(chainOf(server, ann)?.devices.has(ownId(phone))).toBe(true);
  });

  it('says of one that is not listed which half is missing, whatever stays in conversations', async () => {
    const { ann, phone } = await withPhone();
    const gone = ownId(phone);
    const { api } = ann.engine.services.core;
    const { appendKeys, revokeDevice } = api;
    ann.engine.services.groups.commit = async () => fail(1008, 'unavailable');
    api.appendKeys = async () => fail(7001, 'key_entry_invalid');
    await expect(devicesOf(ann).revokeUnlisted(gone)).rejects.toThrow('device_still_vouched');
    api.appendKeys = appendKeys;
    api.revokeDevice = async () => fail(1008, 'unavailable');
    await expect(devicesOf(ann).revokeUnlisted(gone)).rejects.toThrow('device_still_signed_in');
    api.revokeDevice = revokeDevice;
    await expect(devicesOf(ann).revokeUnlisted(gone)).rejects.toThrow('device_still_in_chats');
  });

  it('ends the sessions of one that is not listed, too', async () => {
    const { ann, phone } = await withPhone();
    const { api } = ann.engine.services.core;
    const asked: string[] = [];
    api.appendKeys = async () => fail(7001, 'key_entry_invalid');
    api.revokeDevice = async (device) => void asked.push(device);
    await expect(devicesOf(ann).revokeUnlisted(ownId(phone))).rejects.toThrow('device_still_vouched');
    expect(asked).toEqual([ownId(phone)]);
  });
});

it('A device in the own name that neither the keys nor the server know is told of, and nothing is in the way once it is put out', async () => {
  const { server, ann, bob } = await pair();
  const { device: carol } = await person(server, 'carol');
  const group = await bob.createGroup('Garden', ann, carol);
  await bob.send(group, 'all three');
  await ann.sees(group, 'all three');
  const spy = await spyOf(ann, seedOf(ann));
  await bringIn(bob, group, spy);
  await until(async () => (await leavesOf(ann, group)).includes(spy.device), 'it is in');
  await expect(ann.send(group, 'a secret')).rejects.toThrow('own_device_unlogged');
  expect(await unlisted(ann)).toMatchObject([{ id: spy.device, standing: 'unknown', conversations: 1 }]);
  await devicesOf(ann).revokeUnlisted(spy.device);
  expect(await unlisted(ann)).toEqual([]);
  await ann.send(group, 'just us');
  await until(async () => !(await leavesOf(bob, group)).includes(spy.device), 'it is out');
});
