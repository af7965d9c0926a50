import { describe, expect, it } from 'vitest';
import { VaultContext, vaultDigest } from '../vault/context';
import { readParameters } from '../vault/parameters';
import type { FakeServer } from './testing/fakeServer';
import { keep, pair, person } from './testing/people';
import { TestDevice, until } from './testing/testDevice';

const pin = '480279';
const nextPin = '590381';
const quiet = () => undefined;
const keysOf = (device: TestDevice) => device.engine.services.keys;
const chainOf = (server: FakeServer, device: TestDevice) => server.keys.chains.get(device.account)?.chain;

/** The registrations that the realms have, as the chain would name them. */
function registered(server: FakeServer, device: TestDevice): string[] {
  const { account } = device;
  const digests = server.keys.realmsOf(account).flatMap(({ record }) => {
    const parameters = record && readParameters(record.parameters);
    return parameters
      ? [
          vaultDigest(
            new VaultContext(account, record.version, record.configurationDigest, parameters),
            record.verifyingKey,
          ),
        ]
      : [];
  });
  return [...new Set(digests.map(String))];
}

/** A browser that only the PIN lets in. */
async function byPin(server: FakeServer, device: TestDevice, typed: string): Promise<TestDevice> {
  const again = keep(await TestDevice.waiting(device.handle, server.client()));
  await keysOf(again).pins.recover(typed, quiet);
  await again.online();
  return again;
}

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
    await ann.open();
    await ann.online();
    await until(() => keysOf(ann).own.record.pending === null, 'it is finished');
    expect(registered(server, ann)).toEqual([String(chainOf(server, ann)?.vaultDigest)]);
    const again = await byPin(server, ann, nextPin);
    expect(again.screen.keys?.identityKey).toBe(ann.screen.keys?.identityKey);
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
    expect(keysOf(ann).own.record.pending).not.toBeNull();
    server.keys.ask = ask;
    await ann.reload();
    await ann.online();
    await until(() => keysOf(ann).own.record.pending === null, 'it is given up');
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
    await until(() => keysOf(ann).own.record.pending === null, 'it is given up');
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
    await until(() => keysOf(ann).own.record.pending === null, 'it is given up');
    expect(String(chainOf(server, ann)?.vaultDigest)).toBe(named);
    expect(registered(server, ann)).toEqual([named]);
  });
});

describe.each(['write', 'call'] as const)('a crash after any %s while the PIN is changed', (point) => {
  it('leaves the chain naming what the realms have', { timeout: 480_000 }, async () => {
    const { client, device: ann } = await person((await pair()).server, 'zoe');
    const { server } = client;
    await keysOf(ann).pins.set(pin, quiet);
    for (let n = 1; ; n++) {
      await ann.settled();
      let left = n;
      let crashed = false;
      const { db } = ann.engine.services.core;
      const step = () => {
        if (--left === 0) {
          crashed = true;
          ann.engine.stop();
          client.drop();
          throw new Error('crash');
        }
      };
      if (point === 'write') {
        db.onWrite = step;
      } else {
        client.onCall = step;
      }
      await Promise.race([
        keysOf(ann)
          .pins.set(n % 2 === 0 ? pin : nextPin, quiet)
          .catch(() => undefined),
        until(() => crashed, 'it ends', 60_000).catch(() => undefined),
      ]);
      db.onWrite = null;
      client.onCall = () => undefined;
      if (crashed) {
        await ann.open();
      }
      await ann.online();
      await until(() => keysOf(ann).own.record.pending === null, 'nothing is left to do');
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
