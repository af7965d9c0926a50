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
