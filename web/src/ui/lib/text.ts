/** One or two letters for an avatar: of the first and last word, whatever the script. */
export function initials(name: string): string {
  const words = name
    .trim()
    .split(/\s+/)
    .filter((word) => /[\p{L}\p{N}]/u.test(word));
  const first = firstLetter(words[0]);
  const last = words.length > 1 ? firstLetter(words.at(-1)) : '';
  return (first + last).toLocaleUpperCase() || '?';
}

function firstLetter(word: string | undefined): string {
  return word?.match(/[\p{L}\p{N}]/u)?.[0] ?? '';
}

/** FNV-1a: the same id has the same colour on every device. */
export function colourIndex(id: string, count: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) {
    hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  }
  return (hash >>> 0) % count;
}

export type TextPart = { text: string; href: string | null };

const linkPattern = /\bhttps?:\/\/[^\s<>"]+[^\s<>"'.,;:!?)\]}»”]/giu;

/** Splits a message into plain text and web addresses; nothing else becomes a link. */
export function linkify(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  for (const match of text.matchAll(linkPattern)) {
    if (match.index > end) {
      parts.push({ text: text.slice(end, match.index), href: null });
    }
    parts.push({ text: match[0], href: match[0] });
    end = match.index + match[0].length;
  }
  if (end < text.length) {
    parts.push({ text: text.slice(end), href: null });
  }
  return parts;
}

/** Case and accents do not matter when people search for people. */
export function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLocaleLowerCase();
}

/** Fingerprints are read aloud and compared: four characters at a time. */
export function groupsOfFour(fingerprint: string): string[] {
  return fingerprint.match(/.{1,4}/g) ?? [];
}

export const handlePattern = /^[a-z0-9_]{3,32}$/;

/** What people type or paste as a handle: with or without `@`, in any case. */
export function normaliseHandle(text: string): string {
  return text.trim().replace(/^@/, '').toLowerCase();
}

export type PasswordGrade = 'short' | 'weak' | 'fair' | 'strong';

/** A hint, not a gate: the server refuses what is short or common. Length counts most, as it does for guessing. */
export function gradePassword(password: string): PasswordGrade {
  const length = [...password].length;
  if (length < 10) {
    return 'short';
  }
  const distinct = new Set(password).size;
  if (distinct < 5 || isSequence(password)) {
    return 'weak';
  }
  return length >= 16 && distinct >= 8 ? 'strong' : 'fair';
}

function isSequence(text: string): boolean {
  let steps = 0;
  for (let i = 1; i < text.length; i++) {
    const step = text.charCodeAt(i) - text.charCodeAt(i - 1);
    if (step === 1 || step === -1 || step === 0) {
      steps += 1;
    }
  }
  return steps >= text.length * 0.7;
}
