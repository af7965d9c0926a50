import type { confirmEn } from './confirm.en';
import { pluraliser } from './plural';

const plural = pluraliser('fr');

/** What one is about to do with money, and the PIN that is asked for before much of it leaves, in French. */
export const confirmFr: typeof confirmEn = {
  leaving: 'De l’argent quitte votre portefeuille',
  coming: 'Aucun argent ne bouge maintenant',
  sentence: {
    transfer: {
      post: (amount: string, name: string, handle: string) => `Vous envoyez ${amount} à ${name} (@${handle}).`,
    },
    request: {
      post: (amount: string, name: string, handle: string) => `Vous demandez ${amount} à ${name} (@${handle}).`,
      pay: (amount: string, name: string, handle: string) => `C’est vous qui payez ${amount} à ${name} (@${handle}).`,
    },
    split: (amount: string, count: number) =>
      plural(count, {
        one: `Vous demandez ${amount} à # personne.`,
        other: `Vous demandez ${amount} en tout à # personnes.`,
      }),
    packetAll: (amount: string, count: number) =>
      plural(count, {
        one: `Vous mettez ${amount} dans une enveloppe de # part, pour tout le monde ici.`,
        other: `Vous mettez ${amount} dans une enveloppe de # parts, pour tout le monde ici.`,
      }),
    packetFor: (amount: string, name: string, handle: string) =>
      `Vous mettez ${amount} dans une enveloppe pour ${name} (@${handle}).`,
    mandate: (amount: string, name: string, handle: string, period: string) =>
      `Vous laissez ${name} (@${handle}) prélever jusqu’à ${amount} ${period} dans votre portefeuille.`,
    refund: (amount: string, name: string, handle: string) => `Vous rendez ${amount} à ${name} (@${handle}).`,
    draw: (amount: string, name: string, handle: string) =>
      `Vous prélevez ${amount} à ${name} (@${handle}), comme convenu.`,
  },
  does: {
    transfer: { post: (amount: string) => `Envoyer ${amount}` },
    request: { post: (amount: string) => `Demander ${amount}`, pay: (amount: string) => `Payer ${amount}` },
    split: { post: (amount: string) => `Demander ${amount}`, pay: (amount: string) => `Payer ${amount}` },
    packet: { post: (amount: string) => `Offrir ${amount}` },
    mandate: { post: (_: string) => 'Signer', draw: (amount: string) => `Prélever ${amount}` },
    refund: (amount: string) => `Rendre ${amount}`,
  },
  promising: 'De l’argent pourra quitter votre portefeuille',
  arriving: 'De l’argent arrive dans votre portefeuille',
  payShareTitle: 'Payer votre part ?',
  everybody: 'Chaque membre de cette conversation, sauf vous, peut prendre une part.',
  asksEach: 'Ce qui est demandé à chacun',
  ownShare: 'Vous, à votre charge',
  fate: {
    held: (name: string, duration: string) =>
      `L’argent est réservé jusqu’à ce que ${name} accepte. Au bout de ${duration}, il vous revient ; d’ici là, vous pouvez annuler.`,
    final: (name: string) => `${name} reçoit l’argent aussitôt. Il ne peut pas être repris.`,
    delayed: (name: string, duration: string) =>
      `L’argent arrivera de lui-même chez ${name} dans ${duration}. D’ici là, vous pouvez annuler, et ${name} peut refuser.`,
    packet: (duration: string) =>
      `L’argent est réservé pendant ${duration}. Qui prend une part l’a aussitôt ; ce que personne ne prend vous revient.`,
    promise: (name: string, until: string) =>
      `Rien ne part maintenant. ${name} peut prélever sans vous demander jusqu’au ${until}. Vous voyez chaque prélèvement et pouvez y mettre fin aussitôt.`,
    split: (duration: string) =>
      `Chacun a ${duration}, avec un rappel au bout d’un jour. Vous pouvez arrêter ; ce qui est payé d’ici là le reste.`,
    draw: (name: string) => `Vous recevez l’argent aussitôt. ${name} le voit.`,
    none: (name: string, duration: string) => `${name} a ${duration} pour payer ; d’ici là, vous pouvez annuler.`,
  },
  payTitle: 'Payer cette demande ?',
  asked: (name: string) => `${name} vous a demandé cet argent. Vous n’en recevez pas.`,
  verified: 'Vérifié : vous avez comparé les numéros de sécurité.',
  unverified: 'Non vérifié. N’importe qui peut choisir ce nom ; comparez les numéros de sécurité si la somme compte.',
  compare: 'Comparer',
  changed: 'Montre de nouvelles clés que vous n’avez pas acceptées.',
  withPin: 'Continuer avec le code PIN',
  short: (amount: string) => `Vous avez ${amount} disponibles, c’est moins que cela.`,
  pin: {
    title: 'Votre code PIN',
    label: 'Code PIN ou phrase secrète',
    ready: 'Il est vérifié sur cet appareil et n’est jamais envoyé.',
    unseen:
      'Cet appareil n’a pas encore vu votre code PIN : le coffre le vérifie cette fois-ci. Le code lui-même n’est jamais envoyé.',
    earlier: (at: string) =>
      `Votre code PIN a été changé ou supprimé sur cet appareil. Par sécurité, le précédent est demandé jusqu’au ${at}.`,
    earlierLabel: 'Code PIN précédent',
    rests: (at: string) =>
      `Un code PIN a été défini sur cet appareil sans le précédent. Par sécurité, cet appareil ne paie aucun montant qui le demande jusqu’au ${at}. Vos autres appareils le peuvent.`,
    wrong: 'Ce n’est pas votre code PIN.',
    left: (count: number) =>
      plural(count, { one: 'Encore # essai sur cet appareil', other: 'Encore # essais sur cet appareil' }),
    waits: (time: string) => `Prochain essai dans ${time}.`,
    checking: 'Vérification de votre code PIN…',
    again: 'Vous pouvez réessayer.',
  },
  limit: {
    title: 'Code PIN avant les paiements',
    body: 'Avant que plus que cela quitte votre portefeuille en une fois, cet appareil redemande votre code PIN.',
    off: 'Définissez d’abord un code PIN. Cet appareil le demandera avant que beaucoup d’argent quitte votre portefeuille en une fois.',
    above: (amount: string) => `Au-delà de ${amount}`,
    always: 'Avant chaque paiement',
    change: 'Modifier',
    changeOf: (code: string) => `Modifier le montant en ${code}`,
    amount: (code: string) => `Montant en ${code}`,
    hint: (most: string) => `0 le demande chaque fois ; ${most} au plus.`,
    tooMuch: (most: string) => `C’est plus que ${most}.`,
    empty: 'Entrez un montant.',
    raise: 'L’augmenter demande votre code PIN.',
    done: (amount: string) => `Désormais : ${amount}.`,
  },
};
