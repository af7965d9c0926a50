import type { KeyAlarmKind, PinLoss } from '../state/contract';
import { pluraliser } from './plural';

const plural = pluraliser('en');

/** Words about PINs, devices and keys, in English. Refusals have the numbers of ChatPay.Core's `PinRefusal`. */
export const keysEn = {
  pin: {
    title: 'Choose a PIN',
    why: 'A PIN brings your account to a new device, even if you lose all the others. It never leaves this device.',
    kind: 'What kind',
    digits: 'Digits',
    passphrase: 'Passphrase',
    newPin: 'PIN',
    newPassphrase: 'Passphrase',
    hint: 'Six digits are good; 4 to 12 are possible.',
    passphraseHint: 'A few words that nobody would put together but you.',
    again: 'Once more',
    differ: 'The two are not the same.',
    set: 'Set PIN',
    change: 'Change PIN',
    setAgain: 'Set PIN again',
    elsewhere: (parts: number) =>
      plural(parts, {
        one: 'This PIN goes to another part of a vault than the one before: #\u00a0part.',
        other: 'This PIN goes to other parts of a vault than the one before: #\u00a0parts.',
      }),
    elsewhereOwn: 'This server’s operator runs all of them.',
    elsewhereAt: (operator: string, address: string) => `${operator}, at ${address}`,
    presentFirst:
      'Your PIN was set on another device. Enter it here first: it has the key of your history archive, which a new one would leave behind. If you do not know it any more, delete the archive before you set another.',
    archiveFirst:
      'The key of your history archive is not on this device, and your PIN, which would bring it, cannot be entered while other parts are named.',
    archiveFirstHow: [
      'If another device of yours takes part in the archive, set the PIN again on that one and enter it here. Or sign out here, sign in again and let that device approve this one.',
      'If none does, delete the archive; then you can set the PIN here.',
    ],
    remove: 'Remove PIN',
    removeElsewhere: 'It cannot be removed now: the server does not name the parts that have it.',
    removeTitle: 'Remove the PIN?',
    removeBody:
      'Then only another device of yours can bring your account to a new one. If you lose all your devices, you begin anew: your contacts are warned, and have to accept your new keys.',
    skip: 'Not now',
    skipped:
      'Without a PIN, only a device that you use already can let in a new one. If you lose them all, you begin anew and your contacts are warned. You can set one later in the settings.',
    stretching: 'Making guesses slow for everybody but you…',
    stretchingMore: 'About a second, on a phone a few.',
    isSet: 'Your PIN is set.',
    isRemoved: 'Your PIN is removed.',
    refusals: {
      1: 'Enter a PIN.',
      2: 'A PIN has at least four digits.',
      3: 'This is too long.',
      4: 'Many people choose this one, so it is guessed first. Choose another one.',
      5: 'Repeated digits are guessed early. Mix them.',
      6: 'Digits in a row are guessed early. Mix them.',
      7: 'This looks like a date, which people guess early. Choose digits that mean nothing.',
      8: 'Use digits only, or a longer passphrase.',
      9: 'This passphrase is too long.',
      10: 'This passphrase is easily guessed. Add words that have nothing to do with each other.',
    } as Record<number, string>,
  },

  newDevice: {
    title: 'Let this device in',
    body: 'You are signed in. Your conversations are locked with keys that this device does not have yet.',
    byPin: 'With your PIN',
    pinLabel: 'PIN or passphrase',
    enter: 'Continue',
    guessesLeft: (count: number) =>
      count === 1
        ? '1 guess left, then the PIN is destroyed'
        : count === 0
          ? 'No guesses are left now'
          : plural(count, { one: '# guess left', other: '# guesses left' }),
    wrong: 'This is not your PIN.',
    byDevice: 'With another device',
    byDeviceSteps: [
      'On a device that you use already, open Settings, then Devices.',
      'Press “Approve a device”, and scan this code or bring its text there.',
    ],
    codeLabel: 'Code of this device',
    waiting: 'This page goes on by itself once you have approved it.',
    lost: 'Neither PIN nor another device?',
    reset: 'Begin anew',
    resetTitle: 'Begin anew on this device?',
    resetBody: [
      'Your account gets new keys. All your other devices are removed, and messages from before stay unreadable here.',
      'Everybody you talk with is warned, and cannot write or pay to you until they accept your new keys. Your money and contacts stay.',
    ],
    qr: 'QR code of this device',
  },

  approve: {
    action: 'Approve a device',
    title: 'Approve a device',
    body: 'Scan the code that the new device shows, or copy it and paste it here. Only approve a device that is in your hands.',
    code: 'Code',
    next: 'Continue',
    ask: (name: string) => `Give ${name} your keys?`,
    askBody: [
      'It can then read your conversations from now on, write and pay in your name, and let in other devices.',
      'Do this only if you see the code on its screen yourself.',
    ],
    confirm: 'Approve',
    done: (name: string) => `${name} is approved. It goes on by itself.`,
    notYet: 'Not approved yet',
  },

  unlisted: {
    name: 'Device without a name',
    standing: {
      vouched:
        'Your keys vouch for it, but the server does not list it. It may have been signed out, or the server may be hiding it. If you do not use it, remove it.',
      unknown:
        'It is in conversations in your name, but your keys do not know it and the server does not list it. Somebody may be reading along: remove it.',
      removed: 'It was removed from your keys, but it is still in conversations. Remove it from there too.',
    },
    conversations: (count: number) => plural(count, { one: 'In # conversation', other: 'In # conversations' }),
    inNone: 'In no conversation',
    removeLabel: (key: string) => `Remove the device with the key ${key}`,
    removeTitle: 'Remove this device?',
    removeBody:
      'Your keys stop vouching for it, and ChatPay puts it out of every conversation itself, without waiting for the server. What it has read already stays with it.',
    done: 'The device was removed, and is in none of your conversations any more.',
  },

  security: {
    page: 'Security',
    alarms: 'Needs your attention',
    banner: 'Something about your keys needs your attention.',
    look: 'Look',
    looked: 'I know, that is fine',
    dismiss: 'Dismiss',
    alarm: {
      logForked:
        'The server has shown different people different histories of its key log. Do not trust new keys for now.',
      logShrunk: 'The server’s key log has lost entries that this device has seen.',
      logReplaced: 'The server began a new key log.',
      chainInvalid: 'The server showed keys that do not fit what it showed before. ChatPay did not take them.',
      ownKeysChanged: 'Your keys were changed on another device.',
      identityUnlogged: 'Somebody showed keys that the server’s key log does not know.',
      logOther: 'Somebody in one of your conversations says to have seen another key log.',
      ledgerForked:
        'The server has shown two histories of its ledger’s log. Keep your receipts: they prove it to anybody.',
      ledgerReplaced: 'The server began a new ledger log, and signs receipts with another key.',
      logUnproven:
        'For a day the server has not shown that somebody in one of your conversations sees the same key log as you.',
      chainWithheld: 'For a day the server has not shown that the keys of somebody you talk to are in its key log.',
      pinGuessed: 'Somebody tried your PIN on another device, and it was wrong.',
      pinWait: 'Somebody who is signed in to your account wants your PIN replaced without your keys.',
      pinOpened: 'Somebody who knows your PIN opened the vault, on a device that your keys do not vouch for.',
      pinLost: 'The vault does not have your PIN any more.',
      realmsOther: 'The server now names other parts for the PIN vault than those where you set your PIN.',
      realmLied: 'A part of the PIN vault gave an answer that no honest one gives. The others were enough without it.',
    },
    alarmMore: {
      logReplaced: 'What the earlier one proved is not proved by this one; ask whoever runs it why.',
      ownKeysChanged: 'If that was you, all is well.',
      ledgerReplaced: 'What the earlier one proved is not proved by this one; ask whoever runs it why.',
      logOther: 'Either they are shown another one, or it is not true.',
      logUnproven: 'It may be overloaded, or hide something. Compare safety numbers before you trust new keys.',
      chainWithheld: 'They may be somebody else’s. Compare safety numbers before you write or pay on.',
      pinWait: 'That takes a wait, which you can stop: do so if it is not you, and then change your password.',
      pinOpened:
        'If that was not you, change your PIN and renew your identity key now: what the PIN brings back is in other hands.',
      pinLost: 'It brings your account to no new device until you set it again. Nothing else was lost.',
      realmsOther:
        'Either its operator has changed them: ask them. Or somebody is after your PIN. ChatPay has told the new ones nothing of it, and has changed nothing where it was set; setting it again would give it to the new ones.',
      realmLied: 'Your PIN is not lost. Tell whoever runs this server.',
    } as Partial<Record<KeyAlarmKind, string>>,
    ownUnlogged: 'A device that your keys do not know is in a conversation in your name.',
    ownUnloggedMore: 'Nothing is sent or paid there until you remove it.',
    notMe: 'If it was not you: change your password, remove devices that you do not know, and set a new PIN.',
    about: (name: string) => `It is about ${name}.`,
    change: {
      identity: 'New identity key',
      identityReset: 'The identity was begun anew',
      deviceAdded: (name: string) => `Device added: ${name}`,
      deviceRevoked: (name: string) => `Device removed: ${name}`,
      pin: 'The PIN was set or removed',
    },
    unknownDevice: 'a device that is no longer there',
    pin: 'PIN',
    pinOn: 'Set. It brings your account to a new device.',
    pinVoid:
      'Set your PIN again. The last time it could not be finished: the PIN that the vault has now brings nothing back to a new device.',
    pinVoidArchive:
      'The key of your history archive is not on this device. Set the PIN on a device that takes part in the archive, if you have one: it then goes with it.',
    pinLost: {
      exhausted:
        'Set your PIN again. All its guesses were used up, so the vault has destroyed what it kept of it: it brings your account to no new device. Nothing else was lost. If those guesses were not yours, change your password too.',
      locked:
        'Set your PIN again. The vault was restored from a backup and keeps your PIN closed, since guesses made after the backup would count for nothing: it brings your account to no new device. Nothing else was lost.',
      missing:
        'Set your PIN again. Your keys name one, but the vault has none: it brings your account to no new device. Nothing else was lost. Ask whoever runs this server what became of it.',
      realms_other:
        'The server now names other parts for the PIN vault than those where you set your PIN. Either its operator has changed them: ask them. Or somebody is after your PIN. ChatPay has changed nothing where it was set, but while others are named it brings your account to no new device. Setting it again gives it to the new ones.',
    } satisfies Record<PinLoss, string>,
    pinOff: 'Not set. Only another device of yours can let in a new one.',
    vault: 'Where the PIN is kept',
    operator: (parts: number) =>
      `The vault has ${parts} parts, and one operator runs all of them: this server’s. Each part destroys what it keeps after ten wrong guesses. The operator itself could try PINs without that limit, so a passphrase is safer if you do not trust it.`,
    operators: (parts: number, operators: number, together: number) =>
      together === 1
        ? `The vault has ${parts} parts, and this server names ${operators} operators. One of them runs so many that it could try PINs without limit by itself, so a passphrase is safer if you do not trust it. Each part destroys what it keeps after ten wrong guesses.`
        : `The vault has ${parts} parts, and this server names ${operators} operators. ${together} of them would have to work together to try PINs without limit. Each part destroys what it keeps after ten wrong guesses.`,
    hosts: 'Who runs the parts',
    answering: (answering: number, parts: number) => `${answering} of ${parts} parts answer now.`,
    attempts: 'Guesses of your PIN',
    noAttempts: 'Nobody has tried your PIN.',
    attemptsShown: (shown: string, all: string) => `${all} guesses in all; the newest ${shown} are shown.`,
    moreAttempts: 'Show more',
    outcome: { open: 'Wrong PIN, or not finished', succeeded: 'Right PIN', failed: 'Wrong PIN' },
    guesses: (count: number) => plural(count, { one: '# guess left', other: '# guesses left' }),
    clear: 'Give back guesses',
    devices: 'Devices',
    devicesBody: (count: number) =>
      plural(count, { one: '# device has your keys.', other: '# devices have your keys.' }),
    devicesLink: 'See devices',
    identity: 'Your identity key',
    identityBody: 'It vouches for each of your devices. Your contacts see the same one, as part of your safety number.',
    log: 'Key log',
    logBody:
      'Every change of anybody’s keys goes into a public log that cannot be changed afterwards without being noticed. This device checks it.',
    logState: (entries: string, ago: string) => `${entries} entries, checked ${ago}.`,
    logNone: 'Not checked yet.',
    logGood: 'All that was checked fits.',
  },

  person: {
    title: 'Safety number',
    body: (name: string) =>
      `If ${name} sees the same number in their details of this conversation, nobody sits between you. Scan their code when you meet, or compare the number on a call.`,
    show: 'Show safety number',
    none: (name: string) => `${name} has not shown a key yet. The number appears once they have.`,
    qr: 'QR code of the safety number',
    verify: 'We compared: it is the same',
    unverify: 'Take the mark away',
    verified: 'Compared',
    verifiedLong: (name: string) => `You have compared the safety number with ${name}.`,
    unlogged: 'The server’s key log does not know this key yet.',
    changedTitle: (name: string) => `${name} has new keys`,
    changedBody: (name: string) =>
      `This happens when somebody loses all their devices and begins anew. It can also mean that somebody else is pretending to be ${name}. Until you accept the new keys, nothing is sent or paid in this conversation. If in doubt, ask ${name} in another way.`,
    strangerTitle: (name: string) => `An unknown device in the name of ${name}`,
    strangerBody: (name: string) =>
      `The keys of ${name} do not know a device that is in this conversation. It could read what you write, so nothing is sent or paid here while it is there. Ask ${name} in another way to remove it, under Settings, Devices.`,
    strangerGroup: (name: string) => `An owner of this group can also remove ${name} with all devices.`,
    ownStrangerTitle: 'An unknown device in your name',
    ownStrangerBody:
      'Your keys do not know a device that is in this conversation. It could read what you write, so nothing is sent or paid here while it is there. Remove it under Settings, Devices: it shows there also if the server hides it.',
    accept: 'Accept new keys',
    compare: 'Compare first',
    acceptTitle: (name: string) => `Accept the new keys of ${name}?`,
    acceptBody: (name: string) =>
      `You can write and pay again. What you send can be read by whoever holds the new keys. The “compared” mark of ${name} is taken away.`,
  },
};
