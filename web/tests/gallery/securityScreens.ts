import { ids } from '../fixtures/cards';
import type { Screen } from './screens';

const security = '#/settings/security';

/** A PIN that the vault has lost, a part of it that lies, keys that are withheld, and a number that is another one. */
export const securityScreens: Screen[] = [
  { name: 'security-pin-exhausted', scene: 'pinExhausted', hash: security },
  {
    name: 'security-pin-exhausted-state',
    scene: 'pinExhausted',
    hash: security,
    scrollTo: '[data-testid=pin-section]',
    sameAs: 'security-pin-exhausted',
  },
  { name: 'security-pin-lost-set', scene: 'pinExhausted', hash: security, press: ['[data-testid=set-lost-pin]'] },
  { name: 'security-pin-locked', scene: 'pinLocked', hash: security },
  { name: 'security-pin-missing', scene: 'pinMissing', hash: security },
  { name: 'security-realms-other', scene: 'realmsOther', hash: security },
  {
    name: 'security-realms-other-set',
    scene: 'realmsOtherHosts',
    hash: security,
    press: ['[data-testid=set-pin]'],
    scrollTo: '[data-testid=pin-section]',
  },
  {
    name: 'security-void-elsewhere',
    scene: 'pinVoidElsewhere',
    hash: security,
    press: ['[data-testid=set-pin]'],
    scrollTo: '[data-testid=pin-section]',
  },
  {
    name: 'security-archive-elsewhere',
    scene: 'archiveElsewhere',
    hash: security,
    press: ['[data-testid=set-pin]'],
    scrollTo: '[data-testid=pin-section]',
  },
  {
    name: 'security-attempts-many',
    scene: 'attemptsMany',
    hash: security,
    press: ['[data-testid=more-attempts]'],
    scrollTo: '[data-testid=attempt]:nth-child(106)',
  },
  { name: 'new-device-elsewhere', scene: 'waitingElsewhere', hash: '#/' },
  {
    name: 'new-device-lied-wrong',
    scene: 'pinLiedWrong',
    hash: '#/',
    type: [['[data-testid=pin-entry] input', '480270']],
    press: ['[data-testid=pin-entry] button[type=submit]'],
  },
  {
    name: 'new-device-disagrees',
    scene: 'pinDisagrees',
    hash: '#/',
    type: [['[data-testid=pin-entry] input', '480279']],
    press: ['[data-testid=pin-entry] button[type=submit]'],
  },
  { name: 'security-keys-withheld', scene: 'keysWithheld', hash: security },
  { name: 'new-device-exhausted', scene: 'waitingExhausted', hash: '#/' },
  { name: 'new-device-locked', scene: 'waitingLocked', hash: '#/' },
  {
    name: 'new-device-lied',
    scene: 'pinLied',
    hash: '#/',
    type: [['[data-testid=pin-entry] input', '480279']],
    press: ['[data-testid=pin-entry] button[type=submit]'],
  },
  {
    name: 'details-safety-other',
    scene: 'otherNumber',
    hash: `#/c/${ids.bashir}/details`,
    press: ['[data-testid=safety] summary', '[data-testid=mark-verified]'],
    scrollTo: '[data-testid=safety-differs]',
  },
];
