import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../protocol/bytes';
import type { RealmAnswer } from './answers';
import { stretchHere } from './argon2/argon2';
import { RealmConfiguration } from './configuration';
import { noVersion, VaultContext } from './context';
import { recover1Response } from './messages/recover';
import { defaultParameters, encodeParameters } from './parameters';
import { VaultRecovery } from './recovery';
import { createRegistration } from './registration';
import { StretchedPin } from './stretchedPin';
import { idOf, streamOf } from './testing/stream';
import { must } from './testing/testRealm';
import { cheap, pinOf } from './testing/testVault';

/** Shared with the .NET tests: one registration and one recovery with all randomness fixed. */
const fixture = JSON.parse(
  readFileSync(new URL('../../../ChatPay.Tests/Fixtures/vault.json', import.meta.url), 'utf8'),
);
const configuration = new RealmConfiguration(fixture.realms, fixture.threshold);
const pin = pinOf(fixture.pin.typed);

function registered() {
  const identitySeed = fromHex(fixture.identitySeed);
  return createRegistration(
    { account: fixture.account, configuration, parameters: cheap, replaces: [noVersion, noVersion, noVersion] },
    { pin, rootSecret: fromHex(fixture.rootSecret), identitySeed, signerSeed: identitySeed },
    stretchHere,
    streamOf(fixture.registration.stream),
  );
}

describe("the vault's fixture", { timeout: 30_000 }, () => {
  it('has the ids and seeds that its names make', () => {
    expect(fixture.account).toBe(idOf('account'));
    expect(fixture.identitySeed).toBe(toHex(streamOf('fixture identity')(32)));
    expect(toHex(configuration.digest)).toBe(fixture.configurationDigest);
    expect(toHex(pin.bytes)).toBe(fixture.pin.normalised);
  });

  it('is stretched alike with the parameters of new registrations', async () => {
    const { stretched } = fixture;
    const context = new VaultContext(fixture.account, stretched.version, configuration.digest, defaultParameters);
    expect(toHex(encodeParameters(defaultParameters))).toBe(stretched.parameters);
    expect(toHex(context.digest)).toBe(stretched.contextDigest);
    expect(toHex(context.salt())).toBe(stretched.salt);
    expect(toHex((await StretchedPin.derive(pin, context, stretchHere)).accessKey)).toBe(stretched.accessKey);
  });

  it('is registered byte for byte', async () => {
    const { context, digest, requests } = await registered();
    expect(context.version).toBe(fixture.registration.version);
    expect(toHex(context.digest)).toBe(fixture.registration.contextDigest);
    expect(toHex(digest)).toBe(fixture.registration.digest);
    expect(requests.map(toHex)).toEqual(fixture.registration.requests);
  });

  it('is recovered byte for byte, with the answers that ChatPay.Core gave', async () => {
    const exchanges = fixture.recovery.exchanges as { realm: number; request: string; response: string }[];
    const [first] = exchanges;
    const told = must(recover1Response, fromHex(first?.response ?? ''));
    expect([told.guessesLeft, told.attemptCount]).toEqual([10, 3]);
    const context = new VaultContext(fixture.account, told.version, told.configurationDigest, cheap);
    const digest = fromHex(fixture.registration.digest);
    const random = streamOf(fixture.recovery.stream);
    const recovery = await VaultRecovery.begin(context, configuration, pin, digest, stretchHere, random);

    const answer = (at: number, request: Uint8Array): RealmAnswer => {
      const exchange = exchanges[at] as (typeof exchanges)[number];
      expect(toHex(request)).toBe(exchange.request);
      return { index: exchange.realm, request, response: fromHex(exchange.response) };
    };
    const evaluations = [1, 2].map((at) => answer(at, recovery.evaluationRequest()));
    expect(recovery.takeEvaluations(evaluations)).toEqual({ rejection: 0, faults: [], guessesLeft: 9 });
    expect(recovery.unlocked).toEqual([1, 3]);
    const releases = [answer(3, recovery.releaseRequest(1)), answer(4, recovery.releaseRequest(3))];
    const { step, rootSecret } = recovery.takeShares(releases);
    expect(step.rejection).toBe(0);
    expect(toHex(rootSecret ?? new Uint8Array())).toBe(fixture.rootSecret);
  });
});
