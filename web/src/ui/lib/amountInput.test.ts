import { describe, expect, test } from 'vitest';
import { amountMaxMinor, editAmount, parseAmount, pressPad } from './amountInput';

function typeIn(keys: string, exponent: number, separator: string): string {
  let text = '';
  for (const key of keys) {
    text = editAmount(text + key, text, exponent, separator);
  }
  return text;
}

describe('Typing an amount', () => {
  test.each([
    ['12.34', 2, '.', '12.34', 1234n],
    ['12,34', 2, '.', '12.34', 1234n],
    ['12.34', 2, ',', '12,34', 1234n],
    ['12.345', 2, '.', '12.34', 1234n],
    ['.5', 2, '.', '0.5', 50n],
    ['007', 2, '.', '7', 700n],
    ['0.05', 2, '.', '0.05', 5n],
    ['750', 0, '.', '750', 750n],
    ['7.5', 0, '.', '75', 75n],
    ['1.2345', 3, '.', '1.234', 1234n],
    ['1..2', 2, '.', '1.2', 120n],
    ['-5', 2, '.', '5', 500n],
    ['1e3', 2, '.', '13', 1300n],
  ])('%s with %i decimals and "%s" becomes %s', (keys, exponent, separator, text, minor) => {
    const typed = typeIn(keys, exponent, separator);
    expect(typed).toBe(text);
    expect(parseAmount(typed, exponent, separator)).toBe(minor);
  });

  test('A pasted amount keeps its digits and loses its spaces', () => {
    expect(editAmount('1 234,50', '', 2, ',')).toBe('1234,50');
    expect(editAmount('1\u202f234,5', '', 2, ',')).toBe('1234,5');
    expect(editAmount('twelve', '3', 2, '.')).toBe('3');
  });

  test('Nothing above the server’s bound can be typed', () => {
    const digits = '9'.repeat(30);
    expect(parseAmount(typeIn(digits, 2, '.'), 2, '.')).toBeLessThanOrEqual(amountMaxMinor);
  });

  test('Nothing typed is zero', () => {
    expect(parseAmount('', 2, '.')).toBe(0n);
    expect(parseAmount('0.', 2, '.')).toBe(0n);
  });

  test('The pad writes what the keyboard writes, and erases', () => {
    let text = '';
    for (const key of ['1', '2', 'separator', '3', '4', '5'] as const) {
      text = pressPad(key, text, 2, ',');
    }
    expect(text).toBe('12,34');
    expect(pressPad('erase', text, 2, ',')).toBe('12,3');
    expect(pressPad('erase', '', 2, ',')).toBe('');
  });
});
