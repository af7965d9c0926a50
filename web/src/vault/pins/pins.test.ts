import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { concat, utf8 } from '../../protocol/bytes';
import { VaultLimits } from '../limits';
import { pinOf } from '../testing/testVault';
import { commonCodes } from './commonCodes';
import { commonWords } from './commonWords';
import { readPin } from './pin';
import { judgePin } from './policy';
import { PinRefusal } from './refusal';

const core = new URL('../../../../ChatPay.Core/', import.meta.url);

describe('what was typed', () => {
  for (const [typed, digits] of [
    ['480213', '480213'],
    [' 480 213 ', '480213'],
    ['48-02-13', '480213'],
    ['４８０２１３', '480213'],
    ['٤٨٠٢١٣', '480213'],
    ['۴۸۰۲۱۳', '480213'],
    ['४८०२१३', '480213'],
    ['0000', '0000'],
    ['123456789012', '123456789012'],
  ] as const) {
    it(`is read as the digits that it means: ${typed}`, () => {
      expect(pinOf(typed)).toEqual({ kind: 'digits', bytes: concat(Uint8Array.of(1), utf8(digits)), text: digits });
    });
  }

  for (const [typed, text] of [
    ['  correct horse battery ', 'correct horse battery'],
    ['cafe\u0301 du marche\u0301', 'café du marché'],
    ['1234567890123', '1234567890123'],
    ['lone \uD800 surrogate', 'lone \uFFFD surrogate'],
  ] as const) {
    it(`is a passphrase in normal form without the spaces around it: ${text}`, () => {
      expect(pinOf(typed)).toEqual({ kind: 'passphrase', bytes: concat(Uint8Array.of(2), utf8(text)), text });
    });
  }

  for (const [typed, expected] of [
    ['', PinRefusal.empty],
    [' \t ', PinRefusal.empty],
    ['123', PinRefusal.tooShort],
    ['12a4', PinRefusal.passphraseTooShort],
    ['--', PinRefusal.passphraseTooShort],
    ['a'.repeat(129), PinRefusal.passphraseTooLong],
    ['7'.repeat(VaultLimits.pinTextMaxChars + 1), PinRefusal.tooLong],
  ] as const) {
    it(`can be no PIN: ${typed.slice(0, 10)}`, () => {
      expect(readPin(typed)).toEqual({ pin: null, refusal: expected });
    });
  }

  it('is counted in characters and not in units', () => {
    expect(readPin('🦊'.repeat(9)).refusal).toBe(PinRefusal.passphraseTooShort);
    expect(readPin('🦊'.repeat(128)).refusal).toBe(PinRefusal.none);
    expect(readPin('🦊'.repeat(129)).refusal).toBe(PinRefusal.passphraseTooLong);
  });
});

describe('the policy', () => {
  const { common, repeated, sequential, birthdayLike, none, passphraseCommon } = PinRefusal;
  const cases: [PinRefusal, string[]][] = [
    [repeated, ['0000', '1212', '583583', '47474', '474447']],
    [sequential, ['1234', '4321', '890123', '2468', '987654321', '123456789012']],
    [birthdayLike, ['1987', '2019', '2702', '0227', '270287', '022787', '870227', '021987', '198702']],
    [birthdayLike, ['27021987', '02271987', '19870227']],
    [common, ['2580', '6969', '1004', '112233', '147258']],
    [none, ['8035', '480279', '310279', '48021379']],
    // Those of PasswordRuleTests.
    [passphraseCommon, ['passwordpassword', 'password123', 'Password1234!', 'P@ssw0rd2024!', 'p4ssw0rdp4ssw0rd']],
    [passphraseCommon, ['password123456789', 'iloveyou2024', 'iloveyou123456', 'welcome2025!!', 'Sunshine1234']],
    [passphraseCommon, ['liverpool1892', 'michaeljordan23', 'qwertyuiop', 'Qwertyuiop1', 'azertyuiop123']],
    [passphraseCommon, ['qwerty123456', '1qaz2wsx3edc', 'zaq12wsxcde3', "asdfghjkl;'", 'aaaaaaaaaaaa']],
    [
      passphraseCommon,
      ['abababababab', 'abcdefghij', 'xk7xk7xk7xk7', 'jetaime2024!', 'chatpaychatpay', 'letmein12345'],
    ],
    [none, ['crocus ladder ninety pebble', 'kb82xd47vf19', 'correct horse battery staple', 'walrus-teapot-94']],
    [none, ['k8#vTz!2qLw0', 'une loutre sous la pluie', 'пароль для лодки']],
  ];
  for (const [expected, texts] of cases) {
    for (const typed of texts) {
      it(`says ${expected} to ${typed}`, () => {
        expect(judgePin(pinOf(typed), 'anna')).toBe(expected);
      });
    }
  }

  it('takes the handle for a common word', () => {
    for (const [typed, handle] of [
      ['marguerite1', 'marguerite'],
      ['xx-Marguerite-xx', 'marguerite'],
      ['marguerite99', 'mar_guerite'],
      ['bob1234567', 'bob'],
    ] as const) {
      expect(judgePin(pinOf(typed), handle), typed).toBe(passphraseCommon);
    }
  });

  it('leaves most PINs to choose from, as many as ChatPay.Core does', () => {
    let refused = 0;
    for (let number = 0; number < 10_000; number++) {
      refused += judgePin(pinOf(String(number).padStart(4, '0')), 'anna') === none ? 0 : 1;
    }
    expect(refused).toBeGreaterThan(700);
    expect(refused).toBeLessThan(1500);
  });

  it('knows the words and codes of ChatPay.Core', () => {
    const words = readFileSync(new URL('Accounts/common-words.txt', core), 'utf8').split(/\s+/);
    expect([...commonWords].sort()).toEqual([...new Set(words.filter((word) => word.length >= 3))].sort());
    const source = readFileSync(new URL('Vault/Pins/PinPolicy.cs', core), 'utf8');
    const list = /s_common =\s*\[([^\]]*)\]/.exec(source)?.[1] ?? '';
    expect([...commonCodes]).toEqual([...list.matchAll(/"(\d+)"/g)].map(([, code]) => code));
  });
});
