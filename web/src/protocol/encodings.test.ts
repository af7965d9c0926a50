import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeAuthenticatedData, encodeAuthenticatedData } from './authenticatedData';
import { fromBase64, fromHex, toBase64, toHex, utf8 } from './bytes';
import { type CardTerms, detailCommit, encodeTerms, hashDetails } from './cardTerms';
import { encodeContent, parseContent } from './content';
import { bytesToUuid, uuidToBytes, uuidv7 } from './ids';

/** Shared with the .NET tests, so that both sides encode the same bytes. */
const fixture = JSON.parse(
  readFileSync(new URL('../../../ChatPay.Tests/Fixtures/card-terms.json', import.meta.url), 'utf8'),
) as {
  cards: {
    name: string;
    terms: Omit<CardTerms, 'amountMinor'> & { amountMinor: string };
    salt: string;
    memo: string;
    encodedTerms: string;
    details: string;
    detailCommit: string;
  }[];
};

const contents = JSON.parse(
  readFileSync(new URL('../../../ChatPay.Tests/Fixtures/message-content.json', import.meta.url), 'utf8'),
).contents as { name: string; plaintext: string; type: string; text?: string; card?: string }[];

describe('card terms', () => {
  for (const card of fixture.cards) {
    it(`encodes and commits to ${card.name}`, async () => {
      const terms: CardTerms = { ...card.terms, amountMinor: BigInt(card.terms.amountMinor) };
      const salt = fromHex(card.salt);
      expect(toHex(encodeTerms(terms))).toBe(card.encodedTerms);
      expect(toHex(await hashDetails(salt, card.memo))).toBe(card.details);
      expect(toHex(await detailCommit(terms, salt, card.memo))).toBe(card.detailCommit);
    });
  }

  it('commits to every part of the card', async () => {
    const card = fixture.cards[0];
    if (!card) {
      throw new Error('no fixture');
    }
    const terms: CardTerms = { ...card.terms, amountMinor: BigInt(card.terms.amountMinor) };
    const salt = fromHex(card.salt);
    const changed = await Promise.all([
      detailCommit({ ...terms, amountMinor: terms.amountMinor + 1n }, salt, card.memo),
      detailCommit({ ...terms, payer: terms.payee, payee: terms.payer }, salt, card.memo),
      detailCommit({ ...terms, kind: 'request' }, salt, card.memo),
      detailCommit({ ...terms, lifetimeSeconds: 60 }, salt, card.memo),
      detailCommit({ ...terms, asset: 'JPY' }, salt, card.memo),
      detailCommit({ ...terms, card: uuidv7() }, salt, card.memo),
      detailCommit({ ...terms, conversation: uuidv7() }, salt, card.memo),
      detailCommit(terms, new Uint8Array(32), card.memo),
      detailCommit(terms, salt, `${card.memo} `),
    ]);
    const distinct = new Set([card.detailCommit, ...changed.map(toHex)]);
    expect(distinct.size).toBe(changed.length + 1);
  });
});

describe('authenticated data', () => {
  const clientId = '01890a5d-ac96-774b-bcce-b302099a8057';
  const card = '01890a5d-ac96-7b8a-b1d0-6d5a4e0f9a11';

  it('has fixed bytes for messages and cards', () => {
    expect(toHex(encodeAuthenticatedData({ kind: 'message', clientId }))).toBe('0101890a5dac96774bbcceb302099a8057');
    const commit = new Uint8Array(32).fill(0xab);
    const bytes = encodeAuthenticatedData({ kind: 'card', clientId, card, detailCommit: commit });
    expect(toHex(bytes)).toBe(`0201890a5dac96774bbcceb302099a805701890a5dac967b8ab1d06d5a4e0f9a11${'ab'.repeat(32)}`);
    expect(decodeAuthenticatedData(bytes)).toEqual({ kind: 'card', clientId, card, detailCommit: commit });
  });

  it('decodes nothing but its two forms', () => {
    for (const hex of ['', '01', `03${'00'.repeat(16)}`, `01${'00'.repeat(17)}`, `02${'00'.repeat(63)}`]) {
      expect(decodeAuthenticatedData(fromHex(hex))).toBeNull();
    }
  });
});

describe('ids and base64', () => {
  it('keeps the network order of a UUID', () => {
    const id = '00112233-4455-6677-8899-aabbccddeeff';
    expect(toHex(uuidToBytes(id))).toBe('00112233445566778899aabbccddeeff');
    expect(bytesToUuid(uuidToBytes(id))).toBe(id);
    expect(() => uuidToBytes('0011')).toThrow(RangeError);
  });

  it('makes version 7 ids that increase, even while the clock stands or steps back', () => {
    const ids = Array.from({ length: 5000 }, (_, i) => uuidv7(1_700_000_000_000 - (i % 3)));
    expect(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toBe(
      true,
    );
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('round-trips bytes', () => {
    const bytes = crypto.getRandomValues(new Uint8Array(50_000));
    expect(fromBase64(toBase64(bytes))).toEqual(bytes);
    expect(fromHex(toHex(bytes))).toEqual(bytes);
  });
});

describe('content', () => {
  it('reads what it writes', () => {
    const salt = toBase64(new Uint8Array(32));
    const card = uuidv7();
    for (const content of [
      { v: 1, type: 'text', text: 'héllo' },
      { v: 1, type: 'group', name: 'Lunch' },
      { v: 1, type: 'card', card, salt, memo: 'pizza', items: [] },
    ] as const) {
      expect(parseContent(encodeContent(content as never))).toEqual(content);
    }
  });

  for (const example of contents) {
    it(`reads ${example.name} as ${example.type}`, () => {
      const read = parseContent(utf8(example.plaintext));
      expect(read.type).toBe(example.type);
      const text = read.type === 'text' ? read.text : read.type === 'group' ? read.name : undefined;
      expect(read.type === 'card' ? read.memo : text).toBe(example.text);
      expect(read.type === 'card' ? read.card : undefined).toBe(example.card);
    });
  }

  it('tells what is newer from what is malformed', () => {
    const parse = (value: unknown) => parseContent(utf8(JSON.stringify(value))).type;
    expect(parse({ v: 2, type: 'text', text: 'x' })).toBe('unknown');
    expect(parse({ v: 1, type: 'poll' })).toBe('unknown');
    expect(parse({ v: 1, type: 'text' })).toBe('malformed');
    expect(parse({ v: 1, type: 'text', text: 'x'.repeat(8001) })).toBe('malformed');
    expect(parse({ v: 1, type: 'group', name: 'x'.repeat(65) })).toBe('malformed');
    expect(parse({ v: 1, type: 'card', card: 'x', salt: '', memo: '', items: [] })).toBe('malformed');
    expect(parse(null)).toBe('malformed');
    expect(parseContent(Uint8Array.of(0xff, 0xfe)).type).toBe('malformed');
  });
});
