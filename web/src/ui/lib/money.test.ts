import { describe, expect, test } from 'vitest';
import { decimalSeparator, formatMoney, moneyParts, toDecimal } from './money';

const eur = { code: 'EUR', exponent: 2 };
const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ');

describe('Writing money', () => {
  test.each([
    [1234n, 2, '12.34'],
    [5n, 2, '0.05'],
    [0n, 2, '0.00'],
    [-5n, 2, '-0.05'],
    [750n, 0, '750'],
    [1n, 3, '0.001'],
    [9007199254740993n, 2, '90071992547409.93'],
  ])('%i minor units with %i decimals are %s', (minor, exponent, text) => {
    expect(toDecimal(minor, exponent)).toBe(text);
  });

  test('Each language writes it its own way', () => {
    expect(formatMoney(123456n, eur, 'en')).toBe('€1,234.56');
    expect(plain(formatMoney(123456n, eur, 'fr'))).toBe('1 234,56 €');
  });

  test('The asset decides the decimals, not Intl', () => {
    expect(formatMoney(750n, { code: 'JPY', exponent: 0 }, 'en')).toBe('¥750');
    expect(plain(formatMoney(12345n, { code: 'KWD', exponent: 3 }, 'en'))).toBe('KWD 12.345');
    expect(formatMoney(1234567n, { code: 'EUR', exponent: 4 }, 'en')).toBe('€123.4567');
  });

  test('No digit is lost where a floating-point number would lose it', () => {
    expect(formatMoney(9007199254740993n, eur, 'en')).toBe('€90,071,992,547,409.93');
  });

  test('What is no currency is a number with its code', () => {
    expect(plain(formatMoney(3n, { code: 'TICKET', exponent: 0 }, 'en'))).toBe('3 TICKET');
  });

  test('A statement shows signs, and parts make up the whole', () => {
    expect(formatMoney(500n, eur, 'en', true)).toBe('+€5.00');
    expect(formatMoney(-500n, eur, 'en', true)).toBe('-€5.00');
    const parts = moneyParts(123456n, eur, 'en');
    expect(parts.map((part) => part.kind)).toEqual(['symbol', 'major', 'minor']);
    expect(parts.map((part) => part.text).join('')).toBe('€1,234.56');
  });

  test('The decimal separator is the language’s', () => {
    expect(decimalSeparator('en')).toBe('.');
    expect(decimalSeparator('fr')).toBe(',');
  });
});
