/** The server's bound (Limits.AmountMaxMinor): refused here before anything is sent. */
export const amountMaxMinor = 1_000_000_000_000_000n;

/**
 * What a person may type as an amount: digits and at most one separator, a comma or a point, whichever their keyboard
 * has. Returns the text to show, or the old text when the change does not fit.
 */
export function editAmount(next: string, before: string, exponent: number, separator: string): string {
  const cleaned = next.replace(/[\s\u00a0\u202f'’]/g, '').replace(/[.,]/g, separator);
  if (cleaned === '') {
    return '';
  }
  const [whole = '', fraction, ...rest] = cleaned.split(separator);
  if (rest.length > 0 || !/^\d*$/.test(whole) || (fraction !== undefined && !/^\d*$/.test(fraction))) {
    return before;
  }
  if (fraction !== undefined && (exponent === 0 || fraction.length > exponent)) {
    return before;
  }
  const trimmed = whole.replace(/^0+(?=\d)/, '');
  const text = fraction === undefined ? trimmed : `${trimmed === '' ? '0' : trimmed}${separator}${fraction}`;
  return parseAmount(text, exponent, separator) > amountMaxMinor ? before : text;
}

/** Minor units of a text made by `editAmount`; empty is zero. */
export function parseAmount(text: string, exponent: number, separator: string): bigint {
  const [whole = '', fraction = ''] = text.split(separator);
  const digits = `${whole}${fraction.padEnd(exponent, '0').slice(0, exponent)}`;
  return digits === '' ? 0n : BigInt(digits);
}

/** What was typed, in a currency of other decimals. */
export function keepFraction(text: string, exponent: number, separator: string): string {
  const [whole = '', fraction = ''] = text.split(separator);
  return exponent === 0 || fraction === '' ? whole : `${whole}${separator}${fraction.slice(0, exponent)}`;
}

export type PadKey = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9' | 'separator' | 'erase';

export function pressPad(key: PadKey, before: string, exponent: number, separator: string): string {
  if (key === 'erase') {
    return before.slice(0, -1);
  }
  return editAmount(before + (key === 'separator' ? separator : key), before, exponent, separator);
}
