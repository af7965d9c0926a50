import { fromBase64 } from '../../protocol/bytes';
import { VaultContext, vaultDigest } from '../../vault/context';
import { readParameters } from '../../vault/parameters';
import type { FakeServer } from './fakeServer';
import { keep } from './people';
import { TestDevice } from './testDevice';

export const pin = '480279';
export const nextPin = '590381';
export const quiet = () => undefined;
export const keysOf = (device: TestDevice) => device.engine.services.keys;
export const chainOf = (server: FakeServer, device: TestDevice) => server.keys.chains.get(device.account)?.chain;

/** The registrations that the realms have, as the chain would name them. */
export function registered(server: FakeServer, device: TestDevice): string[] {
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
export async function byPin(server: FakeServer, device: TestDevice, typed: string): Promise<TestDevice> {
  const again = keep(await TestDevice.waiting(device.handle, server.client()));
  await keysOf(again).pins.recover(typed, quiet);
  await again.online();
  return again;
}

/**
 * The answers to the next registration do not come, and its requests arrive when they are let.
 * @returns lets them; those of so many realms, where that is said
 */
export function delayed(server: FakeServer, onNext: () => void = () => undefined) {
  const { ask } = server.keys;
  const late: (() => void)[] = [];
  let asked = 0;
  server.keys.ask = (device, realm, message) => {
    if (fromBase64(message)[1] !== 3) {
      return ask.call(server.keys, device, realm, message);
    }
    if (asked++ >= 3) {
      onNext();
      return ask.call(server.keys, device, realm, message);
    }
    late.push(() => void ask.call(server.keys, device, realm, message));
    throw new Error('no answer');
  };
  const arrive = (realms = late.length) => {
    for (const one of late.splice(0, realms)) {
      one();
    }
  };
  return arrive;
}

/** A device that takes no request for lost. */
export async function waiting(device: TestDevice) {
  device.onTheWayMs = 3600_000;
  await device.reload();
  await device.online();
}
