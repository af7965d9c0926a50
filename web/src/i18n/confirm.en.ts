import { pluraliser } from './plural';

const plural = pluraliser('en');

/** What one is about to do with money, and the PIN that is asked for before much of it leaves, in English. */
export const confirmEn = {
  leaving: 'Money leaves your wallet',
  coming: 'No money moves now',
  /** By kind of card and by what is done to it. */
  sentence: {
    transfer: {
      post: (amount: string, name: string, handle: string) => `You send ${amount} to ${name} (@${handle}).`,
    },
    request: {
      post: (amount: string, name: string, handle: string) => `You ask ${name} (@${handle}) for ${amount}.`,
      pay: (amount: string, name: string, handle: string) => `You are paying ${amount} to ${name} (@${handle}).`,
    },
    split: (amount: string, count: number) =>
      plural(count, { one: `You ask # person for ${amount}.`, other: `You ask # people for ${amount} together.` }),
    packetAll: (amount: string, count: number) =>
      plural(count, {
        one: `You put ${amount} into a packet with # share, for everybody here.`,
        other: `You put ${amount} into a packet with # shares, for everybody here.`,
      }),
    packetFor: (amount: string, name: string, handle: string) =>
      `You put ${amount} into a packet for ${name} (@${handle}).`,
    mandate: (amount: string, name: string, handle: string, period: string) =>
      `You let ${name} (@${handle}) take up to ${amount} ${period} from your wallet.`,
    refund: (amount: string, name: string, handle: string) => `You give ${amount} back to ${name} (@${handle}).`,
    draw: (amount: string, name: string, handle: string) => `You take ${amount} from ${name} (@${handle}), as agreed.`,
  },
  does: {
    transfer: { post: (amount: string) => `Send ${amount}` },
    request: { post: (amount: string) => `Request ${amount}`, pay: (amount: string) => `Pay ${amount}` },
    split: { post: (amount: string) => `Ask for ${amount}`, pay: (amount: string) => `Pay ${amount}` },
    packet: { post: (amount: string) => `Give ${amount}` },
    mandate: { post: (_: string) => 'Sign', draw: (amount: string) => `Take ${amount}` },
    refund: (amount: string) => `Give back ${amount}`,
  },
  /** Beside the sum that one signs for: what may leave, though nothing does now. */
  promising: 'Money may leave your wallet',
  arriving: 'Money comes to your wallet',
  payShareTitle: 'Pay your share?',
  everybody: 'Everybody in this conversation but you can take one share.',
  asksEach: 'What each is asked for',
  ownShare: 'You, paid by yourself',
  fate: {
    held: (name: string, duration: string) =>
      `The money is held until ${name} accepts. If that takes longer than ${duration}, it comes back to you; until then you can cancel.`,
    final: (name: string) => `${name} gets the money at once. It cannot be taken back.`,
    delayed: (name: string, duration: string) =>
      `It reaches ${name} by itself in ${duration}. Until then you can cancel it, and ${name} can decline it.`,
    packet: (duration: string) =>
      `The money is held for ${duration}. Whoever takes a share has it at once; what nobody takes comes back to you.`,
    promise: (name: string, until: string) =>
      `Nothing leaves now. ${name} can take money by themselves until ${until}. You see every time, and can end it at once.`,
    split: (duration: string) =>
      `They have ${duration}, and are reminded after a day. You can stop it; what was paid by then stays paid.`,
    draw: (name: string) => `You get the money at once. ${name} sees it.`,
    none: (name: string, duration: string) => `${name} has ${duration} to pay; until then you can cancel.`,
  },
  payTitle: 'Pay this request?',
  asked: (name: string) => `${name} asked you for this money. You do not receive any.`,
  verified: 'Verified: you have compared safety numbers.',
  unverified: 'Not verified. Anybody can choose this name; compare safety numbers if it is a lot.',
  compare: 'Compare',
  changed: 'Shows new keys that you have not accepted.',
  withPin: 'Continue with PIN',
  short: (amount: string) => `You have ${amount} available, which is less than this.`,
  pin: {
    title: 'Your PIN, please',
    label: 'PIN or passphrase',
    ready: 'It is checked on this device and never sent.',
    unseen:
      'This device has not seen your PIN yet, so the PIN vault checks it this once. The PIN itself is never sent.',
    earlier: (at: string) =>
      `Your PIN was changed or removed on this device. For safety, the one before is asked for until ${at}.`,
    earlierLabel: 'PIN from before',
    rests: (at: string) =>
      `A PIN was set on this device without the one before. For safety, this device pays no amount that asks for it until ${at}. Your other devices can.`,
    wrong: 'This is not your PIN.',
    left: (count: number) => plural(count, { one: '# try left on this device', other: '# tries left on this device' }),
    waits: (time: string) => `Next try in ${time}.`,
    checking: 'Checking your PIN…',
    again: 'You can try again.',
  },
  limit: {
    title: 'PIN before payments',
    body: 'Before more than this leaves your wallet at once, this device asks for your PIN again.',
    off: 'Set a PIN first. Then this device asks for it before much money leaves your wallet at once.',
    above: (amount: string) => `Above ${amount}`,
    always: 'Before every payment',
    change: 'Change',
    changeOf: (code: string) => `Change the amount in ${code}`,
    amount: (code: string) => `Amount in ${code}`,
    hint: (most: string) => `0 asks every time; ${most} is the most.`,
    tooMuch: (most: string) => `This is more than ${most}.`,
    empty: 'Enter an amount.',
    raise: 'Raising it needs your PIN.',
    done: (amount: string) => `Now: ${amount}.`,
  },
};
