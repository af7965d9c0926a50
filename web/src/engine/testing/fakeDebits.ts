import { verify } from '../../crypto/ed25519';
import { fromBase64 } from '../../protocol/bytes';
import { encodeDebit } from '../../protocol/debitStatement';
import type * as wire from '../../protocol/wire';
import { termsOf } from '../verify';
import { type FakeDevice, type FakeServer, fail } from './fakeServer';

/** How far ahead the end of an authorisation may be. */
const mostSeconds = 3600;
const takesMoney = [
  'transfer post',
  'packet post',
  'mandate post',
  'request pay',
  'split pay',
  'transfer refund',
  'request refund',
];

/** A debit that the server let through. */
export type Taken = { payer: string; payee: string; card: string; amountMinor: string; asset: string; key: string };

/**
 * The rule that no money leaves an account without its device's signature, exactly as docs/PROTOCOL.md has it: the statement is
 * made from the card that the server has and the request it got.
 */
export class FakeDebits {
  /** Every authorisation that was shown, whatever came of it. */
  readonly shown: { device: string; request: wire.CardActRequest }[] = [];
  readonly taken: Taken[] = [];
  /** How far the server's clock is ahead of the devices'. */
  aheadMs = 0;

  constructor(readonly server: FakeServer) {}

  nowMs(): number {
    return Date.now() + this.aheadMs;
  }

  check(device: FakeDevice, request: wire.CardActRequest, card: wire.CardView): void {
    const { authorisation, action, version, idempotencyKey: nonce } = request;
    if (authorisation) {
      this.shown.push({ device: device.id, request });
    }
    if (!takesMoney.includes(`${card.kind} ${action}`)) {
      return;
    }
    if (!authorisation) {
      fail(5013, 'authorisation_missing');
    }
    const { expiresAt, signature } = authorisation as wire.CardAuthorisation;
    const terms = termsOf(card);
    const share = card.plan?.shares?.find(({ account }) => account === device.account)?.amountMinor;
    const taken = action === 'refund' ? (request.amountMinor ?? '0') : (share ?? card.amountMinor);
    const statement = encodeDebit({
      terms,
      detailCommit: fromBase64(card.detailCommit),
      action,
      version,
      payer: device.account,
      amountMinor: BigInt(taken),
      device: device.id,
      nonce,
      expiresAt,
    });
    if (!verify(fromBase64(device.key), fromBase64(signature), statement)) {
      fail(5014, 'authorisation_invalid');
    }
    const now = Math.floor(this.nowMs() / 1000);
    if (expiresAt <= now || expiresAt > now + mostSeconds) {
      fail(5015, 'authorisation_expired', { now });
    }
    if (!this.server.keys.isApproved(device)) {
      fail(5016, 'authorisation_device');
    }
    const payee = action === 'refund' ? card.payer : card.payee;
    this.taken.push({ payer: device.account, payee, card: card.id, amountMinor: taken, asset: card.asset, key: nonce });
  }
}
