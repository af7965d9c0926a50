import type { Asset } from '../../state/contract';

export type MoneyPart = { kind: 'major' | 'minor' | 'symbol' | 'sign' | 'space'; text: string };

/** Plain decimal text, exact for every bigint: 1234 with exponent 2 is "12.34". */
export function toDecimal(minor: bigint, exponent: number): string {
  const negative = minor < 0n;
  const digits = (negative ? -minor : minor).toString().padStart(exponent + 1, '0');
  const whole = digits.slice(0, digits.length - exponent);
  const fraction = exponent === 0 ? '' : `.${digits.slice(digits.length - exponent)}`;
  return `${negative ? '-' : ''}${whole}${fraction}`;
}

const formats = new Map<string, Intl.NumberFormat>();

function formatOf(asset: Asset, locale: string, signed: boolean): Intl.NumberFormat {
  const key = `${locale} ${asset.code} ${asset.exponent} ${signed}`;
  let format = formats.get(key);
  if (!format) {
    const digits = { minimumFractionDigits: asset.exponent, maximumFractionDigits: asset.exponent };
    const sign: Intl.NumberFormatOptions = signed ? { signDisplay: 'exceptZero' } : {};
    // Intl knows three-letter codes only; anything else (tickets, points) is a number with its code behind.
    format = /^[A-Z]{3}$/.test(asset.code)
      ? new Intl.NumberFormat(locale, { style: 'currency', currency: asset.code, ...digits, ...sign })
      : new Intl.NumberFormat(locale, { ...digits, ...sign });
    formats.set(key, format);
  }
  return format;
}

export function moneyParts(minor: bigint, asset: Asset, locale: string, signed = false): MoneyPart[] {
  const format = formatOf(asset, locale, signed);
  // Intl takes exact decimal strings; the type is narrower than the language.
  const value = toDecimal(minor, asset.exponent) as Intl.StringNumericLiteral;
  const parts: MoneyPart[] = [];
  for (const part of format.formatToParts(value)) {
    const kind = kindOf(part.type);
    const last = parts.at(-1);
    if (last && last.kind === kind) {
      last.text += part.value;
    } else {
      parts.push({ kind, text: part.value });
    }
  }
  if (format.resolvedOptions().style !== 'currency') {
    parts.push({ kind: 'space', text: '\u00a0' }, { kind: 'symbol', text: asset.code });
  }
  return parts;
}

export function formatMoney(minor: bigint, asset: Asset, locale: string, signed = false): string {
  return moneyParts(minor, asset, locale, signed)
    .map((part) => part.text)
    .join('');
}

function kindOf(type: Intl.NumberFormatPartTypes): MoneyPart['kind'] {
  switch (type) {
    case 'decimal':
    case 'fraction':
      return 'minor';
    case 'currency':
      return 'symbol';
    case 'plusSign':
    case 'minusSign':
      return 'sign';
    case 'literal':
      return 'space';
    default:
      return 'major';
  }
}

export function decimalSeparator(locale: string): string {
  return new Intl.NumberFormat(locale).formatToParts(1.5).find((part) => part.type === 'decimal')?.value ?? '.';
}
