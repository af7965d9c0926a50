import { describe, expect, it } from 'vitest';
import { fromBase64, toBase64 } from '../protocol/bytes';
import { RealmConfiguration } from '../vault/configuration';
import { idOf, streamOf } from '../vault/testing/stream';
import { TestRealm } from '../vault/testing/testRealm';
import type { FakeServer } from './testing/fakeServer';
import { keep, pair } from './testing/people';
import { chainOf, keysOf, nextPin, pin, quiet, registered } from './testing/pins';
import { TestDevice } from './testing/testDevice';

const others = [7, 8, 9].map((number) => idOf(`realm ${number}`));
const nameOf = (realms: string[]) => Buffer.from(new RealmConfiguration(realms, 2).digest).toString('hex');
const alarmsOf = (device: TestDevice) => keysOf(device).alarms.list.map(({ kind }) => kind);
const stateOf = (device: TestDevice) => [keysOf(device).security.pin, keysOf(device).security.pinLoss];

/** The server names these realms from now on; those that there were not have nothing. */
function name(server: FakeServer, account: string, realms: string[]): void {
  const known = server.keys.realmsOf(account);
  const inForce = () => server.keys.chains.get(account)?.chain.identityKey ?? null;
  for (const id of realms.filter((one) => !known.some((realm) => realm.id === one))) {
    known.push(new TestRealm(id, account, streamOf(id), inForce));
  }
  server.keys.vault = () => ({ operators: 1, threshold: 2, realms });
}

/** The kinds of messages that realms are asked from now on, with whom. */
function asked(server: FakeServer): [string, number][] {
  const { ask } = server.keys;
  const seen: [string, number][] = [];
  server.keys.ask = (device, realm, message) => {
    seen.push([realm, fromBase64(message)[1] ?? 0]);
    return ask.call(server.keys, device, realm, message);
  };
  return seen;
}

async function house() {
  const { server, ann } = await pair();
  await ann.engine.services.payPin.set(pin, quiet);
  await keysOf(ann).watch();
  return { server, ann, own: [...server.keys.realmIds] };
}

describe('a server that names other realms than those that the PIN was set at', () => {
  it('loses no PIN: it is told of once for each set of them, and they are asked nothing', async () => {
    const { server, ann, own } = await house();
    name(server, ann.account, others);
    const seen = asked(server);
    await keysOf(ann).watch();
    expect([stateOf(ann), alarmsOf(ann)]).toEqual([['set', 'realms_other'], ['realmsOther']]);
    expect(seen).toEqual([]);
    await expect(ann.engine.services.payPin.remove()).rejects.toThrow('vault_realms_other');
    await expect(keysOf(ann).pins.recover(pin, quiet)).rejects.toThrow('vault_realms_other');
    expect(seen).toEqual([]);
    await keysOf(ann).alarms.dismiss(keysOf(ann).alarms.list[0]?.number ?? 0);
    // The right ones again, and the others again.
    name(server, ann.account, own);
    await keysOf(ann).watch();
    expect(stateOf(ann)).toEqual(['set', null]);
    name(server, ann.account, others);
    await keysOf(ann).watch();
    expect([stateOf(ann), alarmsOf(ann)]).toEqual([['set', 'realms_other'], []]);
    name(server, ann.account, [...others].reverse());
    await keysOf(ann).watch();
    expect(alarmsOf(ann)).toEqual(['realmsOther']);
  });

  it('gets no PIN there but by who has agreed to these very realms, and then all is well', async () => {
    const { server, ann } = await house();
    name(server, ann.account, others);
    await keysOf(ann).watch();
    const seen = asked(server);
    const { payPin } = ann.engine.services;
    await expect(payPin.set(nextPin, quiet)).rejects.toThrow('vault_realms_other');
    await expect(payPin.set(nextPin, quiet, nameOf([...others].reverse()))).rejects.toThrow('vault_realms_other');
    expect(seen).toEqual([]);
    await payPin.set(nextPin, quiet, nameOf(others));
    expect([stateOf(ann), alarmsOf(ann)]).toEqual([['set', null], []]);
    expect(registered(server, ann)).toContain(String(chainOf(server, ann)?.vaultDigest));
  });

  it('is found out by a device that another one has let in, once it has looked', async () => {
    const { server, ann } = await house();
    const tablet = keep(await TestDevice.signIn('ann', server.client(), ann));
    await keysOf(tablet).watch();
    name(server, ann.account, others);
    await keysOf(tablet).watch();
    expect(stateOf(tablet)).toEqual(['set', 'realms_other']);
  });

  it('of which one lies is told which, also where the PIN was right', async () => {
    const { server, own } = await house();
    const phone = keep(await TestDevice.waiting('ann', server.client()));
    const { ask } = server.keys;
    server.keys.ask = (device, realm, message) => {
      const answer = ask.call(server.keys, device, realm, message);
      const bytes = fromBase64(answer.message);
      if (realm === own[2] && bytes[1] === 8) {
        bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      }
      return { message: toBase64(bytes) };
    };
    const wrong = await keysOf(phone)
      .pins.recover(nextPin, quiet)
      .catch((thrown: unknown) => thrown);
    expect(wrong).toMatchObject({ info: { name: 'wrong_pin', details: { realms: [{ part: 3, operator: null }] } } });
    await keysOf(phone).pins.recover(pin, quiet);
    expect(keysOf(phone).isApproved).toBe(true);
    const lied = keysOf(phone).security.alarms.filter(({ kind }) => kind === 'realmLied');
    expect(lied).toMatchObject([{ realms: [{ realm: own[2], part: 3 }] }]);
  });

  it('is found out by a new device where enough realms say that they belong to others, before it guesses', async () => {
    const { server, ann, own } = await house();
    const phone = keep(await TestDevice.waiting('ann', server.client()));
    name(server, ann.account, [own[0] ?? '', own[1] ?? '', others[0] ?? '']);
    const seen = asked(server);
    await expect(keysOf(phone).pins.recover(pin, quiet)).rejects.toThrow('vault_realms_other');
    expect(seen.map(([, kind]) => kind)).not.toContain(7);
    expect((await keysOf(phone).pins.guesses.look()).loss).toBe('realms_other');
  });
});
