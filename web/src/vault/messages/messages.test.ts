import { describe, expect, it } from 'vitest';
import { publicKeyOf } from '../../crypto/ed25519';
import { noVersion } from '../context';
import { encodeParameters } from '../parameters';
import { VaultRejection } from '../rejection';
import { Element, writeScalar } from '../ristretto';
import { idOf } from '../testing/stream';
import { cheap } from '../testing/testVault';
import { clearFailuresRequest, clearFailuresResponse, deleteRequest, deleteResponse } from './change';
import type { FieldSet, MessageKind } from './layout';
import {
  recover1Request,
  recover1Response,
  recover2Request,
  recover2Response,
  recover3Request,
  recover3Response,
} from './recover';
import { refusal } from './refusal';
import { register1Request, register1Response, register2Request, register2Response } from './register';
import { beginWaitRequest, cancelWaitRequest, cancelWaitResponse, waitResponse } from './wait';

const id = idOf('request');
const version = idOf('version');
const element = Element.BASE.toBytes();
const scalar = writeScalar(7n);
const some = (count: number) => new Uint8Array(count).fill(3);
const parameters = encodeParameters(cheap);
const place = { realm: idOf('realm 1'), index: 1, verifyingKey: some(32), certificate: some(64) };
const shares = { rootShare: scalar, encryptedRoot: some(48), shareCommitment: some(32) };

/** docs/VAULT.md, "Messages": type, length and an example of each kind. */
// biome-ignore lint/suspicious/noExplicitAny: the kinds have nothing in common but that they are kinds.
const table: [number, number, MessageKind<any>, FieldSet | Record<string, unknown>][] = [
  [1, 18, register1Request, {}],
  [2, 34, register1Response, { version }],
  [
    3,
    524,
    register2Request,
    {
      ...{ replaces: noVersion, account: idOf('account'), version, configurationDigest: some(32), parameters },
      ...{ ...place, ...shares, keyShare: scalar, unlockCommitment: some(32), unlockTag: some(32), maxGuesses: 10 },
      ...{ identityKey: publicKeyOf(some(32)), signature: some(64) },
    },
  ],
  [4, 34, register2Response, { version }],
  [5, 18, recover1Request, {}],
  [6, 79, recover1Response, { version, configurationDigest: some(32), parameters, guessesLeft: 10, attemptCount: 4e9 }],
  [7, 66, recover2Request, { version, blindedElement: element }],
  [
    8,
    325,
    recover2Response,
    {
      ...{ ...place, version, attempt: idOf('attempt'), guessesLeft: 9, publicShare: element },
      ...{ unlockCommitment: some(32), evaluatedElement: element, proof: some(64) },
    },
  ],
  [9, 82, recover3Request, { version, attempt: idOf('attempt'), unlockTag: some(32) }],
  [10, 146, recover3Response, { version, ...shares }],
  [11, 98, deleteRequest, { version, signature: some(64) }],
  [12, 34, deleteResponse, { version }],
  [13, 102, clearFailuresRequest, { version, attemptCount: 3, signature: some(64) }],
  [14, 34, clearFailuresResponse, { version }],
  [15, 21, refusal, { reason: VaultRejection.locked, guessesLeft: 0 }],
  [16, 34, beginWaitRequest, { version }],
  [17, 54, waitResponse, { version, wait: idOf('wait'), secondsLeft: 259_200 }],
  [18, 114, cancelWaitRequest, { version, wait: idOf('wait'), signature: some(64) }],
  [19, 34, cancelWaitResponse, { wait: idOf('wait') }],
];

describe('messages', () => {
  for (const [type, size, kind, values] of table) {
    it(`of type ${type} have ${size} bytes and one encoding`, () => {
      const encoding = kind.encode(id, values);
      expect(encoding).toHaveLength(size);
      expect([...encoding.subarray(0, 2)]).toEqual([1, type]);
      expect(kind.read(encoding)).toEqual({ ok: true, value: { requestId: id, ...values } });
      for (let length = 0; length < size; length++) {
        expect(kind.read(encoding.subarray(0, length))).toEqual({ ok: false, rejection: VaultRejection.lengthWrong });
      }
      const longer = new Uint8Array(size + 1);
      longer.set(encoding);
      expect(kind.read(longer)).toEqual({ ok: false, rejection: VaultRejection.lengthWrong });
      for (const [, , other] of table) {
        expect(other.read(encoding).ok).toBe(other === kind);
      }
      if ('version' in values && type !== 2) {
        const none = kind.encode(id, { ...values, version: noVersion });
        expect(kind.read(none)).toEqual({ ok: false, rejection: VaultRejection.versionOther });
      }
    });
  }

  it('with a field out of bounds are refused by its reason', () => {
    const registration = table[2]?.[3] as Record<string, unknown>;
    const cases: [Record<string, unknown>, VaultRejection][] = [
      [{ parameters: some(7) }, VaultRejection.parametersInvalid],
      [{ index: 0 }, VaultRejection.indexInvalid],
      [{ index: 17 }, VaultRejection.indexInvalid],
      [{ maxGuesses: 0 }, VaultRejection.guessesInvalid],
      [{ maxGuesses: 11 }, VaultRejection.guessesInvalid],
      [{ identityKey: new Uint8Array(32) }, VaultRejection.keyInvalid],
      [{ keyShare: new Uint8Array(32) }, VaultRejection.scalarInvalid],
      [{ rootShare: new Uint8Array(32).fill(0xff) }, VaultRejection.scalarInvalid],
    ];
    for (const [change, rejection] of cases) {
      const encoding = register2Request.encode(id, { ...registration, ...change } as never);
      expect(register2Request.read(encoding)).toEqual({ ok: false, rejection });
    }
    for (const reason of [0, 4, 99, 255]) {
      const encoding = refusal.encode(id, { reason, guessesLeft: 0 });
      expect(refusal.read(encoding)).toEqual({ ok: false, rejection: VaultRejection.wrongMessage });
    }
    const none = waitResponse.encode(id, { version, wait: noVersion, secondsLeft: 0 });
    expect(waitResponse.read(none)).toEqual({ ok: false, rejection: VaultRejection.waitUnknown });
    expect(() => refusal.encode(id, { reason: 256, guessesLeft: 0 })).toThrow(RangeError);
    expect(() => recover2Request.encode(id, { version, blindedElement: some(31) })).toThrow(RangeError);
  });
});
