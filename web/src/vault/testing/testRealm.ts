import { ristretto255_oprf } from '@noble/curves/ed25519.js';
import type { Random } from '../../crypto/random';
import { equalBytes } from '../../protocol/bytes';
import { bytesToUuid } from '../../protocol/ids';
import type { VaultAttempt, VaultAttempts } from '../../protocol/wire';
import { noVersion } from '../context';
import { clearFailuresRequest, clearFailuresResponse, deleteRequest, deleteResponse } from '../messages/change';
import { type FieldSet, type MessageKind, requestIdOf, type Values } from '../messages/layout';
import {
  recover1Response,
  recover2Request,
  recover2Response,
  recover3Request,
  recover3Response,
} from '../messages/recover';
import { refusal } from '../messages/refusal';
import { type Register2Request, register1Response, register2Request, register2Response } from '../messages/register';
import { beginWaitRequest, cancelWaitRequest, cancelWaitResponse, waitResponse } from '../messages/wait';
import { VaultRejection } from '../rejection';
import { publicElement, readScalar } from '../ristretto';
import { verifyStatement } from '../statement';

const noKey = new Uint8Array(32);

/** An honest realm in memory that counts guesses, as far as the client's tests need one. */
export class TestRealm {
  record: Register2Request | null = null;
  used = 0;
  attempts = 0;
  /** Its database was restored from a backup. */
  isLocked = false;
  wait: { id: string; device: string; secondsLeft: number } | null = null;
  /** The device whose request this is, as its session says. */
  asking = noVersion;
  /** What it tells of guesses; tests put them there. */
  listed: VaultAttempt[] = [];
  readonly #open = new Set<string>();

  constructor(
    readonly id: string,
    readonly account: string,
    readonly random: Random,
    /** As the key log says; null where it knows of none. */
    readonly keyInForce: () => Uint8Array | null = () => null,
  ) {}

  answer(request: Uint8Array): Uint8Array {
    const id = requestIdOf(request);
    switch (request[1]) {
      case 1:
        return register1Response.encode(id, { version: this.#version });
      case 3:
        return this.#pending(id, request) ?? this.#register(id, request);
      case 5:
        return this.#recover(id);
      case 7:
        return this.#evaluate(id, request);
      case 9:
        return this.#release(id, request);
      case 11:
        return this.#delete(id, request);
      case 13:
        return this.#clear(id, request);
      case 16:
        return this.#beginWait(id, request);
      case 18:
        return this.#cancelWait(id, request);
      default:
        throw new Error('no request');
    }
  }

  /** Nobody comes back any more for the guesses that were made. */
  lapse(): void {
    this.#open.clear();
  }

  /** What was used up is destroyed once the last guess can turn out right no more. */
  get #version(): string {
    return this.record && (this.#guessesLeft > 0 || this.#open.size > 0) ? this.record.version : noVersion;
  }

  get #guessesLeft(): number {
    return (this.record?.maxGuesses ?? 0) - this.used;
  }

  get #signer(): Uint8Array | null {
    return this.keyInForce() ?? this.record?.identityKey ?? null;
  }

