import { aminaPays, ids, stateCards } from '../fixtures/cards';
import { payScreens } from './payScreens';
import { securityScreens } from './securityScreens';
import { walletScreens } from './walletScreens';

/** Every screen of the client: where it is, in which scene, and what to do before looking at it. */
export type Screen = {
  name: string;
  scene: string;
  hash: string;
  /** Selectors to press, in order, once the screen is there. */
  press?: string[];
  /** Text to type: selector and text. */
  type?: [string, string][];
  /** What to type and press after that. */
  typeThen?: [string, string][];
  pressThen?: string[];
  /** A second look at what another entry shows already: for the eye, not for the accessibility test. */
  sameAs?: string;
  /** Scroll the thread to its top, in steps, to see it all. */
  scrollTop?: boolean;
  /** Scroll this into view before looking. */
  scrollTo?: string;
};

const c = (id: string, rest = '') => `#/c/${id}${rest}`;

export const screens: Screen[] = [
  { name: 'sign-in', scene: 'signedOut', hash: '#/sign-in' },
  { name: 'sign-up', scene: 'signedOut', hash: '#/sign-up' },
  {
    name: 'sign-up-errors',
    scene: 'signedOut',
    hash: '#/sign-up',
    press: ['button[type=submit]'],
    type: [
      ['input[name=username]', 'taken'],
      ['input[name=name]', 'Léa'],
      ['input[name=password]', 'aaaabbbbccccd'],
    ],
  },
  { name: 'pin-step', scene: 'noPin', hash: '#/sign-up' },
  {
    name: 'pin-step-refused',
    scene: 'noPin',
    hash: '#/sign-up',
    type: [
      ['[data-testid=pin-form] input[type=password] >> nth=0', '123456'],
      ['[data-testid=pin-form] input[type=password] >> nth=1', '123457'],
    ],
  },
  { name: 'new-device', scene: 'waiting', hash: '#/' },
  { name: 'new-device-no-pin', scene: 'waitingNoPin', hash: '#/' },
  { name: 'new-device-reset', scene: 'waiting', hash: '#/', press: ['footer button'] },
  { name: 'other-tab', scene: 'otherTab', hash: '#/' },
  { name: 'revoked', scene: 'revoked', hash: '#/' },
  { name: 'insecure', scene: 'insecure', hash: '#/' },
  { name: 'failed', scene: 'failed', hash: '#/' },
  { name: 'update', scene: 'update', hash: '#/' },
  { name: 'chats', scene: 'rich', hash: '#/' },
  { name: 'chats-search', scene: 'rich', hash: '#/', type: [['#chat-search', 'newperson']] },
  { name: 'chats-empty', scene: 'empty', hash: '#/' },
  { name: 'chats-loading', scene: 'loading', hash: '#/' },
  { name: 'chats-offline', scene: 'offline', hash: '#/' },
  { name: 'thread', scene: 'rich', hash: c(ids.amina) },
  { name: 'thread-group', scene: 'rich', hash: c(ids.group) },
  { name: 'thread-group-top', scene: 'rich', hash: c(ids.group), scrollTop: true, sameAs: 'thread-group' },
  { name: 'thread-empty', scene: 'rich', hash: c(ids.empty) },
  { name: 'thread-left', scene: 'rich', hash: c(ids.gone) },
  { name: 'thread-offline', scene: 'offline', hash: c(ids.amina), sameAs: 'chats-offline' },
  { name: 'thread-long', scene: 'rich', hash: c(ids.huge), sameAs: 'thread' },
  { name: 'cards-top', scene: 'rich', hash: c(ids.states), scrollTop: true },
  { name: 'cards-bottom', scene: 'rich', hash: c(ids.states), sameAs: 'cards-top' },
  { name: 'card-details', scene: 'rich', hash: c(ids.states, `/card/${stateCards[0]?.id}`) },
  { name: 'card-details-over', scene: 'rich', hash: c(ids.states, `/card/${stateCards[5]?.id}`) },
  { name: 'card-details-mismatch', scene: 'rich', hash: c(ids.states, `/card/${stateCards[12]?.id}`) },
  { name: 'card-details-unchecked', scene: 'rich', hash: c(ids.states, `/card/${stateCards[13]?.id}`) },
  { name: 'card-confirm', scene: 'rich', hash: c(ids.states), press: ['[data-testid=card-pay]'] },
  {
    name: 'card-confirm-pin',
    scene: 'rich',
    hash: c(ids.states, `/card/${stateCards[14]?.id}`),
    press: ['[data-testid=card-pane] [data-testid=card-pay]', '[data-testid=pay-confirm]'],
  },
  {
    name: 'details-group',
    scene: 'rich',
    hash: c(ids.group, '/details'),
    press: ['[data-testid=member]:nth-child(1) button >> nth=0'],
  },
  { name: 'details-direct', scene: 'rich', hash: c(ids.amina, '/details'), press: ['details summary >> nth=0'] },
  { name: 'details-safety', scene: 'rich', hash: c(ids.amina, '/details'), press: ['[data-testid=safety] summary'] },
  {
    name: 'details-scan',
    scene: 'rich',
    hash: c(ids.amina, '/details'),
    press: ['[data-testid=safety] summary', '[data-testid=scan-safety]'],
  },
  { name: 'thread-changed', scene: 'changed', hash: c(ids.amina) },
  { name: 'thread-changed-accept', scene: 'changed', hash: c(ids.amina), press: ['[data-testid=accept-keys]'] },
  { name: 'thread-stranger', scene: 'stranger', hash: c(ids.amina) },
  { name: 'thread-stranger-and-changed', scene: 'strangerAndChanged', hash: c(ids.group) },
  { name: 'thread-stranger-own', scene: 'ownStranger', hash: c(ids.amina) },
  { name: 'card-stranger', scene: 'stranger', hash: c(ids.amina, `/card/${aminaPays.id}`) },
  { name: 'pay-blocked-stranger', scene: 'stranger', hash: c(ids.amina, '/pay') },
  { name: 'pay-blocked', scene: 'changed', hash: c(ids.amina, '/pay') },
  { name: 'card-blocked', scene: 'changed', hash: c(ids.amina, `/card/${aminaPays.id}`) },
  { name: 'chats-alarm', scene: 'alarms', hash: '#/' },
  { name: 'new-direct', scene: 'rich', hash: '#/new?handle=amina', press: ['dialog button[type=submit]'] },
  {
    name: 'new-group',
    scene: 'rich',
    hash: '#/new/group',
    type: [
      ['dialog input >> nth=0', 'Hiking'],
      ['dialog input >> nth=1', 'tomas'],
    ],
    press: ['dialog button[type=submit]'],
  },
  ...payScreens,
  { name: 'wallet', scene: 'rich', hash: '#/wallet' },
  { name: 'wallet-statement', scene: 'rich', hash: '#/wallet/EUR' },
  { name: 'wallet-one', scene: 'empty', hash: '#/wallet' },
  { name: 'wallet-failing', scene: 'failing', hash: '#/wallet' },
  ...walletScreens,
  { name: 'settings', scene: 'rich', hash: '#/settings' },
  { name: 'settings-profile', scene: 'rich', hash: '#/settings/profile' },
  { name: 'settings-devices', scene: 'rich', hash: '#/settings/devices' },
  { name: 'settings-devices-hidden', scene: 'hiddenDevices', hash: '#/settings/devices' },
  {
    name: 'settings-devices-hidden-remove',
    scene: 'hiddenDevices',
    hash: '#/settings/devices',
    press: ['[data-testid=unlisted-device] button >> nth=0'],
  },
  {
    name: 'settings-revoke',
    scene: 'rich',
    hash: '#/settings/devices',
    press: ['[data-testid=device][data-current=false] button >> nth=0'],
  },
  {
    name: 'settings-approve',
    scene: 'rich',
    hash: '#/settings/devices',
    press: ['[data-testid=approve-device]'],
  },
  {
    name: 'settings-approve-scan',
    scene: 'rich',
    hash: '#/settings/devices',
    press: ['[data-testid=approve-device]', '[data-testid=scan-approval]'],
  },
  { name: 'settings-security', scene: 'rich', hash: '#/settings/security' },
  {
    name: 'settings-security-pin',
    scene: 'noPin',
    hash: '#/settings/security',
    press: ['[data-testid=pin-section] button'],
  },
  {
    name: 'settings-limit',
    scene: 'rich',
    hash: '#/settings/security',
    press: ['[data-testid=pin-limit] button >> nth=0'],
    scrollTo: '[data-testid=pin-limit]',
  },
  {
    name: 'settings-limit-raise',
    scene: 'rich',
    hash: '#/settings/security',
    press: ['[data-testid=pin-limit] button >> nth=0'],
    typeThen: [['[data-testid=pin-limit] input', '500']],
    pressThen: ['[data-testid=pin-limit] button[type=submit]'],
    scrollTo: '[data-testid=pin-limit]',
  },
  {
    name: 'settings-limit-earlier',
    scene: 'pinEarlier',
    hash: '#/settings/security',
    scrollTo: '[data-testid=pin-limit]',
  },
  { name: 'settings-security-alarms', scene: 'alarms', hash: '#/settings/security' },
  { name: 'security-renew', scene: 'rich', hash: '#/settings/security', press: ['[data-testid=renew-key]'] },
  {
    name: 'security-renew-pin',
    scene: 'archiveLocked',
    hash: '#/settings/security',
    press: ['[data-testid=renew-key]'],
  },
  {
    name: 'security-pin-first',
    scene: 'archiveLocked',
    hash: '#/settings/security',
    press: ['[data-testid=pin-section] button'],
  },
  { name: 'security-pin-void', scene: 'pinVoid', hash: '#/settings/security' },
  {
    name: 'security-pin-void-set',
    scene: 'pinVoid',
    hash: '#/settings/security',
    press: ['[data-testid=set-pin]'],
  },
  ...securityScreens,
  { name: 'security-operators', scene: 'operators', hash: '#/settings/security' },
  {
    name: 'security-attempts',
    scene: 'rich',
    hash: '#/settings/security',
    scrollTo: '[data-testid=attempt] >> nth=0',
    sameAs: 'settings-security',
  },
  {
    name: 'security-log',
    scene: 'rich',
    hash: '#/settings/security',
    scrollTo: '[data-testid=log]',
    sameAs: 'settings-security',
  },
  { name: 'security-behind', scene: 'behind', hash: '#/settings/security' },
  { name: 'security-archive-off', scene: 'rich', hash: '#/settings/security', press: ['[data-testid=archive-on]'] },
  { name: 'security-archive', scene: 'archiving', hash: '#/settings/security', scrollTo: '[data-testid=archive]' },
  {
    name: 'security-archive-delete',
    scene: 'archiving',
    hash: '#/settings/security',
    press: ['[data-testid=archive-off]'],
  },
  {
    name: 'security-archive-restoring',
    scene: 'restoring',
    hash: '#/settings/security',
    scrollTo: '[data-testid=archive]',
  },
  {
    name: 'security-archive-locked',
    scene: 'archiveLocked',
    hash: '#/settings/security',
    scrollTo: '[data-testid=archive]',
  },
  { name: 'chats-restoring', scene: 'restoring', hash: '#/' },
  { name: 'settings-password', scene: 'rich', hash: '#/settings/password' },
  { name: 'settings-privacy', scene: 'rich', hash: '#/settings/privacy' },
  { name: 'settings-display', scene: 'rich', hash: '#/settings/display' },
  { name: 'settings-about', scene: 'rich', hash: '#/settings/about' },
  { name: 'sign-out', scene: 'rich', hash: '#/settings', press: ['.out button'] },
  { name: 'not-found', scene: 'rich', hash: '#/nowhere/at/all' },
];
