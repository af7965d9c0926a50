import { wipe } from '../../crypto/random';
import { concat, utf8 } from '../../protocol/bytes';
import { VaultLimits } from '../limits';
import { PinRefusal } from './refusal';

/**
 * A PIN or passphrase in the one form in which it is stretched, whoever typed it and on whichever keyboard. A PIN is 4 to 12
 * digits, of which full-width, Arabic-Indic, Persian and Devanagari ones count as the ASCII ones that they mean, and spaces and
 * hyphens as nothing. Everything else is a passphrase: without the spaces around it and in Normalization Form C.
 */
export type Pin = {
  kind: 'digits' | 'passphrase';
  /** What is stretched: the kind (1 for digits, 2 for a passphrase) and UTF-8. */
  bytes: Uint8Array;
  text: string;
};

export type PinReading = { pin: Pin; refusal: typeof PinRefusal.none } | { pin: null; refusal: PinRefusal };

const kinds = { digits: 1, passphrase: 2 } as const;
/** Named one by one, because platforms do not agree on what else is space. */
const spaces = ' \t\n\r\u00A0\u2009\u202F\u3000';
const zeros = ['0', '\uFF10', '\u0660', '\u06F0', '\u0966'].map((zero) => zero.charCodeAt(0));

/** Reads what was typed. Whether a new PIN may be this one is asked of `judgePin`. */
export function readPin(typed: string): PinReading {
  if (typed.length > VaultLimits.pinTextMaxChars) {
    return { pin: null, refusal: PinRefusal.tooLong };
  }
  const trimmed = trim(typed);
  if (trimmed === '') {
    return { pin: null, refusal: PinRefusal.empty };
  }
  const digits = readDigits(trimmed);
  if (digits !== null && digits.length <= VaultLimits.pinMaxDigits) {
    return digits.length < VaultLimits.pinMinDigits
      ? { pin: null, refusal: PinRefusal.tooShort }
      : { pin: framed('digits', digits), refusal: PinRefusal.none };
  }
  return readPassphrase(trimmed);
}

/** Overwrites the bytes; nobody can overwrite the text, so the caller drops it. */
export function wipePin(pin: Pin): void {
  wipe(pin.bytes);
}

function readPassphrase(trimmed: string): PinReading {
  // A lone surrogate has no UTF-8; ChatPay.Core replaces it before it normalises.
  const text = trimmed.replace(/\p{Surrogate}/gu, '\uFFFD').normalize('NFC');
  const length = [...text].length;
  if (length < VaultLimits.passphraseMinChars) {
    return { pin: null, refusal: PinRefusal.passphraseTooShort };
  }
  return length > VaultLimits.passphraseMaxChars
    ? { pin: null, refusal: PinRefusal.passphraseTooLong }
    : { pin: framed('passphrase', text), refusal: PinRefusal.none };
}

/** The digits in ASCII, or null where there is anything else, or none. */
function readDigits(text: string): string | null {
  let digits = '';
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i);
    if (character === '-' || spaces.includes(character)) {
      continue;
    }
    const unit = text.charCodeAt(i);
    const zero = zeros.find((first) => unit >= first && unit <= first + 9);
    if (zero === undefined) {
      return null;
    }
    digits += String(unit - zero);
  }
  return digits === '' ? null : digits;
}

function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && spaces.includes(text.charAt(start))) {
    start++;
  }
  while (end > start && spaces.includes(text.charAt(end - 1))) {
    end--;
  }
  return text.slice(start, end);
}

function framed(kind: Pin['kind'], text: string): Pin {
  return { bytes: concat(Uint8Array.of(kinds[kind]), utf8(text)), kind, text };
}
