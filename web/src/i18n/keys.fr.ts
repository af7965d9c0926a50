import type { keysEn } from './keys.en';
import { pluraliser } from './plural';

const plural = pluraliser('fr');

export const keysFr: typeof keysEn = {
  pin: {
    title: 'Choisissez un code PIN',
    why: 'Un code PIN amène votre compte sur un nouvel appareil, même si vous perdez tous les autres. Il ne quitte jamais cet appareil.',
    kind: 'De quel type',
    digits: 'Chiffres',
    passphrase: 'Phrase',
    newPin: 'Code PIN',
    newPassphrase: 'Phrase secrète',
    hint: 'Six chiffres, c’est bien ; de 4 à 12 sont possibles.',
    passphraseHint: 'Quelques mots que personne d’autre ne mettrait ensemble.',
    again: 'Encore une fois',
    differ: 'Les deux ne sont pas identiques.',
    set: 'Définir le code PIN',
    change: 'Changer le code PIN',
    setAgain: 'Redéfinir le code PIN',
    elsewhere: (parts) =>
      plural(parts, {
        one: 'Ce code PIN va à une autre partie d’un coffre que le précédent : #\u00a0partie.',
        other: 'Ce code PIN va à d’autres parties d’un coffre que le précédent : #\u00a0parties.',
      }),
    elsewhereOwn: 'L’opérateur de ce serveur les gère toutes.',
    elsewhereAt: (operator, address) => `${operator}, à l’adresse ${address}`,
    presentFirst:
      'Votre code PIN a été défini sur un autre appareil. Entrez-le d’abord ici : il a la clé de votre archive, qu’un nouveau code laisserait derrière lui. Si vous ne le connaissez plus, effacez l’archive avant d’en définir un autre.',
    archiveFirst:
      'La clé de votre archive n’est pas sur cet appareil, et votre code PIN, qui l’amènerait, ne peut pas être entré tant que d’autres parties sont nommées.',
    archiveFirstHow: [
      'Si un autre de vos appareils prend part à l’archive, redéfinissez-y le code PIN et entrez-le ici. Ou déconnectez-vous ici, reconnectez-vous et faites approuver cet appareil par l’autre.',
      'Si aucun n’y prend part, supprimez l’archive ; vous pourrez alors définir le code PIN ici.',
    ],
    remove: 'Supprimer le code PIN',
    removeElsewhere: 'Il ne peut pas être supprimé maintenant : le serveur ne nomme pas les parties qui l’ont.',
    removeTitle: 'Supprimer le code PIN ?',
    removeBody:
      'Ensuite, seul un autre de vos appareils pourra amener votre compte sur un nouveau. Si vous les perdez tous, vous recommencez : vos contacts sont avertis et doivent accepter vos nouvelles clés.',
    skip: 'Pas maintenant',
    skipped:
      'Sans code PIN, seul un appareil que vous utilisez déjà peut en laisser entrer un nouveau. Si vous les perdez tous, vous recommencez et vos contacts sont avertis. Vous pourrez en définir un plus tard dans les réglages.',
    stretching: 'On rend les essais lents pour tous sauf vous…',
    stretchingMore: 'Environ une seconde ; quelques-unes sur un téléphone.',
    isSet: 'Votre code PIN est défini.',
    isRemoved: 'Votre code PIN est supprimé.',
    refusals: {
      1: 'Entrez un code PIN.',
      2: 'Un code PIN a au moins quatre chiffres.',
      3: 'C’est trop long.',
      4: 'Beaucoup de gens choisissent celui-ci, on le devine donc en premier. Choisissez-en un autre.',
      5: 'Les chiffres répétés se devinent tôt. Mélangez-les.',
      6: 'Les chiffres qui se suivent se devinent tôt. Mélangez-les.',
      7: 'Cela ressemble à une date, que l’on devine tôt. Choisissez des chiffres qui ne veulent rien dire.',
      8: 'N’utilisez que des chiffres, ou une phrase plus longue.',
      9: 'Cette phrase est trop longue.',
      10: 'Cette phrase est facile à deviner. Ajoutez des mots qui n’ont rien à voir entre eux.',
    },
  },

  newDevice: {
    title: 'Laissez entrer cet appareil',
    body: 'Vous êtes connecté. Vos conversations sont fermées par des clés que cet appareil n’a pas encore.',
    byPin: 'Avec votre code PIN',
    pinLabel: 'Code PIN ou phrase',
    enter: 'Continuer',
    guessesLeft: (count) =>
      count === 1
        ? '1 essai restant, puis le code PIN est détruit'
        : count === 0
          ? 'Il ne reste aucun essai pour le moment'
          : plural(count, { one: '# essai restant', other: '# essais restants' }),
    wrong: 'Ce n’est pas votre code PIN.',
    byDevice: 'Avec un autre appareil',
    byDeviceSteps: [
      'Sur un appareil que vous utilisez déjà, ouvrez Réglages, puis Appareils.',
      'Appuyez sur « Approuver un appareil », puis scannez ce code ou apportez-y son texte.',
    ],
    codeLabel: 'Code de cet appareil',
    waiting: 'Cette page continue d’elle-même une fois l’appareil approuvé.',
    lost: 'Ni code PIN, ni autre appareil ?',
    reset: 'Recommencer',
    resetTitle: 'Recommencer sur cet appareil ?',
    resetBody: [
      'Votre compte reçoit de nouvelles clés. Tous vos autres appareils sont retirés, et les messages d’avant restent illisibles ici.',
      'Tous ceux à qui vous parlez sont avertis, et ne peuvent ni vous écrire ni vous payer avant d’avoir accepté vos nouvelles clés. Votre argent et vos contacts restent.',
    ],
    qr: 'Code QR de cet appareil',
  },

  approve: {
    action: 'Approuver un appareil',
    title: 'Approuver un appareil',
    body: 'Scannez le code que montre le nouvel appareil, ou copiez-le et collez-le ici. N’approuvez qu’un appareil que vous tenez en main.',
    code: 'Code',
    next: 'Continuer',
    ask: (name) => `Donner vos clés à ${name} ?`,
    askBody: [
      'Il pourra lire vos conversations à partir de maintenant, écrire et payer en votre nom, et laisser entrer d’autres appareils.',
      'Ne le faites que si vous voyez vous-même le code sur son écran.',
    ],
    confirm: 'Approuver',
    done: (name) => `${name} est approuvé. Il continue de lui-même.`,
    notYet: 'Pas encore approuvé',
  },

  unlisted: {
    name: 'Appareil sans nom',
    standing: {
      vouched:
        'Vos clés s’en portent garantes, mais le serveur ne le mentionne pas. Il a peut-être été déconnecté, ou le serveur le cache. Si vous ne l’utilisez pas, retirez-le.',
      unknown:
        'Il est dans des conversations en votre nom, mais vos clés ne le connaissent pas et le serveur ne le mentionne pas. Quelqu’un lit peut-être avec vous : retirez-le.',
      removed: 'Il a été retiré de vos clés, mais il est encore dans des conversations. Retirez-le de là aussi.',
    },
    conversations: (count: number) => plural(count, { one: 'Dans # conversation', other: 'Dans # conversations' }),
    inNone: 'Dans aucune conversation',
    removeLabel: (key: string) => `Retirer l’appareil dont la clé est ${key}`,
    removeTitle: 'Retirer cet appareil ?',
    removeBody:
      'Vos clés ne s’en portent plus garantes, et ChatPay l’exclut lui-même de chaque conversation, sans attendre le serveur. Ce qu’il a déjà lu lui reste.',
    done: 'L’appareil a été retiré et n’est plus dans aucune de vos conversations.',
  },

  security: {
    page: 'Sécurité',
    alarms: 'À regarder',
    banner: 'Quelque chose à propos de vos clés demande votre attention.',
    look: 'Regarder',
    looked: 'Je sais, tout va bien',
    dismiss: 'Ne plus afficher',
    alarm: {
      logForked:
        'Le serveur a montré à différentes personnes des histoires différentes de son journal des clés. Ne vous fiez pas aux nouvelles clés pour l’instant.',
      logShrunk: 'Le journal des clés du serveur a perdu des entrées que cet appareil a vues.',
      logReplaced: 'Le serveur a commencé un nouveau journal des clés.',
      chainInvalid:
        'Le serveur a montré des clés qui ne vont pas avec celles d’avant. ChatPay ne les a pas prises en compte.',
      ownKeysChanged: 'Vos clés ont été changées sur un autre appareil.',
      identityUnlogged: 'Quelqu’un a montré des clés que le journal du serveur ne connaît pas.',
      logOther: 'Quelqu’un dans l’une de vos conversations dit avoir vu un autre journal des clés.',
      ledgerForked:
        'Le serveur a montré deux histoires du journal de son livre de comptes. Gardez vos reçus : ils le prouvent à tout le monde.',
      ledgerReplaced:
        'Le serveur a commencé un nouveau journal du livre de comptes, et signe les reçus avec une autre clé.',
      logUnproven:
        'Depuis un jour, le serveur n’a pas montré que quelqu’un dans l’une de vos conversations voit le même journal des clés que vous.',
      chainWithheld:
        'Depuis un jour, le serveur n’a pas montré que les clés d’une personne avec qui vous parlez sont dans son journal des clés.',
      pinGuessed: 'Quelqu’un a essayé votre code PIN sur un autre appareil, et il était faux.',
      pinWait: 'Quelqu’un qui est connecté à votre compte veut remplacer votre code PIN sans vos clés.',
      pinOpened:
        'Quelqu’un qui connaît votre code PIN a ouvert le coffre, sur un appareil dont vos clés ne répondent pas.',
      pinLost: 'Le coffre n’a plus votre code PIN.',
      realmsOther:
        'Le serveur nomme maintenant d’autres parties du coffre des codes PIN que celles où vous avez défini le vôtre.',
      realmLied:
        'Une partie du coffre des codes PIN a donné une réponse qu’aucune partie honnête ne donne. Les autres ont suffi sans elle.',
    },
    alarmMore: {
      logReplaced: 'Ce que l’ancien prouvait, celui-ci ne le prouve pas ; demandez pourquoi à qui le gère.',
      ownKeysChanged: 'Si c’était vous, tout va bien.',
      ledgerReplaced: 'Ce que l’ancien prouvait, celui-ci ne le prouve pas ; demandez pourquoi à qui le gère.',
      logOther: 'Soit on lui en montre un autre, soit ce n’est pas vrai.',
      logUnproven:
        'Il est peut-être surchargé, ou il cache quelque chose. Comparez le numéro de sécurité avant de vous fier à de nouvelles clés.',
      chainWithheld:
        'Elles sont peut-être à quelqu’un d’autre. Comparez le numéro de sécurité avant de continuer à écrire ou à payer.',
      pinWait:
        'Cela demande une attente, que vous pouvez arrêter : faites-le si ce n’est pas vous, puis changez votre mot de passe.',
      pinOpened:
        'Si ce n’était pas vous, changez votre code PIN et renouvelez votre clé d’identité maintenant : ce que le code ramène est en d’autres mains.',
      pinLost:
        'Il n’amène votre compte sur aucun nouvel appareil avant que vous ne le redéfinissiez. Rien d’autre n’est perdu.',
      realmsOther:
        'Soit son opérateur les a changées : demandez-lui. Soit quelqu’un en veut à votre code PIN. ChatPay n’en a rien dit aux nouvelles, et n’a rien changé là où il a été défini ; le redéfinir le donnerait aux nouvelles.',
      realmLied: 'Votre code PIN n’est pas perdu. Prévenez qui gère ce serveur.',
    },
    ownUnlogged: 'Un appareil que vos clés ne connaissent pas est dans une conversation en votre nom.',
    ownUnloggedMore: 'Rien n’y est envoyé ni payé tant que vous ne l’avez pas retiré.',
    notMe:
      'Si ce n’était pas vous : changez votre mot de passe, retirez les appareils que vous ne connaissez pas et définissez un nouveau code PIN.',
    about: (name) => `Il s’agit de ${name}.`,
    change: {
      identity: 'Nouvelle clé d’identité',
      identityReset: 'L’identité a été recommencée',
      deviceAdded: (name) => `Appareil ajouté : ${name}`,
      deviceRevoked: (name) => `Appareil retiré : ${name}`,
      pin: 'Le code PIN a été défini ou supprimé',
    },
    unknownDevice: 'un appareil qui n’est plus là',
    pin: 'Code PIN',
    pinOn: 'Défini. Il amène votre compte sur un nouvel appareil.',
    pinVoid:
      'Redéfinissez votre code PIN. La dernière fois, cela n’a pas pu être achevé : le code PIN que le coffre détient maintenant ne rend rien à un nouvel appareil.',
    pinVoidArchive:
      'La clé de votre archive n’est pas sur cet appareil. Définissez le code PIN sur un appareil qui prend part à l’archive, si vous en avez un : elle l’accompagne alors.',
    pinLost: {
      exhausted:
        'Redéfinissez votre code PIN. Tous ses essais ont été épuisés, et le coffre a détruit ce qu’il en gardait : il n’amène votre compte sur aucun nouvel appareil. Rien d’autre n’est perdu. Si ces essais n’étaient pas les vôtres, changez aussi votre mot de passe.',
      locked:
        'Redéfinissez votre code PIN. Le coffre a été restauré d’une sauvegarde et garde votre code fermé, car les essais faits après elle ne compteraient plus : il n’amène votre compte sur aucun nouvel appareil. Rien d’autre n’est perdu.',
      missing:
        'Redéfinissez votre code PIN. Vos clés en nomment un, mais le coffre n’en a aucun : il n’amène votre compte sur aucun nouvel appareil. Rien d’autre n’est perdu. Demandez à qui gère ce serveur ce qu’il en est advenu.',
      realms_other:
        'Le serveur nomme maintenant d’autres parties du coffre des codes PIN que celles où vous avez défini le vôtre. Soit son opérateur les a changées : demandez-lui. Soit quelqu’un en veut à votre code PIN. ChatPay n’a rien changé là où il a été défini, mais tant que d’autres sont nommées, il n’amène votre compte sur aucun nouvel appareil. Le redéfinir le donne aux nouvelles.',
    },
    pinOff: 'Non défini. Seul un autre de vos appareils peut en laisser entrer un nouveau.',
    vault: 'Où le code PIN est gardé',
    operator: (parts) =>
      `Le coffre a ${parts} parties, et un seul opérateur les gère toutes : celui de ce serveur. Chaque partie détruit ce qu’elle garde après dix essais faux. L’opérateur lui-même pourrait essayer des codes sans cette limite ; une phrase est donc plus sûre si vous ne lui faites pas confiance.`,
    operators: (parts, operators, together) =>
      together === 1
        ? `Le coffre a ${parts} parties, et ce serveur nomme ${operators} opérateurs. L’un d’eux en gère assez pour essayer à lui seul des codes sans limite : une phrase de passe est plus sûre si vous ne lui faites pas confiance. Chaque partie détruit ce qu’elle garde après dix essais faux.`
        : `Le coffre a ${parts} parties, et ce serveur nomme ${operators} opérateurs. Il faudrait que ${together} d’entre eux s’entendent pour essayer des codes sans limite. Chaque partie détruit ce qu’elle garde après dix essais faux.`,
    hosts: 'Qui gère les parties',
    answering: (answering, parts) => `${answering} parties sur ${parts} répondent en ce moment.`,
    attempts: 'Essais de votre code PIN',
    noAttempts: 'Personne n’a essayé votre code PIN.',
    attemptsShown: (shown, all) => `${all} essais en tout ; les ${shown} plus récents sont affichés.`,
    moreAttempts: 'En afficher plus',
    outcome: { open: 'Mauvais code, ou pas terminé', succeeded: 'Bon code', failed: 'Mauvais code' },
    guesses: (count) => plural(count, { one: '# essai restant', other: '# essais restants' }),
    clear: 'Rendre les essais',
    devices: 'Appareils',
    devicesBody: (count) => plural(count, { one: '# appareil a vos clés.', other: '# appareils ont vos clés.' }),
    devicesLink: 'Voir les appareils',
    identity: 'Votre clé d’identité',
    identityBody:
      'Elle répond de chacun de vos appareils. Vos contacts voient la même, comme partie de votre numéro de sécurité.',
    log: 'Journal des clés',
    logBody:
      'Tout changement des clés de quelqu’un entre dans un journal public que l’on ne peut pas changer ensuite sans que cela se remarque. Cet appareil le vérifie.',
    logState: (entries, ago) => `${entries} entrées, vérifié ${ago}.`,
    logNone: 'Pas encore vérifié.',
    logGood: 'Tout ce qui a été vérifié concorde.',
  },

  person: {
    title: 'Numéro de sécurité',
    body: (name) =>
      `Si ${name} voit le même numéro dans ses détails de cette conversation, personne n’est entre vous. Scannez son code quand vous vous voyez, ou comparez le numéro au téléphone.`,
    show: 'Afficher le numéro de sécurité',
    none: (name) => `${name} n’a pas encore montré de clé. Le numéro apparaîtra ensuite.`,
    qr: 'Code QR du numéro de sécurité',
    verify: 'Nous avons comparé : c’est le même',
    unverify: 'Retirer la marque',
    verified: 'Comparé',
    verifiedLong: (name) => `Vous avez comparé le numéro de sécurité avec ${name}.`,
    unlogged: 'Le journal des clés du serveur ne connaît pas encore cette clé.',
    changedTitle: (name) => `${name} a de nouvelles clés`,
    changedBody: (name) =>
      `Cela arrive quand quelqu’un perd tous ses appareils et recommence. Cela peut aussi vouloir dire que quelqu’un se fait passer pour ${name}. Tant que vous n’acceptez pas les nouvelles clés, rien n’est envoyé ni payé dans cette conversation. En cas de doute, demandez à ${name} par un autre moyen.`,
    strangerTitle: (name) => `Un appareil inconnu au nom de ${name}`,
    strangerBody: (name) =>
      `Les clés de ${name} ne connaissent pas un appareil présent dans cette conversation. Il pourrait lire ce que vous écrivez : rien n’y est envoyé ni payé tant qu’il est là. Demandez par un autre moyen à ${name} de le retirer, dans Réglages, Appareils.`,
    strangerGroup: (name) => `Un propriétaire de ce groupe peut aussi retirer ${name} avec tous ses appareils.`,
    ownStrangerTitle: 'Un appareil inconnu en votre nom',
    ownStrangerBody:
      'Vos clés ne connaissent pas un appareil présent dans cette conversation. Il pourrait lire ce que vous écrivez : rien n’y est envoyé ni payé tant qu’il est là. Retirez-le dans Réglages, Appareils : il y figure même si le serveur le cache.',
    accept: 'Accepter les nouvelles clés',
    compare: 'Comparer d’abord',
    acceptTitle: (name) => `Accepter les nouvelles clés de ${name} ?`,
    acceptBody: (name) =>
      `Vous pourrez de nouveau écrire et payer. Qui détient les nouvelles clés pourra lire ce que vous envoyez. La marque « comparé » de ${name} est retirée.`,
  },
};
