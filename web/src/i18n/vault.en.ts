/** Words about waits for the PIN to go without the account's keys, and about what changed keys stop, in English. */
export const vaultEn = {
  stop: 'Stop it',
  stopped: 'It is stopped. Your PIN stays as it is.',
  wait: {
    title: 'Somebody wants your PIN replaced',
    body: (device: string) =>
      `It was asked for without your keys, on ${device}. If that was not you, stop it now and change your password.`,
    mine: 'This device has asked for it. Your other devices can stop it.',
    left: (time: string, at: string) => `Possible in ${time}, on ${at}.`,
    over: 'Possible now, for seven days.',
  },
  begin: {
    body: 'The vault keeps your PIN under other keys than those of this device. It can be replaced after a wait, in which your other devices may object.',
    action: 'Start the wait',
    begun: (time: string) => `The wait is running: in ${time} you can set the PIN here.`,
    over: 'The wait is over: set the PIN now.',
  },
  disagrees:
    'The PIN vault cannot help: what its parts have is not what your keys name. Either a PIN was just being set, or its setting was cut off; then try again on this device later, or set it again on a device that has your keys. Or the server names other parts than those where you set it: ask whoever runs this server. A guess may have been counted, and nothing that gives your PIN away has left this device.',
  lied: {
    which: (names: string) => `It was ${names}.`,
    also: (names: string) =>
      `Besides, a part of the vault gave an answer that no honest one gives: ${names}. Tell whoever runs this server.`,
    part: (number: number) => `part ${number}, run by this server`,
    partOf: (number: number, operator: string, address: string) => `part ${number}, run by ${operator} at ${address}`,
  },
  blocked: {
    body: (names: string) => `Nothing is paid here until you accept the new keys of ${names}.`,
    stranger: (names: string) =>
      `Nothing is paid here while an unknown device is in this conversation in the name of ${names}.`,
    own: 'Nothing is paid here while an unknown device is in this conversation in your name.',
    compare: 'Compare keys',
  },
};
