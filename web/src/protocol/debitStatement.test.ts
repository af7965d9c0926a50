import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { publicKeyOf, sign, verify } from '../crypto/ed25519';
import { fromHex, toHex } from './bytes';
import { type CardTerms, detailCommit } from './cardTerms';
import { type DebitStatement, encodeDebit } from './debitStatement';

const idOf = (number: number) => `0190a000-0000-7000-8000-${String(number).padStart(12, '0')}`;
const protocol = readFileSync(new URL('../../../docs/PROTOCOL.md', import.meta.url), 'utf8');

/** The bytes of the page's example, which may stand on several lines. */
function printed(name: string): string {
  // The definition of the statement has the same name and is not hexadecimal.
  const found = protocol.match(new RegExp(`^${name} +=((?: +[0-9a-f]+$\\n)+)`, 'm'))?.[1];
  if (!found) {
    throw new Error(`no ${name} in the example`);
  }
  return found.replace(/\s/g, '');
}

const terms: CardTerms = {
  kind: 'transfer',
  card: idOf(1),
  conversation: idOf(2),
  payer: idOf(3),
  payee: idOf(4),
  amountMinor: 1234n,
  lifetimeSeconds: 86_400,
  asset: 'EUR',
};

async function example(): Promise<DebitStatement> {
  const salt = Uint8Array.from({ length: 32 }, (_, i) => i);
  return {
    terms,
    detailCommit: await detailCommit(terms, salt, 'Für Kaffee ☕'),
    action: 'post',
    version: 0,
    payer: idOf(3),
    amountMinor: 1234n,
    device: idOf(5),
    nonce: idOf(6),
    expiresAt: 1_800_000_000,
  };
}

describe('a debit statement', () => {
  it('is byte for byte that of the protocol’s example, and so is its signature', async () => {
    const seed = new Uint8Array(32).fill(7);
    const encoded = encodeDebit(await example());
    expect(toHex(encoded)).toBe(printed('statement'));
    expect(toHex(sign(seed, encoded))).toBe(printed('signature'));
    expect(protocol).toContain(toHex(publicKeyOf(seed)));
    expect(verify(publicKeyOf(seed), fromHex(printed('signature')), encoded)).toBe(true);
  });

  it('covers everything that it says', async () => {
    const one = await example();
    const other: DebitStatement[] = [
      { ...one, payer: idOf(9) },
      { ...one, device: idOf(9) },
      { ...one, nonce: idOf(9) },
      { ...one, action: 'pay' },
      { ...one, version: 1 },
      { ...one, amountMinor: 1235n },
      { ...one, expiresAt: one.expiresAt + 1 },
      { ...one, detailCommit: new Uint8Array(32) },
      { ...one, terms: { ...terms, payee: idOf(9) } },
      { ...one, terms: { ...terms, card: idOf(9) } },
      { ...one, terms: { ...terms, conversation: idOf(9) } },
      { ...one, terms: { ...terms, amountMinor: 1n } },
      { ...one, terms: { ...terms, asset: 'EURX' } },
    ];
    const seen = new Set([one, ...other].map((statement) => toHex(encodeDebit(statement))));
    expect(seen.size).toBe(other.length + 1);
  });

  it.each([
    ['a commitment of another size', { detailCommit: new Uint8Array(31) }],
    ['nothing', { amountMinor: 0n }],
    ['less than nothing', { amountMinor: -1n }],
  ])('is not made over %s', async (_, wrong) => {
    const one = await example();
    expect(() => encodeDebit({ ...one, ...wrong })).toThrow(RangeError);
  });
});
