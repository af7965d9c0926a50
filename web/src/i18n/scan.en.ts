/** Words about scanning codes, in English. */
export const scanEn = {
  open: 'Scan a code',
  asking: 'Allow the camera, if your browser asks.',
  choose: 'Choose a picture',
  trouble: {
    insecure: {
      what: 'The camera is not available on this page.',
      todo: 'Browsers only lend it to pages with a secure address (https). Choose a picture of the code instead.',
    },
    unsupported: {
      what: 'This browser does not lend its camera to pages.',
      todo: 'Choose a picture of the code, or use another browser.',
    },
    refused: {
      what: 'ChatPay may not use the camera.',
      todo: 'Allow it in your browser, beside the address or in its settings, and try again. Or choose a picture of the code.',
    },
    none: { what: 'No camera was found.', todo: 'Connect one and try again, or choose a picture of the code.' },
    busy: {
      what: 'The camera is in use.',
      todo: 'Close the other program or tab that uses it, and try again. Or choose a picture of the code.',
    },
    lost: { what: 'The camera has gone.', todo: 'Connect it again, or choose a picture of the code.' },
    failed: { what: 'The camera could not be started.', todo: 'Try again, or choose a picture of the code.' },
  },
  photo: {
    tooLarge: 'This file is too large. Choose a smaller picture.',
    noPicture: 'This file cannot be read as a picture.',
    noCode: 'No QR code was found in this picture. The whole code must be in it, and sharp.',
  },

  safety: {
    action: 'Scan their code',
    title: (name: string) => `Scan the code of ${name}`,
    hint: (name: string) => `Point the camera at the code in the details of ${name}’s conversation with you.`,
    notACode: 'This is not the code of a safety number.',
    otherPerson: (name: string) =>
      `This code is of another conversation. ${name} has to open the safety number in the conversation with you.`,
    same: (name: string) => `It is the same. ${name} is marked as compared.`,
    differs: (name: string) => `It does not match what this device knows of ${name}.`,
    differsTodo: (name: string) => [
      `Do not write anything confidential or pay in this conversation until you know why.`,
      `Perhaps one of you has new keys and the other has not seen them yet: both of you open the conversation once more while online, and scan again.`,
      `If it still does not match, somebody may sit between you. Tell ${name} in another way, and ask whoever runs the server.`,
    ],
    again: 'Scan again',
  },

  approve: {
    action: 'Scan its code',
    hint: 'Point the camera at the code on the screen of the new device.',
    notACode: 'This is not the code of a new device.',
  },
};
