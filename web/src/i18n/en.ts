import { archiveEn } from './archive.en';
import { bookEn } from './book.en';
import { codesEn } from './codes.en';
import { confirmEn } from './confirm.en';
import { type ErrorName, errorsEn } from './errors.en';
import { keysEn } from './keys.en';
import { kindsEn } from './kinds.en';
import { moneyEn } from './money.en';
import { lister, pluraliser } from './plural';
import { receiptEn } from './receipt.en';
import { renewalEn } from './renewal.en';
import { scanEn } from './scan.en';
import { vaultEn } from './vault.en';

const plural = pluraliser('en');
const list = lister('en');

/**
 * Every word the client shows, in English. The type of this object is the contract for the other languages: a key that
 * is missing there does not compile. Names of people come in as arguments, never as parts of a key.
 */
export const en = {
  error: errorsEn as Record<ErrorName, string>,

  common: {
    appName: 'ChatPay',
    back: 'Back',
    cancel: 'Cancel',
    close: 'Close',
    retry: 'Try again',
    save: 'Save',
    saved: 'Saved',
    done: 'Done',
    remove: 'Remove',
    add: 'Add',
    copy: 'Copy',
    copied: 'Copied',
    loading: 'Loading…',
    you: 'You',
    optional: 'optional',
    skipToContent: 'Skip to content',
    showMore: 'Show all',
    showLess: 'Show less',
    playMoney: 'Play money',
    playMoneyLong: 'This server hands out play money for trying things. It is worth nothing anywhere else.',
    moneyNotMoved: 'No money moved.',
    moneyUnknown: 'We do not know yet whether money moved: the conversation and the wallet will show it.',
    list: (items: string[]) => list(items),
  },

  nav: {
    label: 'Main',
    chats: 'Chats',
    wallet: 'Wallet',
    settings: 'Settings',
    unread: (count: number) => plural(count, { one: '# unread message', other: '# unread messages' }),
  },

  connection: {
    offline: 'No connection. Messages leave when it is back.',
    connecting: 'Connecting…',
    retryIn: (seconds: number) =>
      plural(seconds, { one: 'Trying again in # second', other: 'Trying again in # seconds' }),
    retryNow: 'Try now',
    back: 'Connected again.',
  },

  entry: {
    tagline: 'Talk and pay in one place. Only the people in a conversation can read it.',
    signInTitle: 'Welcome back',
    signUpTitle: 'Create your account',
    handle: 'Handle',
    handleHint: 'How others find you: 3 to 32 small letters, digits or _.',
    displayName: 'Name',
    displayNameHint: 'What others see. You can change it later.',
    password: 'Password',
    passwordHint: 'At least 10 characters. A few words in a row are easy to remember and hard to guess.',
    passwordShort: (missing: number) => plural(missing, { one: '# more character', other: '# more characters' }),
    passwordWeak: 'Easy to guess: mix it up more.',
    passwordFair: 'Good. Longer is better still.',
    passwordStrong: 'Strong.',
    showPassword: 'Show password',
    hidePassword: 'Hide password',
    signIn: 'Sign in',
    signUp: 'Create account',
    signingIn: 'Signing in…',
    signingUp: 'Making your keys…',
    noAccount: 'New here?',
    haveAccount: 'Already have an account?',
    promiseTitle: 'Private',
    promise: 'Messages are locked on your device and opened on theirs. The server cannot read them.',
    promiseMoneyTitle: 'Exact',
    promiseMoney: 'A payment is a card in the conversation. It shows what the ledger says, and nothing else.',
    newDeviceNote:
      'This browser becomes a new device: have your PIN or another of your devices at hand. Earlier messages stay on the devices that have them.',
    required: 'Please fill this in.',
  },

  otherTab: {
    title: 'ChatPay is open in another tab',
    body: 'Your keys can be used by one tab at a time, so that no message gets lost. Use ChatPay there, or move it here.',
    action: 'Use it here',
  },

  revoked: {
    title: 'This device was removed',
    body: 'Somebody signed in to your account removed this browser from its devices. Everything it held has been deleted here. Your messages and money are safe on your other devices.',
    notYou: 'If that was not you, sign in and change your password.',
    action: 'Sign in again',
  },

  insecure: {
    title: 'ChatPay needs a secure address',
    body: 'Browsers encrypt only on pages that come over https, or from this very machine. Open ChatPay by its https address, or ask whoever runs this server for it.',
  },

  failed: {
    title: 'ChatPay could not start here',
    body: 'It keeps your keys and messages in this browser, which private windows and strict settings may forbid. Allow storage for this site or use an ordinary window, then try again.',
    action: 'Try again',
  },

  update: {
    body: 'There is a new version of ChatPay.',
    action: 'Reload',
  },

  notFound: {
    title: 'Nothing here',
    body: 'This address leads nowhere, or to something you are not part of.',
    action: 'Go to your chats',
  },

  chats: {
    title: 'Chats',
    search: 'Search chats or enter a handle',
    searchKey: (mac: boolean) => (mac ? '⌘K' : 'Ctrl K'),
    clearSearch: 'Clear search',
    newChat: 'New chat',
    noMatch: (query: string) => `No chat matches “${query}”.`,
    startWith: (handle: string) => `Start a chat with @${handle}`,
    emptyTitle: 'No conversations yet',
    emptyBody: 'Say hello to somebody. You only need their handle.',
    emptyAction: 'Start a chat',
    shareHandle: 'Others find you as',
    pickTitle: 'Pick a conversation',
    pickBody: 'Or start a new one with somebody’s handle.',
    welcome: (name: string) => `Hello, ${name}`,
    draft: 'Draft:',
    you: 'You:',
    typing: 'typing…',
    encrypted: 'Cannot be read on this device',
    noMessages: 'No messages yet',
    left: 'You are no longer in this group',
    more: 'Show more chats',
  },

  newChat: {
    title: 'New chat',
    groupTitle: 'New group',
    handle: 'Handle',
    handlePlaceholder: 'amina',
    handleHint: 'The other person’s handle, with or without @.',
    find: 'Find',
    open: 'Open chat',
    makeGroup: 'New group instead',
    makeDirect: 'Chat with one person instead',
    groupName: 'Group name',
    groupNameHint: 'Only its members can read it.',
    people: 'People',
    addPerson: 'Add person',
    noPeople: 'Add people by their handle. You can add more later.',
    create: (count: number) => plural(count + 1, { one: 'Create group', other: 'Create group of #' }),
    creating: 'Creating…',
    already: 'Already in the list.',
    yourself: 'This is you.',
    removePerson: (name: string) => `Remove ${name}`,
  },

  presence: {
    online: 'Online',
    recently: 'Last seen recently',
    seen: {
      today: (time: string) => `Last seen today, about ${time}`,
      yesterday: (time: string) => `Last seen yesterday, about ${time}`,
      on: (date: string) => `Last seen on ${date}`,
    },
  },

  thread: {
    messages: (title: string) => `Conversation with ${title}`,
    members: (count: number) => plural(count, { one: '# member', other: '# members' }),
    typingOne: (name: string) => `${name} is typing…`,
    typingMany: (names: string[]) => `${list(names)} are typing…`,
    details: 'Details',
    pay: 'Send or request money',
    composer: 'Message',
    composerHint: 'Write a message',
    send: 'Send',
    tooLong: (over: number) => plural(over, { one: '# character too long', other: '# characters too long' }),
    left: 'You are no longer in this group. You can still read what was said before.',
    unread: 'New messages',
    newest: 'Go to the newest message',
    newBelow: (count: number) => plural(count, { one: '# new message', other: '# new messages' }),
    earlier: 'Load earlier messages',
    loadingEarlier: 'Loading earlier messages…',
    start: 'This is the beginning of the conversation.',
    startEncrypted: 'Messages and memos are end-to-end encrypted: only people in this conversation can read them.',
    emptyTitle: (name: string) => `Say hello to ${name}`,
    emptyGroup: 'Say hello to everyone',
    failed: 'Not sent',
    retry: 'Try again',
    discard: 'Delete',
    says: (name: string, text: string) => `${name}: ${text}`,
    saysCard: (name: string) => `${name} posted a payment`,
    send_state: {
      sending: 'Sending',
      sent: 'Sent',
      delivered: 'Delivered',
      read: 'Read',
      failed: 'Not sent',
    },
    undecryptable: {
      beforeJoin: 'Sent before this device was added, so it cannot be read here.',
      failed: 'This message could not be opened. Ask for it to be sent again.',
      newerVersion: 'Sent by a newer version of ChatPay. Reload the page to read it.',
      senderMismatch: 'This message is not from who it claims to be, so it is not shown.',
    },
  },

  notice: {
    created: (by: string, mine: boolean) => (mine ? 'You started the conversation' : `${by} started the conversation`),
    added: (by: string, mine: boolean, others: string[], me: boolean) =>
      `${mine ? 'You' : by} added ${list(me ? ['you', ...others] : others)}`,
    removed: (by: string, mine: boolean, others: string[], me: boolean) =>
      `${mine ? 'You' : by} removed ${list(me ? ['you', ...others] : others)}`,
    left: (people: string[]) => `${list(people)} left`,
    youLeft: 'You left the group',
    renamed: (by: string, mine: boolean, name: string) =>
      mine ? `You named the group “${name}”` : `${by} named the group “${name}”`,
    nowOwner: (person: string, me: boolean) => (me ? 'You are now an owner' : `${person} is now an owner`),
    nowMember: (person: string, me: boolean) => (me ? 'You are no longer an owner' : `${person} is no longer an owner`),
    deviceAdded: (person: string, mine: boolean) => (mine ? 'You added a device' : `${person} added a device`),
    deviceRemoved: (person: string, mine: boolean) => (mine ? 'You removed a device' : `${person} removed a device`),
    retention: (by: string, mine: boolean, days: number | null) =>
      days === null
        ? `${mine ? 'You' : by} let the server decide how long it keeps messages`
        : `${mine ? 'You' : by} set the server to keep messages for ${days === 1 ? 'one day' : `${days} days`}`,
    removedMeanwhile: 'Some messages were removed from the server before this device could get them',
    historyStartsHere: 'Earlier messages were sent before this device was added',
  },

  details: {
    title: 'Details',
    members: 'Members',
    roleOwner: 'Owner',
    roleMember: 'Member',
    addPeople: 'Add people',
    rename: 'Rename group',
    name: 'Group name',
    leave: 'Leave group',
    leaveTitle: 'Leave this group?',
    leaveBody:
      'You will not get its messages any more. What is on this device stays readable. Payments already made stay as they are.',
    leaveOwner: 'You are its only owner: the member who has been here longest becomes owner.',
    remove: (name: string) => `Remove ${name}`,
    removeTitle: (name: string) => `Remove ${name} from the group?`,
    removeBody: 'They will not get new messages. They keep what they have already received.',
    makeOwner: 'Make owner',
    makeMember: 'Make member',
    actions: (name: string) => `Actions for ${name}`,
    keys: 'Device keys',
    keysBody:
      'Each device has its own key, for which its owner’s identity key vouches. The safety number stands for all of them.',
    keysOf: (name: string) => `Device keys of ${name}`,
    noKeys: 'No devices in this conversation yet.',
    device: (number: number) => `Device ${number}`,
    encryption: 'End-to-end encrypted',
    encryptionBody:
      'Messages, memos and the group’s name can be read only by its members. Amounts and who pays whom are known to the server, because it keeps the ledger.',
    removedPerson: 'No longer here',
    message: 'Message',
  },

  pay: moneyEn.pay,

  confirm: confirmEn,

  card: moneyEn.card,

  kinds: kindsEn,

  wallet: moneyEn.wallet,

  book: bookEn,

  receipt: receiptEn,

  settings: {
    title: 'Settings',
    pick: 'Choose what to change.',
    pages: {
      profile: 'Profile',
      devices: 'Devices',
      security: 'Security',
      password: 'Password',
      privacy: 'Privacy',
      display: 'Language and look',
      about: 'About encryption',
    },
    name: 'Name',
    nameHint: 'What others see in conversations.',
    handle: 'Handle',
    handleFixed: 'Your handle cannot be changed.',
    devicesBody:
      'Each browser you sign in with is a device with keys of its own. Remove those you do not use any more.',
    thisDevice: 'This device',
    deviceSeen: (ago: string) => `Last seen ${ago}`,
    deviceAdded: (date: string) => `Added ${date}`,
    fingerprint: 'Key',
    revoke: 'Remove',
    revokeLabel: (name: string) => `Remove ${name}`,
    revokeTitle: (name: string) => `Remove ${name}?`,
    revokeBody:
      'It is signed out at once and gets no more messages. What it holds is deleted the next time it connects.',
    revokedDone: (name: string) => `${name} was removed.`,
    currentPassword: 'Current password',
    newPassword: 'New password',
    repeatPassword: 'New password again',
    passwordsDiffer: 'The two new passwords differ.',
    passwordBody: 'Changing it signs out your other sessions.',
    changePassword: 'Change password',
    passwordChanged: 'Your password has been changed.',
    presence: 'Who sees when you are online',
    presenceContacts: 'My contacts',
    presenceNobody: 'Nobody',
    presenceBody:
      'Contacts are the people you share a conversation with. They see whether you are online and, roughly, when you last were.',
    presenceHidden: 'While nobody sees you, you do not see when others are online either.',
    language: 'Language',
    theme: 'Look',
    automatic: 'Automatic',
    themeLight: 'Light',
    themeDark: 'Dark',
    signOut: 'Sign out',
    signOutTitle: 'Sign out of this browser?',
    signOutBody:
      'This browser’s keys and the messages stored here are deleted. They stay on your other devices; if this is your only one, they are gone. Your money and your contacts are not affected.',
    signOutConfirm: 'Sign out and delete',
    signingOut: 'Signing out…',
    aboutBody: [
      'Every message is locked on your device and can be opened only by the devices of the people in the conversation. The server carries it without being able to read it.',
      'The same holds for memos and group names. The server does know who talks with whom and when, and it keeps the ledger: who paid whom, how much, and when.',
      'Messages live on your devices only. A new device starts with what is said from then on.',
      'To be sure that nobody sits in between, compare the safety number in the details of a conversation.',
    ],
  },

  renewal: renewalEn,
  archive: archiveEn,
  scan: scanEn,
  codes: codesEn,
  vault: vaultEn,
  keys: keysEn,
};

export type Catalogue = typeof en;
