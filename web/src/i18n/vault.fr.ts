import type { vaultEn } from './vault.en';

/** Words about waits for the PIN to go without the account's keys, and about what changed keys stop, in French. */
export const vaultFr: typeof vaultEn = {
  stop: 'Arrêter',
  stopped: 'C’est arrêté. Votre code PIN reste comme il est.',
  wait: {
    title: 'Quelqu’un veut remplacer votre code PIN',
    body: (device) =>
      `Cela a été demandé sans vos clés, sur ${device}. Si ce n’était pas vous, arrêtez-le maintenant et changez votre mot de passe.`,
    mine: 'Cet appareil l’a demandé. Vos autres appareils peuvent l’arrêter.',
    left: (time, at) => `Possible dans ${time}, le ${at}.`,
    over: 'Possible maintenant, pendant sept jours.',
  },
  begin: {
    body: 'Le coffre garde votre code PIN sous d’autres clés que celles de cet appareil. Il peut être remplacé après une attente, pendant laquelle vos autres appareils peuvent s’y opposer.',
    action: 'Commencer l’attente',
    begun: (time) => `L’attente est en cours : dans ${time}, vous pourrez définir le code PIN ici.`,
    over: 'L’attente est finie : définissez le code PIN maintenant.',
  },
  disagrees:
    'Le coffre des codes PIN ne peut pas aider : ce que ses parties ont n’est pas ce que vos clés nomment. Soit un code PIN était justement en train d’être défini, ou cela a été interrompu : réessayez plus tard sur cet appareil, ou redéfinissez-le sur un appareil qui a vos clés. Soit le serveur nomme d’autres parties que celles où vous l’aviez défini : demandez à qui gère ce serveur. Un essai a peut-être été compté, et rien qui trahisse votre code PIN n’a quitté cet appareil.',
  lied: {
    which: (names) => `C’était ${names}.`,
    also: (names) =>
      `De plus, une partie du coffre a donné une réponse qu’aucune partie honnête ne donne : ${names}. Prévenez qui gère ce serveur.`,
    part: (number) => `la partie ${number}, gérée par ce serveur`,
    partOf: (number, operator, address) => `la partie ${number}, gérée par ${operator} à l’adresse ${address}`,
  },
  blocked: {
    body: (names) => `Rien n’est payé ici avant que vous n’acceptiez les nouvelles clés de ${names}.`,
    stranger: (names) =>
      `Rien n’est payé ici tant qu’un appareil inconnu est dans cette conversation au nom de ${names}.`,
    own: 'Rien n’est payé ici tant qu’un appareil inconnu est dans cette conversation en votre nom.',
    compare: 'Comparer les clés',
  },
};
