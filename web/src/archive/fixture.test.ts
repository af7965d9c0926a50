import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fromHex, fromUtf8, toHex, utf8 } from '../protocol/bytes';
import { ArchiveCipher, digestOf, noDigest } from './cipher';
import { encodeArchive, readArchive } from './content';
import { jsonMaxBytes, pad } from './padding';

type Chunk = { number: number; previous: string; nonce: string; json: string; items: string[]; sealed: string };

/** Shared with the .NET tests: two streams of an archive with all randomness fixed, and what must not be taken. */
const fixture = JSON.parse(
  readFileSync(new URL('../../../ChatPay.Tests/Fixtures/archive.json', import.meta.url), 'utf8'),
);
const cipher = new ArchiveCipher(fromHex(fixture.archiveKey), fixture.account);
const read = (json: string) => readArchive(utf8(json))?.items.map(({ id }) => id) ?? null;

describe("the archive's fixture", () => {
  it('has the id that the key gives', () => {
    expect(cipher.id).toBe(fixture.archive);
  });

  it('has the sizes of padded JSON', () => {
    for (const [bytes, padded] of fixture.padding) {
      expect(pad(new Uint8Array(bytes)).length, `${bytes}`).toBe(padded);
    }
    expect(() => pad(new Uint8Array(jsonMaxBytes + 1))).toThrow(RangeError);
    expect(() => pad(new Uint8Array())).toThrow(RangeError);
  });

  it('has each chunk byte for byte, and it opens in its place', async () => {
    for (const { device, chunks } of fixture.streams as { device: string; chunks: Chunk[] }[]) {
      let previous = noDigest();
      for (const { number, nonce, json, items, sealed, ...chunk } of chunks) {
        expect(chunk.previous).toBe(toHex(previous));
        const place = { device, number, previous };
        expect(toHex(await cipher.seal(place, utf8(json), () => fromHex(nonce)))).toBe(sealed);
        const opened = await cipher.open(place, fromHex(sealed));
        expect(opened && fromUtf8(opened)).toBe(json);
        expect(read(json)).toEqual(items);
        previous = digestOf(fromHex(sealed));
      }
    }
  });

  it('has what opens in no other place', async () => {
    for (const { why, device, number, previous, sealed } of fixture.refused) {
      expect(await cipher.open({ device, number, previous: fromHex(previous) }, fromHex(sealed)), why).toBeNull();
    }
  });

  it('has what is read of JSON, and what is passed over', () => {
    expect(fixture.json.length).toBeGreaterThan(20);
    for (const { why, json, items } of fixture.json) {
      expect(read(json), why).toEqual(items);
    }
  });
});

describe('a chunk', () => {
  it('with any bit turned does not open', async () => {
    const place = { device: fixture.streams[0].device, number: 0, previous: noDigest() };
    const sealed = await cipher.seal(place, utf8('{}'));
    for (let at = 0; at < sealed.length; at += 7) {
      const changed = sealed.slice();
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      expect(await cipher.open(place, changed), `${at}`).toBeNull();
    }
  });

  it('has room for the longest text, however it is written', () => {
    for (const unit of ['\u0001', '"', 'ש', '😀']) {
      const [item] = readArchive(utf8(fixture.streams[1].chunks[0].json))?.items ?? [];
      const text = unit.repeat(8000 / unit.length);
      const person = { account: item?.account ?? '', handle: 'a'.repeat(32), displayName: '😀'.repeat(64) };
      const content = { people: [person], items: item ? [{ ...item, content: { type: 'text' as const, text } }] : [] };
      const json = encodeArchive(content);
      expect(json.length).toBeLessThanOrEqual(jsonMaxBytes);
      expect(readArchive(json)).toEqual(content);
    }
  });
});
