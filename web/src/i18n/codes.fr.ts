import type { codesEn } from './codes.en';

/** Codes that are shown and scanned to pay, in French. */
export const codesFr: typeof codesEn = {
  nav: 'Payer avec un code',
  scan: 'Scanner',
  pay: 'Payer',
  receive: 'Encaisser',
  other: 'Scanner ou montrer un code',

  receiveTitle: 'Encaisser',
  which: 'Quel code',
  mine: 'Mon code',
  amount: 'Avec un montant',
  mineBody: 'Qui le scanne choisit combien vous envoyer. Il reste le même : vous pouvez l’imprimer.',
  mineQr: 'Votre code, à faire scanner par qui vous paie',
  mineText: 'Votre code en texte',
  received: 'Depuis l’ouverture',
  amountBody:
    'La première personne qui le scanne se voit demander exactement ce montant. Il ne sert alors à nul autre.',
  amountQr: (amount) => `Code à faire scanner par qui vous paie ${amount}`,
  note: 'Note',
  noteHint: 'Seule la personne qui paie la voit, sur la demande.',
  more: (time) => `Note, et validité : ${time}`,
  lifetime: 'Valable',
  make: 'Montrer le code',
  open: 'Vos codes en cours',
  show: (amount) => `Montrer le code de ${amount}`,
  text: 'Le code en texte',
  forAmount: 'On doit vous payer',

  payTitle: 'Payer avec votre code',
  payBody:
    'Faites-le scanner par l’autre partie. Elle indique le montant ; vous le voyez ici et confirmez, ou non. Rien n’est payé avant.',
  payQr: 'Votre code, à faire scanner par qui vous payez',
  left: (time) => `Encore valable ${time}`,
  once: 'Une seule personne peut l’utiliser, une fois.',
  keepOpen: 'Laissez ChatPay ouvert : la demande part de cet appareil.',
  over: 'Ce code a expiré.',
  overPay: 'Il était valable une minute. Personne ne l’a utilisé, rien n’a été payé.',
  overReceive: 'Personne ne l’a scanné à temps, rien n’a été payé.',
  renew: 'Montrer un nouveau code',
  again: 'Nouveau code',
  remove: 'Mettre hors service',
  making: 'Création d’un code…',
  offline: 'Vous êtes hors ligne. Un code peut être créé et utilisé au retour de la connexion.',
  offlineWait: 'Vous êtes hors ligne. La suite s’affichera ici au retour de la connexion.',

  taken: (name) => `${name} l’a scanné.`,
  takenPay: (name) => `${name} a scanné votre code et saisit le montant.`,
  takenPayBody: 'Sa demande s’affichera ici. Ne payez que si vous savez qui c’est et que le montant est juste.',
  asking: (name) => `Demande à ${name}…`,
  notAsked: (name) => `La demande à ${name} n’est pas partie.`,
  askAgain: 'Redemander',
  toChat: 'Ouvrir la conversation',
  toRequest: 'Ouvrir dans la conversation',

  scanTitle: 'Scanner un code',
  scanHint: 'Dirigez l’appareil photo vers le code de la personne que vous payez, ou qui vous paie.',
  paste: 'Code en texte',
  go: 'Continuer',
  isSafety:
    'C’est un numéro de sécurité, pas un code de paiement. Pour le comparer, ouvrez les détails de votre conversation avec cette personne et scannez-le là.',
  isApproval:
    'C’est le code d’un nouvel appareil, pas un code de paiement. Approuvez les appareils dans les réglages, sous Appareils.',
  notACode: 'Ce n’est pas un code de paiement. Demandez un code ChatPay : sous Portefeuille, Encaisser ou Payer.',
  asks: (name) => `${name} veut être payé`,
  waits: (name) => `En attente de la demande de ${name}…`,
  waitsBody:
    'Elle vient de son appareil, qui doit être en ligne. Vous confirmez avant que quoi que ce soit ne soit payé.',
  scanAnother: 'Scanner un autre code',
};