  #register(id: string, request: Uint8Array): Uint8Array {
    const asked = must(register2Request, request);
    if (asked.replaces !== this.#version) {
      return this.#refuse(id, VaultRejection.versionOther);
    }
    if (!this.#isSigned(request, this.#signer ?? asked.identityKey)) {
      return this.#refuse(id, VaultRejection.signatureInvalid);
    }
    this.record = asked;
    this.isLocked = false;
    this.used = 0;
    this.attempts = 0;
    return register2Response.encode(id, { version: asked.version });
  }

  /** A registration by a key that the record does not name waits, and is its own once the wait is over. */
  #pending(id: string, request: Uint8Array): Uint8Array | null {
    const { record, wait } = this;
    const asked = must(register2Request, request);
    if (!record || !wait || this.#isSigned(request, record.identityKey)) {
      return null;
    }
    if (wait.secondsLeft > 0) {
      return waitResponse.encode(id, { version: record.version, wait: wait.id, secondsLeft: wait.secondsLeft });
    }
    this.record = { ...record, identityKey: asked.identityKey };
    this.wait = null;
    return null;
  }

  #beginWait(id: string, request: Uint8Array): Uint8Array {
    const { version } = must(beginWaitRequest, request);
    if (version !== this.record?.version) {
      return this.#refuse(id, VaultRejection.versionOther);
    }
    this.wait ??= { id: bytesToUuid(this.random(16)), device: this.asking, secondsLeft: 72 * 3600 };
    return waitResponse.encode(id, { version, wait: this.wait.id, secondsLeft: this.wait.secondsLeft });
  }

  #cancelWait(id: string, request: Uint8Array): Uint8Array {
    const asked = must(cancelWaitRequest, request);
    if (asked.wait !== this.wait?.id) {
      return this.#refuse(id, VaultRejection.waitUnknown);
    }
    if (!this.record || !this.#isSigned(request, this.record.identityKey)) {
      return this.#refuse(id, VaultRejection.signatureInvalid);
    }
    this.wait = null;
    return cancelWaitResponse.encode(id, { wait: asked.wait });
  }

  /** As `GET …/attempts` has them, newest first. */
  list(): VaultAttempts {
    const { wait } = this;
    const until = new Date(Date.now() + (wait?.secondsLeft ?? 0) * 1000).toISOString();
    return {
      attempts: this.listed,
      wait: wait && { realm: this.id, id: wait.id, device: wait.device, until, state: 'begun' },
    };
  }

  #recover(id: string): Uint8Array {
    const { record } = this;
    if (!record) {
      return this.#refuse(id, VaultRejection.notRegistered);
    }
    if (this.isLocked || this.#guessesLeft === 0) {
      return this.#refuse(id, this.isLocked ? VaultRejection.locked : VaultRejection.guessesExhausted);
    }
    const { version, configurationDigest, parameters } = record;
    const [guessesLeft, attemptCount] = [this.#guessesLeft, this.attempts];
    return recover1Response.encode(id, { version, configurationDigest, parameters, guessesLeft, attemptCount });
  }

  #evaluate(id: string, request: Uint8Array): Uint8Array {
    const { record } = this;
    const asked = must(recover2Request, request);
    if (!record) {
      return this.#refuse(id, VaultRejection.notRegistered);
    }
    if (record.version !== asked.version) {
      return this.#refuse(id, VaultRejection.versionOther);
    }
    if (this.#guessesLeft === 0) {
      return this.#refuse(id, VaultRejection.guessesExhausted);
    }
    this.used++;
    this.attempts++;
    const attempt = bytesToUuid(this.random(16));
    this.#open.add(attempt);
    const publicShare = publicElement(readScalar(record.keyShare));
    const { evaluated, proof } = ristretto255_oprf.voprf.blindEvaluate(
      record.keyShare,
      publicShare,
      asked.blindedElement,
      (count = 32) => this.random(count) as Uint8Array<ArrayBuffer>,
    );
    const { version, realm, index, verifyingKey, certificate, unlockCommitment } = record;
    return recover2Response.encode(id, {
      ...{ version, attempt, guessesLeft: this.#guessesLeft, realm, index, verifyingKey, publicShare },
      ...{ certificate, unlockCommitment, evaluatedElement: evaluated, proof },
    });
  }

  #release(id: string, request: Uint8Array): Uint8Array {
    const { record } = this;
    const asked = must(recover3Request, request);
    if (!record || !this.#open.delete(asked.attempt)) {
      return this.#refuse(id, VaultRejection.attemptUnknown);
    }
    if (!equalBytes(asked.unlockTag, record.unlockTag)) {
      return this.#refuse(id, VaultRejection.tagWrong, this.#guessesLeft);
    }
    this.used--;
    return recover3Response.encode(id, record);
  }

  #delete(id: string, request: Uint8Array): Uint8Array {
    const asked = must(deleteRequest, request);
    if (asked.version !== this.record?.version || !this.#isSigned(request, this.#signer ?? noKey)) {
      return this.#refuse(id, VaultRejection.signatureInvalid);
    }
    this.record = null;
    return deleteResponse.encode(id, { version: asked.version });
  }

  #clear(id: string, request: Uint8Array): Uint8Array {
    const asked = must(clearFailuresRequest, request);
    if (asked.version !== this.record?.version || !this.#isSigned(request, this.#signer ?? noKey)) {
      return this.#refuse(id, VaultRejection.signatureInvalid);
    }
    if (asked.attemptCount !== this.attempts) {
      return this.#refuse(id, VaultRejection.counterStale);
    }
    this.used = 0;
    return clearFailuresResponse.encode(id, { version: asked.version });
  }

  #isSigned(request: Uint8Array, key: Uint8Array): boolean {
    const end = request.length - 64;
    const to = { account: this.account, realm: this.id };
    return verifyStatement(key, to, request.subarray(0, end), request.subarray(end));
  }

  #refuse(id: string, reason: VaultRejection, guessesLeft = 0): Uint8Array {
    return refusal.encode(id, { reason, guessesLeft });
  }
}

/** What a message says; the client under test makes no other. */
export function must<F extends FieldSet>(
  kind: MessageKind<F>,
  encoding: Uint8Array,
): Values<F> & { requestId: string } {
  const read = kind.read(encoding);
  if (!read.ok) {
    throw new Error(`refused: ${read.rejection}`);
  }
  return read.value;
}
