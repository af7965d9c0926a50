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
  },
  does: {
    transfer: { post: (amount: string) => `Envoyer ${amount}` },
    request: { post: (amount: string) => `Demander ${amount}`, pay: (amount: string) => `Payer ${amount}` },
  },
  fate: {
    held: (name: string, duration: string) =>
      `L’argent est réservé jusqu’à ce que ${name} accepte. Au bout de ${duration}, il vous revient ; d’ici là, vous pouvez annuler.`,
    final: (name: string) => `${name} reçoit l’argent aussitôt. Il ne peut pas être repris.`,
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
