import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { publicKeyOf, sign } from '../crypto/ed25519';
import { noteVerifier } from '../keylog/noteVerifier';
import { fromBase64, toBase64, toHex } from '../protocol/bytes';
import { type CardTerms, encodeTerms } from '../protocol/cardTerms';
import { encodeDebit } from '../protocol/debitStatement';
import type { ReceiptSeal, ReceiptView } from '../protocol/wire';
import { checkParties, checkSeal, checkTerms, checkWord, microsOf, openReceipt } from './checks';
import { ledgerAccountOf } from './derivedIds';
import { encodeReceipt, type PaymentReceipt, readReceipt } from './paymentReceipt';
import { ReceiptRejection } from './rejection';
import { leafOfTransfer } from './sealedTransfer';
import {
  exampleCommit,
  exampleTerms,
  idOf,
  ledger,
  ledgerLog,
  origin,
  type Payment,
  receiptOf,
  salt,
  sealOf,
  seedOf,
  transferOf,
  viewOf,
} from './testing/receiptScene';

/** All steps, as a reader takes them; the first that does not hold. */
function judge(view: ReceiptView): ReceiptRejection {
  const opened = openReceipt(view, ledger);
  if ('rejection' in opened) {
    return opened.rejection;
  }
  const { receipt } = opened;
  const steps = [checkParties, checkTerms, checkWord].map((step) => step(receipt));
  const sealed = checkSeal(receipt, view.seal, ledger);
  const found = [...steps, 'rejection' in sealed ? sealed.rejection : ReceiptRejection.none];
  return found.find((rejection) => rejection !== ReceiptRejection.none) ?? ReceiptRejection.none;
}

/** The hexadecimal values of the documented example, by name. */
function documented(): Map<string, string> {
  const text = readFileSync(new URL('../../../docs/PROTOCOL.md', import.meta.url), 'utf8');
  const example = text.slice(text.indexOf('```\ntransfer  =') + 4);
  const values = new Map<string, string>();
  let name = '';
  for (const line of example.slice(0, example.indexOf('```')).split('\n')) {
    const [first = '', second] = line.split(' = ');
    name = second === undefined ? name : first.trim();
    values.set(name, (values.get(name) ?? '') + (second ?? first).trim());
  }
  return values;
}

describe('A receipt that holds', () => {
  it('is the documented one, byte for byte', () => {
    const receipt = receiptOf();
    const view = viewOf(receipt);
    const values = documented();
    expect(toHex(receipt.transfer.encoding)).toBe(values.get('transfer'));
    expect(toHex(encodeReceipt(receipt))).toBe(values.get('receipt'));
    expect(toHex(fromBase64(view.signature))).toBe(values.get('signature'));
    expect(toHex(leafOfTransfer(receipt.transfer, salt))).toBe(values.get('leaf'));
    expect(judge(view)).toBe(ReceiptRejection.none);
  });

  it('holds but for the seal as long as the log has it not', () => {
    expect(judge(viewOf(receiptOf(), null))).toBe(ReceiptRejection.notSealed);
  });

  it('may be a share of a split, a packet for everybody, a draw of a mandate or a refund', () => {
    const packet: CardTerms = {
      ...exampleTerms,
      kind: 'packet',
      payee: '00000000-0000-0000-0000-000000000000',
      plan: { packet: 'fixed', count: 2 },
    };
    expect(judge(viewOf(receiptOf({ terms: packet, payee: idOf(4), transfer: { amountMinor: 617n } })))).toBe(0);
    const mandate: CardTerms = { ...exampleTerms, kind: 'mandate', plan: { period: 'month' } };
    const draw = receiptOf({ terms: mandate, transfer: { kind: 'transfer', hold: null, amountMinor: 100n } });
    expect(judge(viewOf(draw))).toBe(ReceiptRejection.none);
  });
});

/** What the server itself, which has the ledger's key, could sign. */
const forgeries: Record<string, [() => PaymentReceipt, ReceiptRejection]> = {
  'another payee': [() => receiptOf({ payee: idOf(9) }), ReceiptRejection.termsOther],
  'a payee whose account is another’s': [() => ({ ...receiptOf(), payee: idOf(9) }), ReceiptRejection.partiesOther],
  'a payer whose account is another’s': [() => ({ ...receiptOf(), payer: idOf(9) }), ReceiptRejection.partiesOther],
  'more money': [() => withTransfer({ amountMinor: 1235n }), ReceiptRejection.termsOther],
  'less money than the card says': [() => withTransfer({ amountMinor: 1233n }), ReceiptRejection.termsOther],
  'another card': [() => withTransfer({ card: idOf(9) }), ReceiptRejection.termsOther],
  'no word of the payer’s': [() => ({ ...receiptOf(), word: null }), ReceiptRejection.unauthorised],
  'a word for another transfer': [() => withTransfer({ hold: idOf(9) }), ReceiptRejection.statementElsewhere],
  'other details': [
    () => ({ ...receiptOf(), detailCommit: new Uint8Array(32).fill(1) }),
    ReceiptRejection.statementOther,
  ],
  'other terms than the device signed': [
    () => ({ ...receiptOf(), terms: encodeTerms({ ...exampleTerms, lifetimeSeconds: 1 }) }),
    ReceiptRejection.statementOther,
  ],
  'a word that lets less go': [() => withWord(1233n, seedOf(7)), ReceiptRejection.statementExceeded],
  'a word of another device': [
    () => withWord(1234n, seedOf(7), publicKeyOf(seedOf(8))),
    ReceiptRejection.deviceSignatureInvalid,
  ],
};

