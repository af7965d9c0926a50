import type { archiveEn } from './archive.en';
import { pluraliser } from './plural';

const plural = pluraliser('fr');

export const archiveFr: typeof archiveEn = {
  title: 'Archive de l’historique',
  off: 'Désactivée. Un nouvel appareil commence par ce qui s’écrit à partir de là.',
  why: 'L’archive garde vos messages sur ce serveur, scellés par une clé que seuls vos appareils et votre code PIN possèdent. Un nouvel appareil retrouve alors votre historique.',
  costsTitle: 'Ce que vous cédez en échange',
  costs: [
    'Qui a votre code PIN et votre mot de passe peut lire tout ce qui est gardé, et non seulement ce qui vient ensuite.',
    'L’opérateur de ce serveur pourrait essayer des codes PIN, s’il fait tourner assez de parties du coffre ou les fait agir ensemble. Une phrase secrète rend cela bien plus difficile.',
    'Qui a un de vos appareils, ou l’a eu, en garde la clé. Un appareil que vous perdez ou retirez peut lire aussi ce qui est gardé ensuite, s’il y accède. Supprimer l’archive et la réactiver donne une nouvelle clé.',
    'Ce que les autres vous écrivent est gardé aussi, sans qu’on le leur demande.',
    'Sans archive, personne ne peut plus lire des messages supprimés de vos appareils. Avec elle, on le peut aussi longtemps qu’elle est gardée.',
  ],
  notKept: 'Les conversations dont les messages ne sont gardés qu’un temps ne sont jamais archivées.',
  needsPin: 'Il faut d’abord un code PIN : rien d’autre n’amène sa clé sur un nouvel appareil.',
  enterPin: 'Votre code PIN a été défini sur un autre appareil. Entrez-le d’abord ici.',
  turnOn: 'Activer',
  turnOff: 'Désactiver et supprimer',
  askOnTitle: 'Activer l’archive de l’historique ?',
  askOnBody: [
    'Ce que vos appareils contiennent et ce qui s’écrit désormais est scellé et gardé sur ce serveur, jusqu’à ce que vous le désactiviez.',
    'Qui obtient votre code PIN et votre mot de passe, ou l’un de vos appareils, peut alors tout lire. Les opérateurs du coffre aussi, ensemble, si votre code PIN est court.',
  ],
  askOffTitle: 'Supprimer l’archive de l’historique ?',
  askOffAction: 'Supprimer',
  askOffBody: [
    'Tout ce qui est gardé est supprimé du serveur. Les nouveaux appareils commencent alors par ce qui s’écrit à partir de là.',
    'Des sauvegardes faites par l’opérateur peuvent le garder plus longtemps, scellé. Vos appareils en oublient la clé.',
    'Ce que vos appareils ont maintenant y reste.',
  ],
  isOn: 'Activée. Tout ce que cet appareil lit et envoie est gardé.',
  onNoPin:
    'Il n’y a plus de code PIN : aucun code n’amène donc votre historique sur un nouvel appareil. Seule l’approbation par un de vos appareils le fait.',
  unavailable:
    'Ce serveur ne garde pas d’archives en ce moment, et plus rien n’y va. Ce qu’il a gardé peut être supprimé.',
  opened: 'Votre code PIN était juste : cet appareil a maintenant la clé.',
  locked:
    'Activée, mais cet appareil n’en a pas la clé : ce qu’il lit et envoie n’est pas gardé. Entrez votre code PIN pour qu’il y participe.',
  lockedNoPin:
    'Activée, mais cet appareil n’en a pas la clé, et aucun code PIN ne l’amènerait. Approuvez de nouveau cet appareil sur un autre qui l’a, ou supprimez l’archive et commencez-en une nouvelle.',
  lockedElsewhere:
    'Activée, mais cet appareil n’en a pas la clé, et votre code PIN, qui l’amènerait, ne peut pas être entré tant que le serveur nomme d’autres parties du coffre. Redéfinissez le code PIN sur un appareil qui a la clé, ou supprimez l’archive et commencez-en une nouvelle.',
  needsPinAgain:
    'Il lui faut votre code PIN, qui ne peut pas être entré tant que le serveur nomme d’autres parties du coffre. Redéfinissez-le d’abord.',
  used: (used, most) => `${used} utilisés sur ${most}.`,
  full: 'L’archive est pleine : ce qui est nouveau n’est plus gardé. La supprimer et la réactiver fait de la place.',
  waiting: (count) => plural(count, { one: '# message est en route.', other: '# messages sont en route.' }),
  filling: 'L’historique de cet appareil est en train d’entrer dans l’archive.',
  wasDeleted: 'L’archive est supprimée.',
  restoring: (percent) => `Votre historique revient : ${percent}\u00a0%.`,
  paused:
    'Votre historique n’a pas pu revenir jusqu’ici : quelque chose s’y oppose ici. Il n’y a peut-être plus de place dans ce navigateur.',
  again: 'Réessayer',
  restored: 'Votre historique est revenu.',
  damaged:
    'Une partie de l’historique qu’un de vos appareils avait gardé est abîmée ou manque, et n’a pas pu revenir. Ce qui précède cette partie est là.',
};
