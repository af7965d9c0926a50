import { pluraliser } from './plural';
import type { renewalEn } from './renewal.en';

const plural = pluraliser('fr');

export const renewalFr: typeof renewalEn = {
  action: 'Renouveler la clé d’identité',
  confirm: 'Renouveler',
  hint: 'Renouvelez-la si quelqu’un a pu mettre la main sur un de vos appareils ou sur votre code PIN, et que vous avez déjà supprimé cet appareil.',
  askTitle: 'Renouveler votre clé d’identité ?',
  askBody: [
    'Vos contacts voient que vos clés ont changé. Tant que chacun ne les a pas acceptées, ils ne peuvent ni écrire ni payer dans vos conversations. Mieux vaut les prévenir avant.',
    'Votre numéro de sécurité change : ceux qui l’ont comparé le comparent à nouveau.',
    'Vos autres appareils restent. Ceux qui ne peuvent pas prendre la nouvelle clé d’eux-mêmes demandent à être approuvés de nouveau, et continuent de marcher d’ici là. Votre code PIN reste le même.',
  ],
  pinFirst:
    'Votre code PIN a été défini sur un autre appareil, et doit aussi ramener la nouvelle clé. Entrez-le d’abord ici. Si vous ne le connaissez plus, définissez-en un nouveau ci-dessus.',
  pinVoid: 'Redéfinissez d’abord votre code PIN : il doit rendre aussi la nouvelle clé.',
  running: (done, total) =>
    plural(total, {
      one: `On montre la nouvelle clé : ${done} conversation sur #.`,
      other: `On montre la nouvelle clé : ${done} conversations sur #.`,
    }),
  shown: 'Votre nouvelle clé est montrée dans toutes les conversations.',
  done: 'Votre clé d’identité est nouvelle. Vos contacts sont invités à l’accepter.',
  behindTitle: 'Il manque à cet appareil votre nouvelle clé d’identité',
  behindBody:
    'Votre clé d’identité a été renouvelée sur un autre appareil. Vous pouvez continuer d’écrire et de payer ici, mais cet appareil ne peut ni en approuver d’autres, ni changer le code PIN, ni supprimer des appareils avant d’avoir la nouvelle clé.',
  byPin: 'Entrez votre code PIN',
  byDevice: 'Ou approuvez de nouveau cet appareil',
  byDeviceSteps:
    'Sur l’appareil qui a renouvelé la clé, ouvrez Réglages, puis Appareils, appuyez sur « Approuver un appareil » et apportez-y ce code.',
};
