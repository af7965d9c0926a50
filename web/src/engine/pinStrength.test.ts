import { expect, it } from 'vitest';
import { fromBase64 } from '../protocol/bytes';
import { readParameters } from '../vault/parameters';
import { cheap } from '../vault/testing/testVault';
import type { FakeServer } from './testing/fakeServer';
import { keep, pair } from './testing/people';
import { byPin, chainOf, keysOf, pin, quiet, registered } from './testing/pins';
import { TestDevice } from './testing/testDevice';

const today = { ...cheap, passes: cheap.passes + 1 };

/** What a guess costs at each realm. */
const costs = (server: FakeServer, { account }: TestDevice) =>
  server.keys.realmsOf(account).map(({ record }) => record && readParameters(record.parameters));

/** Ann has a PIN from before, and a browser of today that only the PIN lets in. */
async function older() {
  const { server, ann } = await pair();
  await keysOf(ann).pins.set(pin, quiet);
  const browser = keep(await TestDevice.waiting(ann.handle, server.client()));
  keysOf(browser).pins.options.parameters = today;
  return { server, ann, browser, named: String(chainOf(server, ann)?.vaultDigest) };
}

it('A PIN whose guesses cost less than today is registered anew when it is recovered, with the same root secret', async () => {
  const { server, ann, browser, named } = await older();
  expect(costs(server, ann)).toEqual([cheap, cheap, cheap]);
  await keysOf(browser).pins.recover(pin, quiet);
  expect(costs(server, ann)).toEqual([today, today, today]);
  const after = String(chainOf(server, ann)?.vaultDigest);
  expect(after).not.toBe(named);
  expect(registered(server, ann)).toEqual([after]);
  expect(keysOf(browser).own.record.rootSecret).toEqual(keysOf(ann).own.record.rootSecret);
  // It brings the account back, and who would make it cheaper leaves it as it is.
  const next = await byPin(server, ann, pin);
  expect(keysOf(next).own.record.rootSecret).toEqual(keysOf(ann).own.record.rootSecret);
  expect(String(chainOf(server, ann)?.vaultDigest)).toBe(after);
});

it('A PIN that cannot be registered anew is recovered all the same, and goes on', async () => {
  const { server, ann, browser, named } = await older();
  const { ask } = server.keys;
  server.keys.ask = (device, realm, message) => {
    if (fromBase64(message)[1] === 3) {
      throw new Error('no answer');
    }
    return ask.call(server.keys, device, realm, message);
  };
  await keysOf(browser).pins.recover(pin, quiet);
  expect(keysOf(browser).isApproved).toBe(true);
  expect(costs(server, ann)).toEqual([cheap, cheap, cheap]);
  expect(String(chainOf(server, ann)?.vaultDigest)).toBe(named);
  await byPin(server, ann, pin);
});
