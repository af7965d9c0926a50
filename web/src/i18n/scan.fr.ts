import type { scanEn } from './scan.en';

/** Words about scanning codes, in French. */
export const scanFr: typeof scanEn = {
  open: 'Scanner un code',
  asking: 'Autorisez l’appareil photo, si votre navigateur le demande.',
  choose: 'Choisir une image',
  trouble: {
    insecure: {
      what: 'L’appareil photo n’est pas disponible sur cette page.',
      todo: 'Les navigateurs ne le prêtent qu’aux pages à adresse sécurisée (https). Choisissez plutôt une image du code.',
    },
    unsupported: {
      what: 'Ce navigateur ne prête pas son appareil photo aux pages.',
      todo: 'Choisissez une image du code, ou utilisez un autre navigateur.',
    },
    refused: {
      what: 'ChatPay ne peut pas utiliser l’appareil photo.',
      todo: 'Autorisez-le dans votre navigateur, à côté de l’adresse ou dans ses réglages, puis réessayez. Ou choisissez une image du code.',
    },
    none: {
      what: 'Aucun appareil photo n’a été trouvé.',
      todo: 'Branchez-en un et réessayez, ou choisissez une image du code.',
    },
    busy: {
      what: 'L’appareil photo est déjà utilisé.',
      todo: 'Fermez l’autre programme ou l’autre onglet qui l’utilise, puis réessayez. Ou choisissez une image du code.',
    },
    lost: { what: 'L’appareil photo a disparu.', todo: 'Rebranchez-le, ou choisissez une image du code.' },
    failed: {
      what: 'L’appareil photo n’a pas pu démarrer.',
      todo: 'Réessayez, ou choisissez une image du code.',
    },
  },
  photo: {
    tooLarge: 'Ce fichier est trop grand. Choisissez une image plus petite.',
    noPicture: 'Ce fichier ne peut pas être lu comme une image.',
    noCode: 'Aucun code QR n’a été trouvé sur cette image. Le code doit y être entier et net.',
  },

  safety: {
    action: 'Scanner son code',
    title: (name: string) => `Scanner le code de ${name}`,
    hint: (name: string) => `Visez le code affiché dans les détails de la conversation, sur l’appareil de ${name}.`,
    notACode: 'Ce n’est pas le code d’un numéro de sécurité.',
    otherPerson: (name: string) =>
      `Ce code est celui d’une autre conversation. ${name} doit ouvrir le numéro de sécurité dans la conversation avec vous.`,
    same: (name: string) => `C’est le même. ${name} porte la marque « comparé ».`,
    differs: (name: string) => `Il ne correspond pas à ce que cet appareil sait de ${name}.`,
    differsTodo: (name: string) => [
      'N’écrivez rien de confidentiel et ne payez rien dans cette conversation avant d’en connaître la raison.',
      'Peut-être l’un de vous a-t-il de nouvelles clés que l’autre n’a pas encore vues : rouvrez tous deux la conversation en étant connectés, puis scannez de nouveau.',
      `Si cela ne correspond toujours pas, quelqu’un se trouve peut-être entre vous. Prévenez ${name} par un autre moyen, et interrogez qui gère le serveur.`,
    ],
    again: 'Scanner de nouveau',
  },

  approve: {
    action: 'Scanner son code',
    hint: 'Visez le code affiché sur l’écran du nouvel appareil.',
    notACode: 'Ce n’est pas le code d’un nouvel appareil.',
  },
};
