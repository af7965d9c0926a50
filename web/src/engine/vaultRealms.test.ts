import { describe, expect, it } from 'vitest';
import { fromBase64, toBase64 } from '../protocol/bytes';
import type { RealmHostView } from '../protocol/wire';
import { nameOfShown } from '../vault/configuration';
import { idOf, streamOf } from '../vault/testing/stream';
import { TestRealm } from '../vault/testing/testRealm';
import type { FakeServer } from './testing/fakeServer';
import { keep, pair } from './testing/people';
import { chainOf, keysOf, nextPin, pin, quiet, registered } from './testing/pins';
import { TestDevice } from './testing/testDevice';

const others = [7, 8, 9].map((number) => idOf(`realm ${number}`));
const alarmsOf = (device: TestDevice) => keysOf(device).alarms.list.map(({ kind }) => kind);
const stateOf = (device: TestDevice) => [keysOf(device).security.pin, keysOf(device).security.pinLoss];

/** The host of each realm, and who runs it. */
const at = (realms: string[], host: string, operator = "Ana's") =>
  realms.map((realm, index) => ({ realm, address: `https://${host}:${index}/`, operator }));

/** The server names these realms from now on; those that there were not have nothing. */
function name(server: FakeServer, account: string, realms: string[], hosts?: RealmHostView[]): void {
  const known = server.keys.realmsOf(account);
  const inForce = () => server.keys.chains.get(account)?.chain.identityKey ?? null;
  for (const id of realms.filter((one) => !known.some((realm) => realm.id === one))) {
    known.push(new TestRealm(id, account, streamOf(id), inForce));
  }
  server.keys.vault = () => ({ operators: 1, threshold: 2, realms, hosts: hosts ?? null });
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

/** What a person agrees to. */
const shown = (realms: string[], hosts?: RealmHostView[]) =>
  nameOfShown({ operators: 1, threshold: 2, realms, hosts: hosts ?? null });

async function house(hosts?: (realms: string[]) => RealmHostView[]) {
  const { server, ann } = await pair();
  const realms = [...server.keys.realmIds];
  name(server, ann.account, realms, hosts?.(realms));
  await ann.engine.services.payPin.set(pin, quiet);
  await keysOf(ann).watch();
  return { server, ann, own: realms };
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
    await expect(payPin.set(nextPin, quiet, shown([...others].reverse()))).rejects.toThrow('vault_realms_other');
    expect(seen).toEqual([]);
    await payPin.set(nextPin, quiet, shown(others));
    expect([stateOf(ann), alarmsOf(ann)]).toEqual([['set', null], []]);
    expect(registered(server, ann)).toContain(String(chainOf(server, ann)?.vaultDigest));
  });

  it('is as good as another where it names these very ones elsewhere: their addresses are compared too', async () => {
    const { server, ann, own } = await house((realms) => at(realms, 'ana.example'));
    const moved = at(own, 'elsewhere.example');
    name(server, ann.account, own, moved);
    const seen = asked(server);
    await keysOf(ann).watch();
    await keysOf(ann).watch();
    expect([stateOf(ann), alarmsOf(ann)]).toEqual([['set', 'realms_other'], ['realmsOther']]);
    const { payPin } = ann.engine.services;
    await expect(keysOf(ann).pins.recover(pin, quiet)).rejects.toThrow('vault_realms_other');
    await expect(payPin.set(nextPin, quiet)).rejects.toThrow('vault_realms_other');
    // Nor in the server itself, nor by an order of addresses that is another one.
    for (const hosts of [undefined, at(own, 'ana.example').map((host, i) => ({ ...host, realm: own[2 - i] ?? '' }))]) {
      name(server, ann.account, own, hosts);
      await keysOf(ann).watch();
      expect(stateOf(ann)).toEqual(['set', 'realms_other']);
    }
    expect(seen).toEqual([]);
    // Written another way, and under another name of whoever runs them, they are where they were.
    const same = at(own, 'ANA.example', 'Ana').map(({ realm, ...rest }) => ({ ...rest, realm: realm.toUpperCase() }));
    name(server, ann.account, own, same);
    await keysOf(ann).watch();
    expect(stateOf(ann)).toEqual(['set', null]);
    // Who has agreed to these has not to others' under the same addresses.
    name(server, ann.account, own, moved);
    await expect(payPin.set(nextPin, quiet, shown(own, at(own, 'elsewhere.example', 'Eve')))).rejects.toThrow(
      'vault_realms_other',
    );
    await payPin.set(nextPin, quiet, shown(own, moved));
    expect([stateOf(ann), alarmsOf(ann)]).toEqual([['set', null], []]);
    expect(keysOf(ann).own.record.home?.addresses).toEqual(moved.map(({ address }) => address));
  });

  it('finds them kept from when the PIN was set, before anybody has looked', async () => {
    const { server, ann } = await pair();
    const hosts = at(server.keys.realmIds, 'ana.example');
    name(server, ann.account, server.keys.realmIds, hosts);
    await keysOf(ann).pins.set(pin, quiet);
    expect(keysOf(ann).own.record.home?.addresses).toEqual(hosts.map(({ address }) => address));
  });

  it('is compared by what is known, which a later look completes', async () => {
    const { server, ann, own } = await house((realms) => at(realms, 'ana.example'));
    const { own: keys } = keysOf(ann);
    const { addresses: _, ...earlier } = keys.record.home ?? { digest: new Uint8Array(), realms: [], threshold: 0 };
    await keys.write({ home: earlier });
    name(server, ann.account, others, at(others, 'ana.example'));
    await keysOf(ann).watch();
    expect([stateOf(ann), keys.record.home]).toEqual([['set', 'realms_other'], earlier]);
    name(server, ann.account, own, at(own, 'ben.example'));
    await keysOf(ann).watch();
    expect(stateOf(ann)).toEqual(['set', null]);
    expect(keys.record.home?.addresses).toEqual(at(own, 'ben.example').map(({ address }) => address));
    name(server, ann.account, own, at(own, 'ana.example'));
    await keysOf(ann).watch();
    expect(stateOf(ann)).toEqual(['set', 'realms_other']);
  });

  it('gets no PIN unseen from a device that does not know where it is either', async () => {
    const { server, ann, own } = await house();
    await keysOf(ann).own.write({ home: null });
    const named = [own[0] ?? '', own[1] ?? '', others[0] ?? ''];
    name(server, ann.account, named);
    await keysOf(ann).watch();
    expect(stateOf(ann)).toEqual(['set', 'realms_other']);
    const { payPin } = ann.engine.services;
    await expect(payPin.set(nextPin, quiet)).rejects.toThrow('vault_realms_other');
    await expect(payPin.remove()).rejects.toThrow('vault_realms_other');
    await payPin.set(nextPin, quiet, shown(named));
    expect(stateOf(ann)).toEqual(['set', null]);
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

describe('a registration that was cut off', () => {
  /** Ann's next PIN stands at the realms, and the chain could not be told. */
  async function cutOff() {
    const { server, ann, annClient } = await pair();
    const own = [...server.keys.realmIds];
    name(server, ann.account, own);
    await keysOf(ann).pins.set(pin, quiet);
    annClient.busy.add('appendKeys');
    await expect(keysOf(ann).pins.set(nextPin, quiet)).rejects.toThrow('overloaded');
    annClient.busy.clear();
    name(server, ann.account, others);
    return { server, ann, own };
  }

  it('waits for the realms that it was begun at: others are not asked what has become of it', async () => {
    const { server, ann, own } = await cutOff();
    const seen = asked(server);
    await keysOf(ann).pins.settle();
    expect([seen, keysOf(ann).own.record.pending.length]).toEqual([[], 1]);
    name(server, ann.account, own);
    await keysOf(ann).pins.settle();
    expect(keysOf(ann).own.record.pending).toEqual([]);
    expect(registered(server, ann)).toEqual([String(chainOf(server, ann)?.vaultDigest)]);
  });

  it('is not shown for deletion to others either, and goes where it is as soon as that is named again', async () => {
    const { server, ann, own } = await cutOff();
    const { own: keys } = keysOf(ann);
    await keys.write(({ pending }) => ({ pending: pending.map((one) => ({ ...one, isUnwanted: true })) }));
    const seen = asked(server);
    await keysOf(ann).pins.settle();
    expect([seen, keys.record.pending.length]).toEqual([[], 1]);
    name(server, ann.account, own);
    await keysOf(ann).pins.settle();
    expect([keys.record.pending, registered(server, ann)]).toEqual([[], []]);
  });

  it('does not come back in the place of a PIN that was set elsewhere since, but is deleted', async () => {
    const { server, ann, own } = await cutOff();
    await ann.engine.services.payPin.set(nextPin, quiet, shown(others));
    const digest = String(chainOf(server, ann)?.vaultDigest);
    expect(keysOf(ann).own.record.pending.length).toBe(1);
    name(server, ann.account, own);
    await keysOf(ann).pins.settle();
    expect(keysOf(ann).own.record.pending).toEqual([]);
    expect(String(chainOf(server, ann)?.vaultDigest)).toBe(digest);
    expect(registered(server, ann)).toEqual([digest]);
  });

  it('does not come back in the place of one that another device has set elsewhere since either', async () => {
    const { server, ann, own } = await cutOff();
    const phone = keep(await TestDevice.signIn('ann', server.client(), ann));
    await phone.engine.services.payPin.set(nextPin, quiet, shown(others));
    const digest = String(chainOf(server, ann)?.vaultDigest);
    await keysOf(ann).watch();
    expect(keysOf(ann).own.record.pending.length).toBe(1);
    name(server, ann.account, own);
    await keysOf(ann).pins.settle();
    expect(keysOf(ann).own.record.pending).toEqual([]);
    expect(String(chainOf(server, ann)?.vaultDigest)).toBe(digest);
    expect(registered(server, ann)).toEqual([digest]);
  });

  it.each([false, true])(
    'goes where it is once that is named again, though the PIN was removed elsewhere since (%s)',
    async (byOther) => {
      const { server, ann, own } = await cutOff();
      const phone = byOther ? keep(await TestDevice.signIn('ann', server.client(), ann)) : ann;
      await ann.engine.services.payPin.set(nextPin, quiet, shown(others));
      await keysOf(phone).watch();
      await phone.engine.services.payPin.remove();
      await keysOf(ann).watch();
      expect(chainOf(server, ann)?.vaultDigest).toBeNull();
      name(server, ann.account, own);
      await keysOf(ann).watch();
      await keysOf(ann).pins.settle();
      expect([registered(server, ann), chainOf(server, ann)?.vaultDigest]).toEqual([[], null]);
      const tablet = keep(await TestDevice.waiting('ann', server.client()));
      await expect(keysOf(tablet).pins.recover(nextPin, quiet)).rejects.toThrow('vault_not_registered');
    },
  );

  it('keeps nobody from setting another PIN where many went to realms that are named no more', async () => {
    const { server, ann } = await cutOff();
    const { own: keys } = keysOf(ann);
    await keys.write(({ pending: [one] }) => ({
      pending: one ? [...Array(8).keys()].map((each) => ({ ...one, version: idOf(`version ${each}`), at: 0 })) : [],
    }));
    await ann.engine.services.payPin.set(nextPin, quiet, shown(others));
    expect(keys.record.pending.length).toBe(7);
    expect(registered(server, ann)).toContain(String(chainOf(server, ann)?.vaultDigest));
  });

  it('is looked for at whatever is named where an earlier version has not kept where it was begun', async () => {
    const { server, ann } = await cutOff();
    const { own: keys } = keysOf(ann);
    await keys.write(({ pending }) => ({
      pending: pending.map(({ realms: _, threshold: __, addresses: ___, ...earlier }) => earlier),
    }));
    const seen = asked(server);
    await keysOf(ann).pins.settle();
    expect(seen.map(([realm]) => realm)).toEqual(expect.arrayContaining(others));
  });
});

describe('other realms in the place of those of a PIN that was lost', () => {
  const lock = (server: FakeServer, account: string, own: string[], isLocked: boolean) => {
    for (const realm of server.keys.realmsOf(account).filter(({ id }) => own.includes(id))) {
      realm.isLocked = isLocked;
    }
  };

  it('leave it lost, so that no archive is begun on it, until its own have it again', async () => {
    const { server, ann, own } = await house();
    lock(server, ann.account, own, true);
    await keysOf(ann).watch();
    name(server, ann.account, others);
    await keysOf(ann).watch();
    expect([stateOf(ann), keysOf(ann).security.isElsewhere]).toEqual([['lost', 'locked'], true]);
    expect(alarmsOf(ann)).toEqual(['pinLost', 'realmsOther']);
    await expect(ann.engine.services.archive.turnOn()).rejects.toThrow('archive_needs_pin');
    name(server, ann.account, own);
    for (const realm of own.slice(1)) {
      server.keys.realmsDown.add(realm);
    }
    await keysOf(ann).watch();
    expect([stateOf(ann), keysOf(ann).security.isElsewhere]).toEqual([['lost', 'locked'], false]);
    server.keys.realmsDown.clear();
    lock(server, ann.account, own, false);
    await keysOf(ann).watch();
    expect(stateOf(ann)).toEqual(['set', null]);
  });
});

describe('a device without the key of the archive that is on', () => {
  it('is told why it cannot set the PIN at other realms, and can where the PIN was lost before', async () => {
    const { server, ann } = await pair();
    const own = [...server.keys.realmIds];
    name(server, ann.account, own);
    const phone = keep(await TestDevice.signIn('ann', server.client(), ann));
    await ann.engine.services.payPin.set(pin, quiet);
    await ann.engine.services.archive.turnOn();
    await keysOf(phone).watch();
    name(server, ann.account, others);
    const seen = asked(server);
    const { payPin } = phone.engine.services;
    await expect(payPin.set(nextPin, quiet, shown(others))).rejects.toThrow('archive_key_missing');
    expect(seen).toEqual([]);
    name(server, ann.account, own);
    for (const realm of server.keys.realmsOf(ann.account)) {
      realm.isLocked = own.includes(realm.id);
    }
    await keysOf(phone).watch();
    name(server, ann.account, others);
    await payPin.set(nextPin, quiet, shown(others));
    expect(stateOf(phone)).toEqual(['set', null]);
  });
});

describe('a device that has not heard that the PIN was changed', () => {
  /** A tablet of Ann's that knows where the PIN is, and is told nothing more. */
  async function unheard() {
    const found = await house();
    const tablet = keep(await TestDevice.signIn('ann', found.server.client(), found.ann));
    await keysOf(tablet).watch();
    keysOf(tablet).heard = async () => undefined;
    return { ...found, tablet };
  }

  it('looks at the chain before it says that the server names other realms', async () => {
    const { server, ann, tablet } = await unheard();
    name(server, ann.account, others);
    await ann.engine.services.payPin.set(nextPin, quiet, shown(others));
    expect(await keysOf(tablet).vault.lookAtPin()).toMatchObject({ loss: null, isUsable: true });
    expect([stateOf(tablet), alarmsOf(tablet)]).toEqual([['set', null], expect.not.arrayContaining(['realmsOther'])]);
    expect(keysOf(tablet).own.record.home?.realms).toEqual(others);
  });

  it('and before it says that the PIN is lost', async () => {
    const { ann, tablet } = await unheard();
    await ann.engine.services.payPin.remove();
    const { vault } = keysOf(tablet);
    const attempt = { at: new Date().toISOString(), device: ann.account, outcome: 'failed' as const };
    await vault.heard({ account: ann.account, length: 0, attempt });
    vault.now = () => Date.now() + 31_000;
    await vault.heard({ account: ann.account, length: 0, attempt });
    expect([stateOf(tablet), alarmsOf(tablet)]).toEqual([['none', null], expect.not.arrayContaining(['pinLost'])]);
  });

  it('keeps the realms that it has looked at for the PIN that it has asked about, and for no other', async () => {
    const { server, ann } = await house();
    const { own, pins } = keysOf(ann);
    await own.write({ home: null });
    const { ask } = server.keys;
    const { chain } = own;
    // Another digest comes to stand in the chain while the realms answer.
    let isChanged = false;
    Object.defineProperty(own, 'chain', {
      get: () => (isChanged ? { vaultDigest: new Uint8Array(32).fill(9) } : chain),
    });
    server.keys.ask = (...given) => {
      isChanged = true;
      return ask.apply(server.keys, given);
    };
    expect(await pins.guesses.look()).toMatchObject({ isUsable: true });
    expect(own.record.home).toBeNull();
  });
});
