import { describe, expect, test } from 'vitest';
import { en } from '../../i18n/en';
import { fr } from '../../i18n/fr';
import { presenceText } from './presence';

const at = (year: number, month: number, date: number, hours = 12) => new Date(year, month - 1, date, hours).getTime();
const now = at(2026, 5, 21, 15);

describe('When somebody was there', () => {
  test.each([
    [now - 14 * 60_000, 'Last seen recently', 'En ligne récemment'],
    [at(2026, 5, 21, 9), 'Last seen today, about 09:00', 'Dernière connexion aujourd’hui, vers 09:00'],
    [at(2026, 5, 20, 23), 'Last seen yesterday, about 23:00', 'Dernière connexion hier, vers 23:00'],
    [at(2026, 3, 3), 'Last seen on 3 March', 'Dernière connexion le 3 mars'],
    [at(2024, 3, 3), 'Last seen on 3 March 2024', 'Dernière connexion le 3 mars 2024'],
  ])('%i is said coarsely', (lastSeen, english, french) => {
    expect(presenceText({ online: false, lastSeen }, now, en.presence, 'en-GB')).toBe(english);
    expect(presenceText({ online: false, lastSeen }, now, fr.presence, 'fr')).toBe(french);
  });

  test('Online is online, and what is not known is not said', () => {
    expect(presenceText({ online: true, lastSeen: null }, now, en.presence, 'en-GB')).toBe('Online');
    expect(presenceText({ online: false, lastSeen: null }, now, en.presence, 'en-GB')).toBeNull();
    expect(presenceText(null, now, fr.presence, 'fr')).toBeNull();
  });
});
