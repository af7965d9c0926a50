import { pluraliser } from './plural';

const plural = pluraliser('en');

/** Words about the history archive, in English. */
export const archiveEn = {
  title: 'History archive',
  off: 'Off. A new device begins with what is written from then on.',
  why: 'The archive keeps your messages on this server, sealed with a key that only your devices and your PIN have. A new device then gets your history back.',
  costsTitle: 'What you give up for it',
  costs: [
    'Whoever has your PIN and your password can read all that is kept, not only what comes from then on.',
    'The operator of this server could try PINs, if it runs enough of the vault’s parts or has them work together. A passphrase makes that far harder.',
    'Whoever has one of your devices, or had it, keeps the key. A device that you lose or remove can also read what is kept afterwards, if it gets at it. Deleting the archive and turning it on again makes a new key.',
    'What others write to you is kept as well, and they are not asked.',
    'Without an archive, messages that were deleted from your devices can no longer be read by anybody. With it they can, for as long as it is kept.',
  ],
  notKept: 'Conversations whose messages are only kept for some time are never archived.',
  needsPin: 'It needs a PIN first: nothing else brings its key to a new device.',
  enterPin: 'Your PIN was set on another device. Enter it here first.',
  turnOn: 'Turn on',
  turnOff: 'Turn off and delete',
  askOnTitle: 'Turn on the history archive?',
  askOnBody: [
    'What your devices hold and what is written from now on is sealed and kept on this server, until you turn it off.',
    'Whoever comes by your PIN and your password, or by one of your devices, can then read all of it. So could the operators of the vault, together, if your PIN is short.',
  ],
  askOffTitle: 'Delete the history archive?',
  askOffAction: 'Delete archive',
  askOffBody: [
    'All that is kept is deleted from the server. New devices then begin with what is written from then on.',
    'Backups that the operator has made may keep it, sealed, for longer. Your devices forget the key.',
    'What your devices have now stays on them.',
  ],
  isOn: 'On. Everything that this device reads and sends is kept.',
  onNoPin:
    'There is no PIN any more, so a PIN does not bring your history to a new device. Only approving it on one of your devices does.',
  unavailable:
    'This server keeps no archives at present, and nothing more goes there. What it has kept can be deleted.',
  opened: 'Your PIN was right: this device has the key now.',
  locked:
    'On, but this device does not have its key: what it reads and sends is not kept. Enter your PIN to let it take part.',
  lockedNoPin:
    'On, but this device does not have its key, and there is no PIN that would bring it. Approve this device again on one that has it, or delete the archive and begin a new one.',
  lockedElsewhere:
    'On, but this device does not have its key, and your PIN, which would bring it, cannot be entered while the server names other parts for the PIN vault. Set the PIN again on a device that has the key, or delete the archive and begin a new one.',
  needsPinAgain:
    'It needs your PIN, which cannot be entered while the server names other parts for the PIN vault. Set it again first.',
  used: (used: string, most: string) => `${used} of ${most} used.`,
  full: 'The archive is full: what is new is no longer kept. Deleting it and turning it on again makes room.',
  waiting: (count: number) =>
    plural(count, { one: '# message is on its way there.', other: '# messages are on their way there.' }),
  filling: 'The history of this device is being taken into the archive.',
  wasDeleted: 'The archive is deleted.',
  restoring: (percent: number) => `Bringing your history back: ${percent}%.`,
  paused:
    'Your history could not be brought back so far: something here is in the way. There may be no room left in this browser.',
  again: 'Try again',
  restored: 'Your history was brought back.',
  damaged:
    'Part of the history that one of your devices had kept is damaged or missing, and could not be brought back. What was before that part is here.',
};
