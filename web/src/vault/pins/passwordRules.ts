import { VaultLimits } from '../limits';
import { commonWords, longestWordChars } from './commonWords';

/**
 * Whether a guesser's list would reach a passphrase early: ChatPay.Core's `PasswordRules`, rule by rule. Such lists are made of
 * few words and few habits, so the habits are undone first (capitals, 3 for e, digits and signs at the ends, repetition,
 * keyboard walks) and what remains is looked up among the words. Characters are UTF-16 units, as they are there.
 */

/** Characters that a passphrase of keyboard walks may have besides them, such as a leading capital X or a !. */
const strayChars = 2;
const walkMinChars = 3;
const distinctMinChars = 5;
/** More words than this are a passphrase, unless they repeat. */
const commonWordsMax = 2;

const rows = [
  '`1234567890-=',
  'qwertyuiop[]',
  "asdfghjkl;'",
  'zxcvbnm,./',
  'azertyuiop',
  'qsdfghjklm',
  'wxcvbn,;:!',
  'qwertzuiop',
  'yxcvbnm',
  'abcdefghijklmnopqrstuvwxyz',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p',
  'qazwsxedcrfvtgbyhnujmikolp',
  '1q2w3e4r5t6y7u8i9o0p',
  '1a2z3e4r5t6y7u8i9o0p',
  '147258369',
  '159753',
  '789456123',
  '!@#$%^&*()',
];

const walks = allWalks();

/** @param text in Normalization Form C, of a length that is allowed */
export function isGuessable(text: string, handle: string): boolean {
  const password = lower(text);
  if (new Set(password.split('')).size < distinctMinChars || isWalks(password)) {
    return true;
  }
  const unit = repeatedUnit(password);
  if (unit.length < VaultLimits.passphraseMinChars && unit.length < password.length) {
    return true;
  }
  const name = handle.replaceAll('_', '');
  return holds(password, name) || readings(unit).some((reading) => isFewWords(reading, name));
}

/** One unit at a time, as .NET does it: no letter becomes two, and none looks at its neighbours. */
function lower(text: string): string {
  return text
    .split('')
    .map((unit) => (unit.toLowerCase().length === 1 ? unit.toLowerCase() : unit))
    .join('');
}

/** The texts that may have been meant: as it stands, without its walks, and with signs read as letters. */
function readings(text: string): string[] {
  return [text, withoutWalks(text)].flatMap((reading) => {
    // Digits behind a word are a number, between its letters they are letters: p4ssw0rd1 is password and a 1.
    const core = /[a-z].*[a-z]|[a-z]/s.exec(reading)?.[0] ?? '';
    return core === ''
      ? [reading]
      : [
          reading,
          reading.replaceAll(core, () => unleet(core, 'i')),
          reading.replaceAll(core, () => unleet(core, 'l')),
          unleet(reading, 'i'),
        ];
  });
}

/** Whether the handle makes up the passphrase but for some characters that anybody would try after it. */
function holds(password: string, name: string): boolean {
  const letters = kept(password, /[\p{L}\p{Nd}]/u);
  return letters.includes(name) && (name.length >= 5 || letters.length - name.length < 8);
}

function isWalks(password: string): boolean {
  let stray = 0;
  for (let index = 0; index < password.length; ) {
    const length = longestWalk(password, index);
    stray += length === 0 ? 1 : 0;
    index += Math.max(length, 1);
  }
  return stray <= strayChars;
}

function withoutWalks(password: string): string {
  let rest = '';
  for (let index = 0; index < password.length; ) {
    const length = longestWalk(password, index);
    rest += length <= walkMinChars ? password.charAt(index) : '';
    index += length <= walkMinChars ? 1 : length;
  }
  return rest;
}

function longestWalk(password: string, start: number): number {
  let length = walkMinChars;
  while (start + length <= password.length && walks.has(password.slice(start, start + length))) {
    length++;
  }
  return length === walkMinChars ? 0 : length - 1;
}

/** The shortest text of which the passphrase is a repetition; the passphrase itself if it is none. */
function repeatedUnit(password: string): string {
  for (let length = 1; length <= password.length / 2; length++) {
    if (password.slice(length) === password.slice(0, -length)) {
      return password.slice(0, length);
    }
  }
  return password;
}

/** Whether what remains without signs and numbers is at most two common words; the handle counts as one. */
function isFewWords(password: string, name: string): boolean {
  const letters = kept(password, /\p{L}/u);
  // A long random number beside a word is no habit; a year or a handful of digits is.
  const othersMax = letters.length >= 8 ? 6 : 8;
  return (
    letters.length >= walkMinChars &&
    password.length - letters.length <= othersMax &&
    isSplit(letters, name, commonWordsMax)
  );
}

function isSplit(letters: string, name: string, words: number): boolean {
  if (letters === '') {
    return true;
  }
  const longest = Math.min(letters.length, Math.max(longestWordChars, name.length));
  for (let length = longest; words > 0 && length >= walkMinChars; length--) {
    const word = letters.slice(0, length);
    if ((commonWords.has(word) || word === name) && isSplit(letters.slice(length), name, words - 1)) {
      return true;
    }
  }
  return false;
}

/** Letters for the digits and signs that stand for them; 1 and ! are read as i or as l. */
function unleet(text: string, one: string): string {
  const letters: Record<string, string> = { 0: 'o', 3: 'e', 4: 'a', '@': 'a', 5: 's', $: 's', 7: 't', '+': 't' };
  return text
    .split('')
    .map((letter) => (letter === '1' || letter === '!' ? one : (letters[letter] ?? letter)))
    .join('');
}

function kept(text: string, pattern: RegExp): string {
  return text
    .split('')
    .filter((unit) => pattern.test(unit))
    .join('');
}

function allWalks(): ReadonlySet<string> {
  const found = new Set<string>();
  for (const row of rows) {
    const there = row + row;
    const back = there.split('').reverse().join('');
    for (let start = 0; start < row.length; start++) {
      for (let length = walkMinChars; length <= row.length; length++) {
        found.add(there.slice(start, start + length));
        found.add(back.slice(start, start + length));
      }
    }
  }
  return found;
}
