import { Limits } from './limits';

/** Amounts are bigint minor units; an asset's exponent says how many decimals one unit has. */
export type MoneyAsset = { code: string; exponent: number };

export type ParsedAmount =
  | { ok: true; amountMinor: bigint }
  | { ok: false; reason: 'empty' | 'invalid' | 'tooManyDecimals' | 'tooLarge' };

/** What a locale writes between the units and the decimals, and between groups of digits. */
function separators(locale: string | undefined): { decimal: string; group: string } {
  const parts = new Intl.NumberFormat(locale, { useGrouping: true }).formatToParts(1234567.8);
  return {
    decimal: parts.find((part) => part.type === 'decimal')?.value ?? '.',
    group: parts.find((part) => part.type === 'group')?.value ?? '',
  };
}

/** Spaces of all widths and the apostrophes that some locales group with. */
const fillers = /[\s\u00a0\u2007\u2009\u202f'\u2019]/g;

/**
 * Reads what a person typed. Both comma and dot are understood; where one sign could mean either (in English "1,234"),
 * the locale decides, and an amount is refused rather than read a thousand times too large.
 */
export function parseAmount(input: string, asset: MoneyAsset, locale?: string): ParsedAmount {
  const text = toAsciiDigits(input).replace(fillers, '');
  if (text === '') {
    return { ok: false, reason: 'empty' };
  }
  if (!/^\d*(?:[.,]\d*)*$/.test(text) || !/\d/.test(text)) {
    return { ok: false, reason: 'invalid' };
  }
  const decimalAt = findDecimal(text, separators(locale));
  if (decimalAt === null) {
    return { ok: false, reason: 'invalid' };
  }
  const whole = text.slice(0, decimalAt);
  const decimals = text.slice(decimalAt + 1);
  if (!isGrouped(whole) || /[.,]/.test(decimals)) {
    return { ok: false, reason: 'invalid' };
  }
  if (decimals.length > asset.exponent) {
    return { ok: false, reason: 'tooManyDecimals' };
  }
  const amountMinor = BigInt(`${whole.replace(/[.,]/g, '')}${decimals.padEnd(asset.exponent, '0')}` || '0');
  return amountMinor > Limits.amountMaxMinor ? { ok: false, reason: 'tooLarge' } : { ok: true, amountMinor };
}

/** Index of the decimal sign, the text's length where there is none, null where the signs contradict each other. */
function findDecimal(text: string, locale: { decimal: string; group: string }): number | null {
  const dots = text.split('.').length - 1;
  const commas = text.split(',').length - 1;
  if (dots > 0 && commas > 0) {
    const last = Math.max(text.lastIndexOf('.'), text.lastIndexOf(','));
    const sign = text[last];
    return (sign === '.' ? dots : commas) === 1 ? last : null;
  }
  if (dots + commas === 0) {
    return text.length;
  }
  const sign = dots > 0 ? '.' : ',';
  if (dots + commas > 1) {
    return text.length;
  }
  const at = text.indexOf(sign);
  const looksGrouped = /^\d{1,3}[.,]\d{3}$/.test(text);
  return sign === locale.group && sign !== locale.decimal && looksGrouped ? text.length : at;
}

function isGrouped(whole: string): boolean {
  if (!/[.,]/.test(whole)) {
    return true;
  }
  return /^\d{1,3}(?:\.\d{3})+$/.test(whole) || /^\d{1,3}(?:,\d{3})+$/.test(whole);
}

/** Digits of the scripts that `Intl` writes amounts in. */
function toAsciiDigits(text: string): string {
  return text
    .replace(/[\u0660-\u0669]/g, (digit) => String(digit.charCodeAt(0) - 0x660))
    .replace(/[\u06f0-\u06f9]/g, (digit) => String(digit.charCodeAt(0) - 0x6f0))
    .replace(/\u066b/g, '.')
    .replace(/\u066c/g, '');
}

/** "12.34" for 1234 with two decimals: exact, for `Intl`, which accepts decimal strings of any length. */
export function toDecimalString(amountMinor: bigint, exponent: number): string {
  const negative = amountMinor < 0n;
  const digits = (negative ? -amountMinor : amountMinor).toString().padStart(exponent + 1, '0');
  const cut = digits.length - exponent;
  const text = exponent === 0 ? digits : `${digits.slice(0, cut)}.${digits.slice(cut)}`;
  return negative ? `-${text}` : text;
}

export type FormatOptions = {
  locale?: string | undefined;
  /** Without the currency, as one would type it. */
  plain?: boolean;
  /** With a sign in front of positive amounts too. */
  sign?: boolean;
};

export function formatAmount(amountMinor: bigint, asset: MoneyAsset, options: FormatOptions = {}): string {
  const decimals: Intl.NumberFormatOptions = {
    minimumFractionDigits: asset.exponent,
    maximumFractionDigits: asset.exponent,
  };
  if (options.sign) {
    decimals.signDisplay = 'exceptZero';
  }
  const value = toDecimalString(amountMinor, asset.exponent) as Intl.StringNumericLiteral;
  if (options.plain) {
    return new Intl.NumberFormat(options.locale, { ...decimals, useGrouping: false }).format(value);
  }
  if (!/^[A-Z]{3}$/.test(asset.code)) {
    // Assets that are no currency, such as tickets, have no symbol: the code stands behind the number.
    return `${new Intl.NumberFormat(options.locale, decimals).format(value)}\u00a0${asset.code}`;
  }
  return new Intl.NumberFormat(options.locale, { ...decimals, style: 'currency', currency: asset.code }).format(value);
}

/** An amount of the wire: a decimal string of minor units, possibly negative. */
export function parseMinor(text: string): bigint {
  if (!/^-?\d{1,19}$/.test(text)) {
    throw new RangeError('not an amount');
  }
  return BigInt(text);
}

/** The decimals that the world gives a currency, for the moment before the server has named its assets. */
export function usualExponent(code: string): number {
  if (!/^[A-Z]{3}$/.test(code)) {
    return 0;
  }
  const format = new Intl.NumberFormat('en', { style: 'currency', currency: code });
  return format.resolvedOptions().maximumFractionDigits ?? 0;
}
