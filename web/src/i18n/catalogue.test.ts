import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { en } from './en';
import { fr } from './fr';
import { pluraliser } from './plural';

const source = readFileSync(
  fileURLToPath(new URL('../../../ChatPay.Core/Protocol/Errors.cs', import.meta.url)),
  'utf8',
);
const names = [...source.matchAll(/^ {4}([A-Z][A-Za-z]+) = \d{4},$/gm)].map((match) =>
  (match[1] ?? '').replace(/(?<!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase(),
);

const client = readFileSync(fileURLToPath(new URL('../protocol/errors.ts', import.meta.url)), 'utf8');
const localNames = [...(client.match(/type LocalErrorName =[^;]+;/)?.[0] ?? '').matchAll(/'([a-z_]+)'/g)].map(
  (match) => match[1] ?? '',
);

type Leaf = { path: string; value: unknown };

function leaves(node: unknown, path = ''): Leaf[] {
  if (typeof node === 'object' && node !== null) {
    return Object.entries(node).flatMap(([key, value]) => leaves(value, `${path}.${key}`));
  }
  return [{ path, value: node }];
}

describe('The catalogue of words', () => {
  test('The server’s error catalogue was read', () => {
    expect(names.length).toBeGreaterThan(50);
    expect(names).toContain('insufficient_funds');
  });

  test.each([
    ['English', en],
    ['French', fr],
  ])('Every error of the server and of this side has a sentence in %s', (_, catalogue) => {
    const missing = names.filter((name) => !Object.hasOwn(catalogue.error, name));
    expect(missing).toEqual([]);
    expect(localNames).toContain('offline');
    expect(localNames.filter((name) => !Object.hasOwn(catalogue.error, name))).toEqual([]);
  });

  test('Both languages have the same keys, none of them empty', () => {
    expect(leaves(fr).map((leaf) => leaf.path)).toEqual(leaves(en).map((leaf) => leaf.path));
    for (const { path, value } of [...leaves(en), ...leaves(fr)]) {
      if (typeof value !== 'function') {
        expect(value, path).toMatch(/\S/);
      }
    }
  });

  test('French puts unbreakable spaces before its high punctuation', () => {
    for (const { path, value } of leaves(fr)) {
      if (typeof value === 'string') {
        expect(value, path).not.toMatch(/ [?!;:»]|« /);
      }
    }
  });

  test('Plurals follow the rules of each language', () => {
    expect(pluraliser('en')(0, { one: '# day', other: '# days' })).toBe('0 days');
    expect(pluraliser('fr')(0, { one: '# jour', other: '# jours' })).toBe('0 jour');
    // What French counts as one is not the last of something.
    expect([0, 1, 2].map(fr.keys.newDevice.guessesLeft)).toEqual([
      'Il ne reste aucun essai pour le moment',
      '1 essai restant, puis le code PIN est détruit',
      '2 essais restants',
    ]);
    expect(en.keys.newDevice.guessesLeft(0)).toBe('No guesses are left now');
    expect(en.nav.unread(1204)).toBe('1,204 unread messages');
    expect(fr.nav.unread(1)).toBe('1 message non lu');
  });
});
