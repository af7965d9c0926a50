import { describe, expect, test } from 'vitest';
import { colourIndex, fold, gradePassword, groupsOfFour, initials, linkify, normaliseHandle } from './text';

describe('Names and words', () => {
  test.each([
    ['Amina Diallo', 'AD'],
    ['dana', 'D'],
    ['Maximiliane Theodora von Hohenfels', 'MH'],
    ['陈伟', '陈'],
    ['نور الهدى', 'نا'],
    ['  🎉 Party  ', 'P'],
    ['🎉', '?'],
    ['', '?'],
  ])('%s has the initials %s', (name, letters) => {
    expect(initials(name)).toBe(letters);
  });

  test('A colour belongs to an id for good', () => {
    expect(colourIndex('0196f0c4', 8)).toBe(colourIndex('0196f0c4', 8));
    const used = new Set(Array.from({ length: 100 }, (_, i) => colourIndex(`id-${i}`, 8)));
    expect(used.size).toBe(8);
  });

  test('Only web addresses become links, without the punctuation after them', () => {
    expect(linkify('See https://example.org/a?b=1, then (http://x.org).')).toEqual([
      { text: 'See ', href: null },
      { text: 'https://example.org/a?b=1', href: 'https://example.org/a?b=1' },
      { text: ', then (', href: null },
      { text: 'http://x.org', href: 'http://x.org' },
      { text: ').', href: null },
    ]);
    expect(linkify('javascript:alert(1) data:text/html,x')).toEqual([
      { text: 'javascript:alert(1) data:text/html,x', href: null },
    ]);
  });

  test('Splitting into links loses no character', () => {
    const text = 'a https://b.c/d e\nhttp://f.g h';
    expect(
      linkify(text)
        .map((part) => part.text)
        .join(''),
    ).toBe(text);
  });

  test('Search forgets case and accents', () => {
    expect(fold('Léa FÔNTAINE')).toBe('lea fontaine');
  });

  test('Handles are taken as people paste them', () => {
    expect(normaliseHandle(' @Amina ')).toBe('amina');
  });

  test('A fingerprint is read four characters at a time', () => {
    expect(groupsOfFour('0123456789ab')).toEqual(['0123', '4567', '89ab']);
  });

  test.each([
    ['short', 'short'],
    ['aaaaaaaaaaaa', 'weak'],
    ['1234567890', 'weak'],
    ['abcdefghijkl', 'weak'],
    ['tulip-harbour', 'fair'],
    ['correct horse battery staple', 'strong'],
  ])('The password "%s" is %s', (password, grade) => {
    expect(gradePassword(password)).toBe(grade);
  });
});
