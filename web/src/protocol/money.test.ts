import { describe, expect, it } from 'vitest';
import { formatAmount, parseAmount, parseMinor, toDecimalString } from './money';

const eur = { code: 'EUR', exponent: 2 };
const jpy = { code: 'JPY', exponent: 0 };
const kwd = { code: 'KWD', exponent: 3 };
const ticket = { code: 'TICKET', exponent: 0 };

/** Intl writes no-break spaces; they are told apart from spaces only where that is the point. */
const spaces = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ');

describe('parseAmount', () => {
  const table: [string, typeof eur, string, bigint | string][] = [
    ['12.34', eur, 'en', 1234n],
    ['12,34', eur, 'en', 1234n],
    ['12,34', eur, 'fr', 1234n],
    ['12.34', eur, 'fr', 1234n],
    ['12', eur, 'en', 1200n],
    ['12.5', eur, 'en', 1250n],
    ['.5', eur, 'en', 50n],
    ['5,', eur, 'fr', 500n],
    ['1,234', eur, 'en', 123400n],
    ['1.234', eur, 'de', 123400n],
    ['1.234', eur, 'fr', 'tooManyDecimals'],
    ['1,234', eur, 'fr', 'tooManyDecimals'],
    ['1.234', eur, 'en', 'tooManyDecimals'],
    ['1.234,56', eur, 'en', 123456n],
    ['1,234.56', eur, 'fr', 123456n],
    ['1\u202f234,56', eur, 'fr', 123456n],
    ['1 234,56', eur, 'fr', 123456n],
    ['1\u2019234.56', eur, 'de-CH', 123456n],
    ['1,234,567', eur, 'en', 123456700n],
    ['1,23,456', eur, 'en', 'invalid'],
    ['1.2.3', eur, 'en', 'invalid'],
    ['12.34.56,78', eur, 'de', 'invalid'],
    ['1,2.3,4', eur, 'en', 'invalid'],
    ['١٢٫٣٤', eur, 'ar', 1234n],
    ['0', eur, 'en', 0n],
    ['', eur, 'en', 'empty'],
    ['  ', eur, 'en', 'empty'],
    ['.', eur, 'en', 'invalid'],
    ['-5', eur, 'en', 'invalid'],
    ['1e3', eur, 'en', 'invalid'],
    ['12 €', eur, 'fr', 'invalid'],
    ['1000', jpy, 'en', 1000n],
    ['1,000', jpy, 'en', 1000n],
    ['1.5', jpy, 'en', 'tooManyDecimals'],
    ['1,000', jpy, 'fr', 'tooManyDecimals'],
    ['1.234', kwd, 'en', 1234n],
    ['1,234', kwd, 'en', 1234000n],
    ['1,234', kwd, 'fr', 1234n],
    ['1.2345', kwd, 'en', 'tooManyDecimals'],
    ['10000000000000.00', eur, 'en', 1_000_000_000_000_000n],
    ['10000000000000.01', eur, 'en', 'tooLarge'],
    ['9'.repeat(40), eur, 'en', 'tooLarge'],
  ];
  for (const [input, asset, locale, expected] of table) {
    it(`reads "${input}" as ${expected} of ${asset.code} in ${locale}`, () => {
      const parsed = parseAmount(input, asset, locale);
      expect(parsed.ok ? parsed.amountMinor : parsed.reason).toBe(expected);
    });
  }
});

describe('formatAmount', () => {
  it('uses the decimals of the asset, not of the locale', () => {
    expect(formatAmount(1234n, eur, { locale: 'en' })).toBe('€12.34');
    expect(spaces(formatAmount(1234n, eur, { locale: 'fr' }))).toBe('12,34 €');
    expect(formatAmount(1234n, jpy, { locale: 'en' })).toBe('¥1,234');
    expect(spaces(formatAmount(1234n, kwd, { locale: 'en' }))).toBe('KWD 1.234');
    expect(spaces(formatAmount(3n, ticket, { locale: 'en' }))).toBe('3 TICKET');
  });

  it('is exact beyond what a number holds', () => {
    expect(formatAmount(900719925474099312n, eur, { locale: 'en' })).toBe('€9,007,199,254,740,993.12');
  });

  it('shows signs where asked', () => {
    expect(formatAmount(5n, eur, { locale: 'en', sign: true })).toBe('+€0.05');
    expect(formatAmount(-5n, eur, { locale: 'en', sign: true })).toBe('-€0.05');
    expect(formatAmount(0n, eur, { locale: 'en', sign: true })).toBe('€0.00');
  });

  it('can be read back', () => {
    for (const locale of ['en', 'fr', 'de', 'de-CH', 'es', 'hi', 'ar']) {
      for (const asset of [eur, jpy, kwd]) {
        for (const amountMinor of [0n, 1n, 10n, 99n, 1000n, 123456n, 1_000_000_000_000_000n]) {
          const text = formatAmount(amountMinor, asset, { locale, plain: true });
          expect(parseAmount(text, asset, locale), `${locale} ${asset.code} ${text}`).toEqual({
            ok: true,
            amountMinor,
          });
        }
      }
    }
  });
});

describe('minor units', () => {
  it('become decimal strings and come from wire strings', () => {
    expect(toDecimalString(-5n, 2)).toBe('-0.05');
    expect(toDecimalString(5n, 0)).toBe('5');
    expect(parseMinor('-12')).toBe(-12n);
    expect(() => parseMinor('1.2')).toThrow(RangeError);
  });
});
