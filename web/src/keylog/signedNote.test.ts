import { describe, expect, it } from 'vitest';
import { publicKeyOf } from '../crypto/ed25519';
import { utf8 } from '../protocol/bytes';
import { streamOf } from '../vault/testing/stream';
import { openCheckpoint, readCheckpoint } from './checkpoint';
import { noteVerifier, readNoteVerifier, writeNoteVerifier } from './noteVerifier';
import { LogRejection } from './rejection';
import { readNote, verifyNote } from './signedNote';
import { signedBy } from './testing/testLog';

// C2SP signed-note, sections "Example" and "Verifier keys".
const exampleKey = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const signature = 'Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=';
const example = `This is an example message.\n\n— example.com/foo ${signature}\n`;
const origin = 'chat.example.org/keys';
const root = 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=';

const [logSeed, witnessSeed, otherSeed] = ['log', 'witness', 'other'].map((name) => streamOf(name)(32)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
];
const log = noteVerifier(origin, publicKeyOf(logSeed));
const witness = noteVerifier('witness.example', publicKeyOf(witnessSeed));

describe('a signed note', () => {
  it('verifies with the published key, as published', () => {
    const key = readNoteVerifier(exampleKey);
    expect(key && writeNoteVerifier(key)).toBe(exampleKey);
    const note = must(example);
    expect(note.text).toBe('This is an example message.\n');
    expect(key && verifyNote(note, [key])).toBe(LogRejection.none);
  });

  it('ignores the signatures of strangers, and not a wrong one of a trusted key', () => {
    const text = 'First line\n\nunder an empty one ☕\n';
    const one = signedBy(logSeed, origin, text);
    const both = one + signedBy(witnessSeed, 'witness.example', text).slice(text.length + 1);
    expect(must(both).signatures).toHaveLength(2);
    expect(must(both).text).toBe(text);
    expect(verifyNote(must(both), [log])).toBe(LogRejection.none);
    expect(verifyNote(must(both), [witness, log])).toBe(LogRejection.none);
    expect(verifyNote(must(one), [noteVerifier(origin, publicKeyOf(otherSeed))])).toBe(LogRejection.signerUnknown);
    expect(verifyNote(must(one), [])).toBe(LogRejection.signerUnknown);
    expect(verifyNote(must(both.replace('First', 'Other')), [log])).toBe(LogRejection.signatureInvalid);
    // A good signature beside it does not make up for the bad one.
    const mixed = one + signedBy(witnessSeed, 'witness.example', 'another\n').slice('another\n'.length + 1);
    expect(verifyNote(must(mixed), [log])).toBe(LogRejection.none);
    expect(verifyNote(must(mixed), [log, witness])).toBe(LogRejection.signatureInvalid);
  });

  for (const [text, expected] of [
    ['', LogRejection.noteMalformed],
    ['text\n', LogRejection.noteMalformed],
    ['text\n\n', LogRejection.noteMalformed],
    ['\n\n— a AAAAAAA=\n', LogRejection.noteMalformed],
    ['text\n— a AAAAAAA=\n', LogRejection.noteMalformed],
    ['text\n\n— a AAAAAAA=', LogRejection.noteMalformed],
    ['te\txt\n\n— a AAAAAAA=\n', LogRejection.noteMalformed],
    ['text\r\n\n— a AAAAAAA=\n', LogRejection.noteMalformed],
    ['text\n\n- a AAAAAAA=\n', LogRejection.signatureMalformed],
    ['text\n\n— a  AAAAAAA=\n', LogRejection.signatureMalformed],
    ['text\n\n— a+b AAAAAAA=\n', LogRejection.signatureMalformed],
    ['text\n\n— a AAAAAA==\n', LogRejection.signatureMalformed],
    ['text\n\n— a AAAAAAB=\n', LogRejection.signatureMalformed],
    ['text\n\n— a AAAAAAA\n', LogRejection.signatureMalformed],
    ['text\n\n— a AAAA AAA=\n', LogRejection.signatureMalformed],
    ['text\n\n— a\n', LogRejection.signatureMalformed],
  ] as const) {
    it(`is not ${JSON.stringify(text)}`, () => {
      expect(readNote(utf8(text))).toEqual({ rejection: expected });
    });
  }

  it('is bounded', () => {
    const line = '— a AAAAAAA=\n';
    expect(must(`t\n\n${line.repeat(32)}`).signatures).toHaveLength(32);
    expect(readNote(utf8(`t\n\n${line.repeat(33)}`))).toEqual({ rejection: LogRejection.tooLarge });
    expect(readNote(new Uint8Array(256 * 1024 + 1))).toEqual({ rejection: LogRejection.tooLarge });
    expect(readNote(Uint8Array.of(0xff, 10, 10))).toEqual({ rejection: LogRejection.noteMalformed });
    expect(must(`\uFEFFt\n\n${line}`).text).toBe('\uFEFFt\n');
  });
});

describe('a verifier key', () => {
  for (const text of [
    '',
    'example.com/foo',
    'example.com/foo+530d903a',
    'example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
    'example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
    'example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
    'example.com foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
    'example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
    'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2',
    '+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
  ]) {
    it(`is not ${JSON.stringify(text)}`, () => {
      expect(readNoteVerifier(text)).toBeNull();
    });
  }
});

describe('a checkpoint', () => {
  it('opens for its log and key', () => {
    const note = signedBy(logSeed, origin, `${origin}\n5\n${root}\n`);
    expect(openCheckpoint(note, origin, log)).toMatchObject({ checkpoint: { origin, size: 5, extensions: [] } });
    expect(openCheckpoint(note, 'other', log)).toEqual({ rejection: LogRejection.originOther });
    const stranger = noteVerifier(origin, publicKeyOf(otherSeed));
    expect(openCheckpoint(note, origin, stranger)).toEqual({ rejection: LogRejection.signerUnknown });
    const changed = note.replace('\n5\n', '\n6\n');
    expect(openCheckpoint(changed, origin, log)).toEqual({ rejection: LogRejection.signatureInvalid });
    const none = signedBy(logSeed, origin, 'no checkpoint\n');
    expect(openCheckpoint(none, origin, log)).toEqual({ rejection: LogRejection.checkpointMalformed });
  });

  it('is read as published, with lines that a log may add', () => {
    const text = `example.com/behind-the-sofa\n20852163\n${root}\n`;
    expect(readCheckpoint(text)).toMatchObject({ origin: 'example.com/behind-the-sofa', size: 20_852_163 });
    expect(readCheckpoint(`${text}more\n`)?.extensions).toEqual(['more']);
  });

  for (const text of [
    'o\n1\n',
    `o\n01\n${root}\n`,
    `o\n-1\n${root}\n`,
    `o\n+1\n${root}\n`,
    `o\n9223372036854775808\n${root}\n`,
    `\n1\n${root}\n`,
    `o\n1\n${root.slice(0, -1)}\n`,
    'o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n',
    'o\n1\nAAAA\n',
    'o\n1\nCsUYapGGPo4dkMgI AUqom/Xajj7h2fB2MPA3j2jxq2I=\n',
    `o\n1\n${root}\n\n`,
    `o\n1\n${root}`,
  ]) {
    it(`is not ${JSON.stringify(text)}`, () => {
      expect(readCheckpoint(text)).toBeNull();
    });
  }
});

function must(text: string) {
  const read = readNote(utf8(text));
  if ('rejection' in read) {
    throw new Error(`refused: ${read.rejection}`);
  }
  return read.note;
}
