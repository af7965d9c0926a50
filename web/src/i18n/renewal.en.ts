import { pluraliser } from './plural';

const plural = pluraliser('en');

/** Words about renewing the account's identity key, in English. */
export const renewalEn = {
  action: 'Renew identity key',
  confirm: 'Renew key',
  hint: 'Renew it if somebody may have got hold of a device of yours, or of your PIN, and you have already removed that device.',
  askTitle: 'Renew your identity key?',
  askBody: [
    'Your contacts see that your keys have changed. Until each of them accepts, they can neither write nor pay in conversations with you. Best tell them before.',
    'Your safety number is another one afterwards, so those who compared it compare it again.',
    'Your other devices stay. Those that cannot take the new key by themselves ask to be approved again, and go on working until then. Your PIN stays the same.',
  ],
  pinFirst:
    'Your PIN was set on another device, and has to bring back the new key as well. Enter it here first. If you do not know it any more, set a new one above.',
  pinVoid: 'Set your PIN again first: it has to bring back the new key as well.',
  running: (done: number, total: number) =>
    plural(total, {
      one: `Showing the new key: ${done} of # conversation.`,
      other: `Showing the new key: ${done} of # conversations.`,
    }),
  shown: 'Your new key is shown in every conversation.',
  done: 'Your identity key is new. Your contacts are asked to accept it.',
  behindTitle: 'This device needs your new identity key',
  behindBody:
    'Your identity key was renewed on another device. You can go on writing and paying here, but this device cannot approve others, change the PIN or remove devices until it has the new key.',
  byPin: 'Enter your PIN',
  byDevice: 'Or approve this device again',
  byDeviceSteps:
    'On the device that renewed the key, open Settings, then Devices, press “Approve a device”, and bring this code there.',
};
