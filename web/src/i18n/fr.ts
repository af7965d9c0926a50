import { archiveFr } from './archive.fr';
import { bookFr } from './book.fr';
import { codesFr } from './codes.fr';
import { confirmFr } from './confirm.fr';
import type { Catalogue } from './en';
import { errorsFr } from './errors.fr';
import { keysFr } from './keys.fr';
import { kindsFr } from './kinds.fr';
import { moneyFr } from './money.fr';
import { lister, pluraliser } from './plural';
import { receiptFr } from './receipt.fr';
import { renewalFr } from './renewal.fr';
import { scanFr } from './scan.fr';
import { vaultFr } from './vault.fr';

const plural = pluraliser('fr');
const list = lister('fr');

export const fr: Catalogue = {
  error: errorsFr,

  common: {
    appName: 'ChatPay',
    back: 'Retour',
    cancel: 'Annuler',
    close: 'Fermer',
    retry: 'Réessayer',
    save: 'Enregistrer',
    saved: 'Enregistré',
    done: 'Terminé',
    remove: 'Retirer',
    add: 'Ajouter',
    copy: 'Copier',
    copied: 'Copié',
    loading: 'Chargement…',
    you: 'Vous',
    optional: 'facultatif',
    skipToContent: 'Aller au contenu',
    showMore: 'Tout afficher',
    showLess: 'Réduire',
    playMoney: 'Argent fictif',
    playMoneyLong: 'Ce serveur distribue de l’argent fictif pour essayer. Il ne vaut rien ailleurs.',
    moneyNotMoved: 'Aucun argent n’a bougé.',
    moneyUnknown:
      'Nous ne savons pas encore si de l’argent a bougé : la conversation et le portefeuille le montreront.',
    list: (items: string[]) => list(items),
  },

  nav: {
    label: 'Principal',
    chats: 'Discussions',
    wallet: 'Portefeuille',
    settings: 'Réglages',
    unread: (count: number) => plural(count, { one: '# message non lu', other: '# messages non lus' }),
  },

  connection: {
    offline: 'Pas de connexion. Les messages partiront à son retour.',
    connecting: 'Connexion…',
    retryIn: (seconds: number) =>
      plural(seconds, { one: 'Nouvel essai dans # seconde', other: 'Nouvel essai dans # secondes' }),
    retryNow: 'Essayer maintenant',
    back: 'Connexion rétablie.',
  },

  entry: {
    tagline: 'Discuter et payer au même endroit. Seules les personnes d’une conversation peuvent la lire.',
    signInTitle: 'Bon retour',
    signUpTitle: 'Créez votre compte',
    handle: 'Identifiant',
    handleHint: 'C’est ainsi qu’on vous trouve : 3 à 32 petites lettres, chiffres ou _.',
    displayName: 'Nom',
    displayNameHint: 'Ce que les autres voient. Vous pourrez le changer.',
    password: 'Mot de passe',
    passwordHint: 'Au moins 10 caractères. Quelques mots à la suite sont faciles à retenir et durs à deviner.',
    passwordShort: (missing: number) => plural(missing, { one: 'Encore # caractère', other: 'Encore # caractères' }),
    passwordWeak: 'Facile à deviner : variez davantage.',
    passwordFair: 'Bien. Plus long serait encore mieux.',
    passwordStrong: 'Solide.',
    showPassword: 'Afficher le mot de passe',
    hidePassword: 'Masquer le mot de passe',
    signIn: 'Se connecter',
    signUp: 'Créer le compte',
    signingIn: 'Connexion…',
    signingUp: 'Création de vos clés…',
    noAccount: 'Première visite ?',
    haveAccount: 'Vous avez déjà un compte ?',
    promiseTitle: 'Privé',
    promise: 'Les messages sont fermés sur votre appareil et ouverts sur le leur. Le serveur ne peut pas les lire.',
    promiseMoneyTitle: 'Exact',
    promiseMoney: 'Un paiement est une carte dans la conversation. Elle montre ce que dit le registre, rien d’autre.',
    newDeviceNote:
      'Ce navigateur devient un nouvel appareil : ayez votre code PIN ou un autre de vos appareils à portée de main. Les messages d’avant restent sur les appareils qui les ont.',
    required: 'À remplir, s’il vous plaît.',
  },

  otherTab: {
    title: 'ChatPay est ouvert dans un autre onglet',
    body: 'Vos clés ne servent que dans un onglet à la fois, pour qu’aucun message ne se perde. Utilisez ChatPay là-bas, ou ramenez-le ici.',
    action: 'L’utiliser ici',
  },

  revoked: {
    title: 'Cet appareil a été retiré',
    body: 'Quelqu’un de connecté à votre compte a retiré ce navigateur de ses appareils. Tout ce qu’il contenait a été effacé ici. Vos messages et votre argent sont en sûreté sur vos autres appareils.',
    notYou: 'Si ce n’était pas vous, connectez-vous et changez votre mot de passe.',
    action: 'Se reconnecter',
  },

  insecure: {
    title: 'ChatPay a besoin d’une adresse sûre',
    body: 'Les navigateurs ne chiffrent que sur les pages venues par https, ou de cette machine même. Ouvrez ChatPay par son adresse https, ou demandez-la à qui tient ce serveur.',
  },

  failed: {
    title: 'ChatPay n’a pas pu démarrer ici',
    body: 'Il garde vos clés et vos messages dans ce navigateur, ce que les fenêtres privées et certains réglages interdisent. Autorisez le stockage pour ce site ou prenez une fenêtre ordinaire, puis réessayez.',
    action: 'Réessayer',
  },

  update: {
    body: 'Il y a une nouvelle version de ChatPay.',
    action: 'Recharger',
  },

  notFound: {
    title: 'Rien ici',
    body: 'Cette adresse ne mène nulle part, ou à quelque chose dont vous ne faites pas partie.',
    action: 'Aller à vos discussions',
  },

  chats: {
    title: 'Discussions',
    search: 'Chercher, ou entrer un identifiant',
    searchKey: (mac: boolean) => (mac ? '⌘K' : 'Ctrl K'),
    clearSearch: 'Effacer la recherche',
    newChat: 'Nouvelle discussion',
    noMatch: (query: string) => `Aucune discussion ne correspond à « ${query} ».`,
    startWith: (handle: string) => `Discuter avec @${handle}`,
    emptyTitle: 'Aucune conversation',
    emptyBody: 'Dites bonjour à quelqu’un. Il suffit de son identifiant.',
    emptyAction: 'Commencer une discussion',
    shareHandle: 'On vous trouve sous le nom',
    pickTitle: 'Choisissez une conversation',
    pickBody: 'Ou commencez-en une avec l’identifiant de quelqu’un.',
    welcome: (name: string) => `Bonjour ${name}`,
    draft: 'Brouillon :',
    you: 'Vous :',
    typing: 'écrit…',
    encrypted: 'Illisible sur cet appareil',
    noMessages: 'Aucun message',
    left: 'Vous n’êtes plus dans ce groupe',
    more: 'Afficher plus de discussions',
  },

  newChat: {
    title: 'Nouvelle discussion',
    groupTitle: 'Nouveau groupe',
    handle: 'Identifiant',
    handlePlaceholder: 'amina',
    handleHint: 'L’identifiant de l’autre personne, avec ou sans @.',
    find: 'Chercher',
    open: 'Ouvrir la discussion',
    makeGroup: 'Plutôt un groupe',
    makeDirect: 'Plutôt une seule personne',
    groupName: 'Nom du groupe',
    groupNameHint: 'Seuls ses membres peuvent le lire.',
    people: 'Personnes',
    addPerson: 'Ajouter la personne',
    noPeople: 'Ajoutez des personnes par leur identifiant. Vous pourrez en ajouter d’autres plus tard.',
    create: (count: number) =>
      count === 0 ? 'Créer le groupe' : plural(count + 1, { one: 'Créer le groupe', other: 'Créer le groupe de #' }),
    creating: 'Création…',
    already: 'Déjà dans la liste.',
    yourself: 'C’est vous.',
    removePerson: (name: string) => `Retirer ${name}`,
  },

  presence: {
    online: 'En ligne',
    recently: 'En ligne récemment',
    seen: {
      today: (time: string) => `Dernière connexion aujourd’hui, vers ${time}`,
      yesterday: (time: string) => `Dernière connexion hier, vers ${time}`,
      on: (date: string) => `Dernière connexion le ${date}`,
    },
  },

  thread: {
    messages: (title: string) => `Conversation avec ${title}`,
    members: (count: number) => plural(count, { one: '# membre', other: '# membres' }),
    typingOne: (name: string) => `${name} écrit…`,
    typingMany: (names: string[]) => `${list(names)} écrivent…`,
    details: 'Détails',
    pay: 'Envoyer ou demander de l’argent',
    composer: 'Message',
    composerHint: 'Écrire un message',
    send: 'Envoyer',
    tooLong: (over: number) => plural(over, { one: '# caractère de trop', other: '# caractères de trop' }),
    left: 'Vous n’êtes plus dans ce groupe. Vous pouvez encore lire ce qui a été dit avant.',
    unread: 'Nouveaux messages',
    newest: 'Aller au dernier message',
    newBelow: (count: number) => plural(count, { one: '# nouveau message', other: '# nouveaux messages' }),
    earlier: 'Charger les messages précédents',
    loadingEarlier: 'Chargement des messages précédents…',
    start: 'C’est le début de la conversation.',
    startEncrypted:
      'Messages et mémos sont chiffrés de bout en bout : seules les personnes de cette conversation peuvent les lire.',
    emptyTitle: (name: string) => `Dites bonjour à ${name}`,
    emptyGroup: 'Dites bonjour à tout le monde',
    failed: 'Non envoyé',
    retry: 'Réessayer',
    discard: 'Supprimer',
    says: (name: string, text: string) => `${name} : ${text}`,
    saysCard: (name: string) => `${name} a publié un paiement`,
    send_state: {
      sending: 'Envoi en cours',
      sent: 'Envoyé',
      delivered: 'Distribué',
      read: 'Lu',
      failed: 'Non envoyé',
    },
    undecryptable: {
      beforeJoin: 'Envoyé avant l’ajout de cet appareil : illisible ici.',
      failed: 'Ce message n’a pas pu être ouvert. Demandez qu’on vous le renvoie.',
      newerVersion: 'Envoyé par une version plus récente de ChatPay. Rechargez la page pour le lire.',
      senderMismatch: 'Ce message ne vient pas de qui il prétend ; il n’est donc pas affiché.',
    },
  },

  notice: {
    created: (by: string, mine: boolean) =>
      mine ? 'Vous avez commencé la conversation' : `${by} a commencé la conversation`,
    added: (by: string, mine: boolean, others: string[], me: boolean) => {
      if (mine) {
        return `Vous avez ajouté ${list(others)}`;
      }
      return me ? [`${by} vous a ajouté`, ...others].join(', ') : `${by} a ajouté ${list(others)}`;
    },
    removed: (by: string, mine: boolean, others: string[], me: boolean) => {
      if (mine) {
        return `Vous avez retiré ${list(others)}`;
      }
      return me ? [`${by} vous a retiré`, ...others].join(', ') : `${by} a retiré ${list(others)}`;
    },
    left: (people: string[]) => `${list(people)} ${people.length > 1 ? 'ont' : 'a'} quitté le groupe`,
    youLeft: 'Vous avez quitté le groupe',
    renamed: (by: string, mine: boolean, name: string) =>
      mine ? `Vous avez nommé le groupe « ${name} »` : `${by} a nommé le groupe « ${name} »`,
    nowOwner: (person: string, me: boolean) =>
      me ? 'Vous êtes maintenant propriétaire' : `${person} est maintenant propriétaire`,
    nowMember: (person: string, me: boolean) =>
      me ? 'Vous n’êtes plus propriétaire' : `${person} n’est plus propriétaire`,
    deviceAdded: (person: string, mine: boolean) =>
      mine ? 'Vous avez ajouté un appareil' : `${person} a ajouté un appareil`,
    deviceRemoved: (person: string, mine: boolean) =>
      mine ? 'Vous avez retiré un appareil' : `${person} a retiré un appareil`,
    retention: (by: string, mine: boolean, days: number | null) => {
      const who = mine ? 'Vous avez' : `${by} a`;
      return days === null
        ? `${who} laissé le serveur décider combien de temps il garde les messages`
        : `${who} réglé le serveur pour garder les messages ${days === 1 ? 'un jour' : `${days} jours`}`;
    },
    removedMeanwhile: 'Des messages ont été supprimés du serveur avant que cet appareil ait pu les recevoir',
    historyStartsHere: 'Les messages d’avant ont été envoyés avant l’ajout de cet appareil',
  },

  details: {
    title: 'Détails',
    members: 'Membres',
    roleOwner: 'Propriétaire',
    roleMember: 'Membre',
    addPeople: 'Ajouter des personnes',
    rename: 'Renommer le groupe',
    name: 'Nom du groupe',
    leave: 'Quitter le groupe',
    leaveTitle: 'Quitter ce groupe ?',
    leaveBody:
      'Vous ne recevrez plus ses messages. Ce qui est sur cet appareil reste lisible. Les paiements déjà faits ne changent pas.',
    leaveOwner: 'Vous en êtes le seul propriétaire : le membre le plus ancien le deviendra.',
    remove: (name: string) => `Retirer ${name}`,
    removeTitle: (name: string) => `Retirer ${name} du groupe ?`,
    removeBody: 'Cette personne ne recevra plus de messages. Elle garde ce qu’elle a déjà reçu.',
    makeOwner: 'Nommer propriétaire',
    makeMember: 'Redevenir membre',
    actions: (name: string) => `Actions pour ${name}`,
    keys: 'Clés des appareils',
    keysBody:
      'Chaque appareil a sa propre clé, dont répond la clé d’identité de son propriétaire. Le numéro de sécurité vaut pour toutes.',
    keysOf: (name: string) => `Clés des appareils de ${name}`,
    noKeys: 'Aucun appareil dans cette conversation pour l’instant.',
    device: (number: number) => `Appareil ${number}`,
    encryption: 'Chiffré de bout en bout',
    encryptionBody:
      'Les messages, les mémos et le nom du groupe ne sont lisibles que par ses membres. Le serveur connaît les montants et qui paie qui, car il tient le registre.',
    removedPerson: 'N’est plus ici',
    message: 'Message',
  },

  pay: moneyFr.pay,

  confirm: confirmFr,

  card: moneyFr.card,

  kinds: kindsFr,

  wallet: moneyFr.wallet,

  book: bookFr,

  receipt: receiptFr,

  settings: {
    title: 'Réglages',
    pick: 'Choisissez ce que vous voulez changer.',
    pages: {
      profile: 'Profil',
      devices: 'Appareils',
      security: 'Sécurité',
      password: 'Mot de passe',
      privacy: 'Vie privée',
      display: 'Langue et apparence',
      about: 'À propos du chiffrement',
    },
    name: 'Nom',
    nameHint: 'Ce que les autres voient dans les conversations.',
    handle: 'Identifiant',
    handleFixed: 'Votre identifiant ne peut pas être changé.',
    devicesBody:
      'Chaque navigateur où vous vous connectez est un appareil avec ses propres clés. Retirez ceux qui ne servent plus.',
    thisDevice: 'Cet appareil',
    deviceSeen: (ago: string) => `Vu ${ago}`,
    deviceAdded: (date: string) => `Ajouté le ${date}`,
    fingerprint: 'Clé',
    revoke: 'Retirer',
    revokeLabel: (name: string) => `Retirer ${name}`,
    revokeTitle: (name: string) => `Retirer ${name} ?`,
    revokeBody:
      'Il est déconnecté aussitôt et ne reçoit plus de messages. Ce qu’il contient est effacé à sa prochaine connexion.',
    revokedDone: (name: string) => `${name} a été retiré.`,
    currentPassword: 'Mot de passe actuel',
    newPassword: 'Nouveau mot de passe',
    repeatPassword: 'Nouveau mot de passe, encore une fois',
    passwordsDiffer: 'Les deux nouveaux mots de passe diffèrent.',
    passwordBody: 'Le changer déconnecte vos autres sessions.',
    changePassword: 'Changer le mot de passe',
    passwordChanged: 'Votre mot de passe a été changé.',
    presence: 'Qui voit quand vous êtes en ligne',
    presenceContacts: 'Mes contacts',
    presenceNobody: 'Personne',
    presenceBody:
      'Vos contacts sont les personnes avec qui vous partagez une conversation. Elles voient si vous êtes en ligne et, à peu près, quand vous l’étiez la dernière fois.',
    presenceHidden: 'Tant que personne ne vous voit, vous ne voyez pas non plus quand les autres sont en ligne.',
    language: 'Langue',
    theme: 'Apparence',
    automatic: 'Automatique',
    themeLight: 'Clair',
    themeDark: 'Sombre',
    signOut: 'Se déconnecter',
    signOutTitle: 'Se déconnecter de ce navigateur ?',
    signOutBody:
      'Les clés de ce navigateur et les messages stockés ici sont effacés. Ils restent sur vos autres appareils ; si celui-ci est le seul, ils sont perdus. Votre argent et vos contacts ne changent pas.',
    signOutConfirm: 'Se déconnecter et effacer',
    signingOut: 'Déconnexion…',
    aboutBody: [
      'Chaque message est fermé sur votre appareil et ne s’ouvre que sur les appareils des personnes de la conversation. Le serveur le transporte sans pouvoir le lire.',
      'Il en va de même des mémos et des noms de groupe. Le serveur sait qui parle avec qui et quand, et il tient le registre : qui a payé qui, combien et quand.',
      'Les messages ne vivent que sur vos appareils. Un nouvel appareil commence avec ce qui se dit à partir de là.',
      'Pour être sûr que personne ne s’est glissé entre vous, comparez le numéro de sécurité dans les détails d’une conversation.',
    ],
  },

  renewal: renewalFr,
  archive: archiveFr,
  scan: scanFr,
  codes: codesFr,
  vault: vaultFr,
  keys: keysFr,
};
