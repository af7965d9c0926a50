import { commonCodes } from './commonCodes';
import { isGuessable } from './passwordRules';
import type { Pin } from './pin';
import { PinRefusal } from './refusal';

/**
 * Which PINs are refused to those who choose one, and why. Ten guesses are all that anybody has, so what matters is what people
 * choose first: the twenty commonest four-digit codes cover a quarter of those in leaked lists. Reasons are looked for in the
 * order in which `PinRefusal` has them; the first is told.
 */

const firstYear = 1900;
const lastYear = 2099;
/** From this many digits on, two different ones are too few. */
const threeDistinctFrom = 6;
const daysOfMonths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** @param handle a passphrase built on the account's own handle is as easy to guess as a common one */
export function judgePin(pin: Pin, handle: string): PinRefusal {
  if (pin.kind === 'passphrase') {
    return isGuessable(pin.text, handle) ? PinRefusal.passphraseCommon : PinRefusal.none;
  }
  const digits = pin.text;
  if (commonCodes.has(digits)) {
    return PinRefusal.common;
  }
  if (isRepeated(digits)) {
    return PinRefusal.repeated;
  }
  if (isSequential(digits)) {
    return PinRefusal.sequential;
  }
  return isBirthdayLike(digits) ? PinRefusal.birthdayLike : PinRefusal.none;
}

function isRepeated(digits: string): boolean {
  for (let unit = 1; unit <= digits.length / 2; unit++) {
    if (digits.slice(unit) === digits.slice(0, -unit)) {
      return true;
    }
  }
  return new Set(digits).size < (digits.length >= threeDistinctFrom ? 3 : 2);
}

/** One step between all neighbours, where 0 comes after 9: 1234, 8901, 4321, 2468. */
function isSequential(digits: string): boolean {
  const steps = new Set<number>();
  for (let i = 1; i < digits.length; i++) {
    steps.add((digits.charCodeAt(i) - digits.charCodeAt(i - 1) + 10) % 10);
  }
  return steps.size === 1;
}

function isBirthdayLike(digits: string): boolean {
  const part = (from: number, to: number) => digits.slice(from, to);
  switch (digits.length) {
    case 4:
      return isYear(digits) || isDate(part(0, 2), part(2, 4));
    case 6:
      return (
        isDate(part(0, 2), part(2, 4)) ||
        isDay(part(4, 6), part(2, 4)) ||
        (isMonth(part(0, 2)) && isYear(part(2, 6))) ||
        (isYear(part(0, 4)) && isMonth(part(4, 6)))
      );
    case 8:
      return (
        (isYear(part(4, 8)) && isDate(part(0, 2), part(2, 4))) || (isYear(part(0, 4)) && isDate(part(4, 6), part(6, 8)))
      );
    default:
      return false;
  }
}

/** A day and a month in either order. */
function isDate(one: string, other: string): boolean {
  return isDay(one, other) || isDay(other, one);
}

function isDay(day: string, month: string): boolean {
  return Number(day) >= 1 && Number(day) <= (daysOfMonths[Number(month) - 1] ?? 0);
}

function isMonth(digits: string): boolean {
  return Number(digits) >= 1 && Number(digits) <= 12;
}

function isYear(digits: string): boolean {
  return Number(digits) >= firstYear && Number(digits) <= lastYear;
}
