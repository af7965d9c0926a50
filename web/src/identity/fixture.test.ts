import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { publicKeyOf } from '../crypto/ed25519';
import { fromHex, toHex } from '../protocol/bytes';
import { streamOf } from '../vault/testing/stream';
import { openApproval, sealKeyPairOf } from './approval';
import { encodeApprovalCode, readApprovalCode } from './approvalCode';
import { issueCredential } from './deviceCredential';
import { safetyCode, safetyNumber } from './safetyNumber';
import { unwrapKeys, wrapKeys } from './wrappedKeys';

/** Shared with the .NET tests: credential, wrapped keys, approval and safety number with all randomness fixed. */
const fixture = JSON.parse(
  readFileSync(new URL('../../../ChatPay.Tests/Fixtures/identity.json', import.meta.url), 'utf8'),
);
const { account, device, otherAccount } = fixture;
const identitySeed = fromHex(fixture.identitySeed);
const deviceKey = publicKeyOf(fromHex(fixture.deviceSeed));
const [rootSecret, archiveKey] = [fromHex(fixture.rootSecret), fromHex(fixture.archiveKey)];

describe("the identity's fixture", () => {
  it('has the credential byte for byte', () => {
    expect(toHex(issueCredential(identitySeed, account, device, deviceKey))).toBe(fixture.credential);
  });

  it('has the wrapped keys byte for byte', () => {
    const wrapped = wrapKeys(rootSecret, account, { identitySeed, archiveKey }, streamOf('fixture wrapping'));
    expect(toHex(wrapped)).toBe(fixture.wrapped);
    expect(unwrapKeys(rootSecret, account, fromHex(fixture.wrapped))).toEqual({ identitySeed, archiveKey });
  });

  it('has the code, and an approval that opens with what it was made of', async () => {
    const pair = sealKeyPairOf(fromHex(fixture.sealingKey));
    const code = { account, device, deviceKey, sealKey: pair.publicKey };
    expect(encodeApprovalCode(code)).toBe(fixture.approvalCode);
    expect(readApprovalCode(fixture.approvalCode)).toEqual(code);
    const opened = await openApproval(fromHex(fixture.approval), { account, device }, pair, publicKeyOf(identitySeed));
    expect(opened).toEqual({ keys: { identitySeed, rootSecret, archiveKey } });
  });

  it('has the safety number and its code', async () => {
    const own = { account, identityKey: publicKeyOf(identitySeed) };
    const other = { account: otherAccount, identityKey: fromHex(fixture.otherIdentityKey) };
    expect((await safetyNumber(own, other)).join('')).toBe(fixture.safetyNumber);
    expect(safetyCode(own, other)).toBe(fixture.safetyCode);
  });
});