function withTransfer(transfer: Payment['transfer']): PaymentReceipt {
  return receiptOf(transfer ? { transfer } : {});
}

function withWord(amountMinor: bigint, deviceSeed: Uint8Array, deviceKey = publicKeyOf(deviceSeed)): PaymentReceipt {
  const statement = encodeDebit({
    terms: exampleTerms,
    detailCommit: exampleCommit,
    action: 'post',
    version: 0,
    payer: exampleTerms.payer,
    amountMinor,
    device: idOf(5),
    nonce: idOf(6),
    expiresAt: 1_800_000_000,
  });
  return { ...receiptOf(), word: { statement, signature: sign(deviceSeed, statement), deviceKey } };
}

describe('What the ledger’s key signed all the same', () => {
  for (const [what, [make, why]] of Object.entries(forgeries)) {
    it(`is refused with ${what}`, () => {
      expect(judge(viewOf(make()))).toBe(why);
    });
  }
});

/** What whoever passes a receipt on could change beside what was signed. */
const lies: Record<string, [(view: ReceiptView & { seal: ReceiptSeal }) => Partial<ReceiptView>, ReceiptRejection]> = {
  amount: [() => ({ amountMinor: '1235' }), ReceiptRejection.wordsOther],
  payee: [() => ({ payee: idOf(9) }), ReceiptRejection.wordsOther],
  time: [({ at }) => ({ at: at.replace('.000000', '.000001') }), ReceiptRejection.wordsOther],
  decimals: [() => ({ exponent: 0 }), ReceiptRejection.wordsOther],
  'device’s part': [() => ({ authorisation: null }), ReceiptRejection.wordsOther],
  signature: [() => ({ signature: toBase64(new Uint8Array(64)) }), ReceiptRejection.signatureInvalid],
  'ledger’s key': [() => ({ verifierKey: 'chat.example.org/ledger+00000000+AA==' }), ReceiptRejection.ledgerOther],
  encoding: [() => ({ receipt: 'AAAA' }), ReceiptRejection.malformed],
  'encoding, to none': [() => ({ receipt: undefined as unknown as string }), ReceiptRejection.malformed],
  place: [({ seal }) => ({ seal: { ...seal, index: 3 } }), ReceiptRejection.notIncluded],
  salt: [({ seal }) => ({ seal: { ...seal, salt: toBase64(seedOf(1)) } }), ReceiptRejection.notIncluded],
  proof: [({ seal }) => ({ seal: { ...seal, proof: [] } }), ReceiptRejection.notIncluded],
  'seal, to none': [() => ({ seal: {} as never }), ReceiptRejection.checkpointInvalid],
  checkpoint: [
    ({ seal }) => ({ seal: { ...seal, checkpoint: ledgerLog(receiptOf(), seedOf(4)).note() } }),
    ReceiptRejection.checkpointInvalid,
  ],
};

describe('A receipt whose words were changed', () => {
  for (const [what, [change, why]] of Object.entries(lies)) {
    it(`is refused for its ${what}`, () => {
      const receipt = receiptOf();
      const view = { ...viewOf(receipt), seal: sealOf(receipt) };
      expect(judge({ ...view, ...change(view) })).toBe(why);
    });
  }

  it('is refused for any byte of what was signed', () => {
    const view = viewOf(receiptOf());
    const bytes = fromBase64(view.receipt);
    for (let at = 0; at < bytes.length; at += 13) {
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(judge({ ...view, receipt: toBase64(changed) }), `byte ${at}`).not.toBe(ReceiptRejection.none);
      const read = readReceipt(changed);
      // What can be read has one way to be written.
      expect(read === null || toHex(encodeReceipt(read)) === toHex(changed), `byte ${at}`).toBe(true);
    }
    // Each looks at a signature, which takes long on a busy machine.
  }, 60_000);

  it('is refused where another log than the reader’s signed it', () => {
    const other = noteVerifier(origin, publicKeyOf(seedOf(4)));
    expect(openReceipt(viewOf(receiptOf()), other)).toEqual({ rejection: ReceiptRejection.ledgerOther });
  });

  it('has no seal in a log that does not have it', () => {
    const receipt = receiptOf();
    const elsewhere = transferOf({ ...receipt.transfer, id: idOf(8) });
    const seal = sealOf(receipt, ledgerLog({ ...receipt, transfer: elsewhere }));
    expect(judge(viewOf(receipt, seal))).toBe(ReceiptRejection.notIncluded);
  });
});

it('Instants are told to the microsecond, whatever their zone', () => {
  expect(microsOf('2026-11-29T10:00:00.123456+00:00')).toBe(microsOf('2026-11-29T11:00:00.1234560+01:00'));
  expect(microsOf('2026-11-29T10:00:00Z')).toBe(BigInt(Date.parse('2026-11-29T10:00:00Z')) * 1000n);
  expect(microsOf('2026-11-29T10:00:00.1234567Z')).toBeNull();
  expect(microsOf('tomorrow')).toBeNull();
  expect(ledgerAccountOf(exampleTerms.payer, 'EUR')).not.toBe(ledgerAccountOf(exampleTerms.payer, 'JPY'));
});
