import type { ErrorName } from './errors.en';

export const errorsFr: Record<ErrorName, string> = {
  offline: 'Vous êtes hors ligne. Réessayez quand la connexion sera revenue.',
  outcome_unknown:
    'La connexion s’est coupée pendant que le registre décidait. ChatPay le saura de lui-même à son retour : ne recommencez pas.',
  not_ready: 'ChatPay n’est pas encore prêt ici. Réessayez dans un instant.',
  group_broken:
    'Cet appareil a perdu sa place dans le chiffrement de la conversation. Rechargez la page pour la retrouver.',
  card_mismatch: 'Cette carte ne dit pas ce que son auteur a écrit. Rien n’a été fait.',
  card_unchecked:
    'Cet appareil n’a pas vu ce que l’autre personne a écrit dans cette demande ; il ne peut donc pas la payer. Utilisez l’appareil qui l’a, ou faites-vous envoyer une nouvelle demande.',
  not_verified:
    'L’argent n’arrive aussitôt que chez les personnes dont vous avez comparé le numéro de sécurité. Comparez-le, ou laissez l’argent en attente jusqu’à leur accord.',
  pay_pin_needed: 'Un tel montant n’est payé qu’après votre code PIN.',
  pay_pin_wrong: 'Ce n’est pas votre code PIN.',
  pay_pin_waits: 'Il y a eu trop d’essais faux. Attendez avant le suivant.',
  pay_pin_unseen: 'Cet appareil n’a pas encore vu votre code PIN. Faites-le vérifier une fois par le coffre.',
  pay_pin_rests:
    'Le code PIN a été changé ici sans le précédent : pendant un jour, cet appareil ne paie aucun montant qui le demande.',
  identity_changed:
    'Quelqu’un dans cette conversation a de nouvelles clés. Regardez-les dans la conversation et acceptez-les avant d’écrire ou de payer.',
  device_unlogged:
    'Un appareil que les clés de quelqu’un ne connaissent pas est dans cette conversation en son nom. Rien n’y est envoyé ni payé tant qu’il est là. Cette personne peut le retirer dans Réglages, Appareils ; dans un groupe, un propriétaire peut la retirer avec tous ses appareils.',
  own_device_unlogged:
    'Un appareil que vos clés ne connaissent pas est dans cette conversation en votre nom. Rien n’y est envoyé ni payé tant qu’il est là. Retirez-le dans Réglages, Appareils : il y figure même si le serveur le cache.',
  wrong_pin: 'Ce n’est pas votre code PIN.',
  vault_too_few:
    'Trop peu de parties du coffre des codes PIN répondent pour le moment, il ne peut donc pas aider. Votre code PIN n’est pas perdu : réessayez plus tard. Si cela dure, demandez à qui gère ce serveur.',
  vault_used_up:
    'Il ne reste aucun essai de votre code PIN pour le moment. Le dernier peut encore se révéler juste, il vous est alors rendu. Sinon, le code PIN est détruit dans les deux minutes : redéfinissez-le alors sur un appareil qui a vos clés, dans Réglages, Sécurité.',
  vault_unavailable: 'Le coffre des codes PIN ne peut pas aider pour le moment. Rien n’a changé.',
  vault_exhausted:
    'Tous les essais de votre code PIN ont été épuisés, et le coffre a détruit ce qu’il en gardait. Rien d’autre n’est perdu. Redéfinissez un code PIN sur un appareil qui a vos clés, dans Réglages, Sécurité.',
  vault_locked:
    'Le coffre des codes PIN a été restauré d’une sauvegarde et n’ouvre plus votre code, car les essais faits après elle ne compteraient plus. Rien d’autre n’est perdu. Redéfinissez le code PIN sur un appareil qui a vos clés, dans Réglages, Sécurité.',
  vault_not_registered:
    'Le coffre des codes PIN n’a aucun code de vous. Rien d’autre n’est perdu. Redéfinissez-en un sur un appareil qui a vos clés, dans Réglages, Sécurité ; et demandez à qui gère ce serveur ce qu’il en est advenu, ou s’il nomme d’autres parties que celles où vous l’aviez défini.',
  vault_realm_lied:
    'Une partie du coffre des codes PIN a donné une réponse qu’aucune partie honnête ne donne, et sans elle les autres sont trop peu. ChatPay ne s’en est pas servi. Votre code PIN n’est pas perdu : réessayez plus tard, et prévenez qui gère ce serveur.',
  vault_realms_other:
    'Le serveur nomme d’autres parties du coffre des codes PIN que celles où votre code a été défini : ChatPay ne leur en a donc rien dit. Rien n’a été changé là où votre code a été défini, et on ne peut pas s’y renseigner maintenant. Demandez à qui gère ce serveur s’il les a changées ; si oui, redéfinissez le code PIN sur un appareil qui a vos clés, dans Réglages, Sécurité.',
  pin_refused: 'Ce code PIN est trop facile à deviner. Choisissez-en un autre.',
  code_invalid:
    'Ce n’est pas le code d’un appareil de votre compte, ou il n’est plus à jour. Copiez-le à nouveau depuis le nouvel appareil.',
  keys_untrue:
    'Le serveur montre des clés qui ne peuvent pas être vraies. ChatPay ne les utilise pas ; voyez la page Sécurité.',
  archive_needs_pin:
    'Définissez d’abord un code PIN : rien d’autre n’amène la clé de l’archive sur un nouvel appareil.',
  pin_needed: 'Votre code PIN a été défini sur un autre appareil. Entrez-le d’abord sur celui-ci.',
  archive_key_missing:
    'La clé de votre archive n’est pas sur cet appareil, et votre code PIN, qui l’amènerait, ne peut pas être entré tant que le serveur nomme d’autres parties du coffre. Redéfinissez le code PIN sur un appareil qui prend part à l’archive, ou supprimez d’abord l’archive.',
  pay_code_invalid: 'Ce n’est pas un code de paiement, ou il en manque une partie. Copiez-le en entier, ou scannez-le.',
  pay_code_own: 'C’est votre propre code. Quelqu’un d’autre doit le scanner.',
  pay_code_keys:
    'Ce code nomme d’autres clés que celles que cet appareil connaît de cette personne : rien ne lui est payé. Demandez-lui un nouveau code ; s’il diffère encore, comparez vos numéros de sécurité avant de payer.',
  pin_removed:
    'Un autre de vos appareils a supprimé le code PIN pendant que vous le définissiez ici. Il n’y en a plus : redéfinissez-le.',
  device_still_vouched:
    'L’appareil est déconnecté, mais le serveur n’a pas confirmé que vos clés ne répondent plus de lui. D’ici là, d’autres pourraient le prendre pour le vôtre. Retirez-le encore une fois ; le serveur ne le mentionne plus, il n’a donc plus de nom ici.',
  device_still_signed_in:
    'Vos clés ne répondent plus de l’appareil, mais le serveur ne l’a pas déconnecté. Retirez-le encore une fois.',
  device_still_in_chats:
    'L’appareil est déconnecté et vos clés ne répondent plus de lui, mais il n’a pas pu être exclu de chaque conversation. Retirez-le encore une fois.',
  unexpected: 'Quelque chose s’est mal passé ici. Réessayez ; si cela se répète, rechargez la page.',

  internal: 'Le serveur a fait une erreur. Rien n’a changé ; réessayez dans un instant.',
  malformed_request: 'Le serveur n’a pas compris cette demande. Rechargez la page pour avoir la dernière version.',
  invalid_argument: 'Quelque chose dans ce formulaire ne convient pas. Vérifiez et réessayez.',
  unknown_method: 'Le serveur ne connaît pas cette action. Rechargez la page pour avoir la dernière version.',
  too_large: 'C’est trop volumineux pour être envoyé.',
  not_found: 'Cela n’existe pas, ou plus.',
  too_many_requests: 'Cela fait beaucoup d’un coup. Attendez un instant, puis réessayez.',
  overloaded: 'Le serveur est très occupé. Réessayez dans un instant.',
  unavailable: 'Le serveur ne peut pas le faire maintenant. Réessayez dans un instant.',
  forbidden_origin: 'Cette page a été ouverte depuis une adresse que le serveur n’accepte pas.',
  idempotency_conflict: 'Cela a déjà été envoyé avec un autre contenu. Recommencez.',
  upgrade_required: 'Cette page est trop ancienne pour le serveur. Rechargez-la.',
  method_not_allowed: 'Le serveur ne permet pas cette action ici. Rechargez la page.',
  unsupported_media_type: 'Le serveur ne peut pas lire ce qui a été envoyé. Rechargez la page.',

  unauthenticated: 'Vous êtes déconnecté. Connectez-vous à nouveau.',
  bad_credentials: 'L’identifiant et le mot de passe ne vont pas ensemble. Vérifiez les deux et réessayez.',
  handle_invalid: 'Un identifiant a de 3 à 32 caractères : petites lettres a–z, chiffres et _.',
  handle_taken: 'Quelqu’un a déjà cet identifiant. Choisissez-en un autre.',
  handle_reserved: 'Cet identifiant est réservé. Choisissez-en un autre.',
  handle_lookalike: 'Cet identifiant ressemble trop à celui de quelqu’un d’autre. Choisissez-en un plus différent.',
  password_length: 'Un mot de passe a de 10 à 128 caractères.',
  password_common: 'Beaucoup de gens ont ce mot de passe, il est donc facile à deviner. Choisissez-en un autre.',
  device_unknown: 'Cet appareil n’existe pas, ou plus.',
  device_revoked: 'Cet appareil a été retiré de votre compte. Connectez-vous à nouveau.',
  device_key_mismatch:
    'Ce navigateur contient les clés d’un autre appareil. Déconnectez-vous ici, puis reconnectez-vous.',
  too_many_devices: 'Vous avez déjà 10 appareils. Retirez-en un qui ne sert plus, puis connectez-vous ici.',
  display_name_invalid: 'Un nom a de 1 à 64 caractères.',
  account_unknown: 'Personne ici n’a cet identifiant. Vérifiez comment il s’écrit.',
  device_name_invalid: 'Le nom d’un appareil a de 1 à 64 caractères.',
  sign_up_closed: 'On ne peut pas créer de compte sur ce serveur pour le moment.',

  conversation_unknown: 'Cette conversation n’existe pas, ou vous n’en faites pas partie.',
  not_member: 'Vous ne faites plus partie de cette conversation.',
  not_owner: 'Seuls les propriétaires du groupe peuvent le faire.',
  body_too_large: 'Ce message est trop long. Envoyez-le en deux parties.',
  wrong_device: 'Cela appartient à un autre appareil. Rechargez la page.',
  stale_epoch: 'Le groupe a changé au même moment. Réessayez.',
  client_id_reused: 'Ce message a déjà été envoyé avec d’autres mots. Écrivez-le à nouveau.',
  conversation_exists: 'Vous avez déjà une conversation avec cette personne.',
  commit_invalid: 'Le serveur a refusé ce changement du groupe. Réessayez.',
  key_package_invalid: 'Le serveur a refusé les clés de cet appareil. Rechargez la page.',
  key_package_unavailable:
    'Cette personne n’a pas encore d’appareil qui puisse recevoir des messages. Réessayez quand elle se sera connectée.',
  group_full: 'Le groupe est complet : il peut avoir 500 personnes.',
  too_many_conversations: 'Vous ou l’une de ces personnes participez déjà à trop de conversations. Quittez-en d’abord.',
  retention_invalid: 'Les messages peuvent être gardés de 1 à 3 650 jours.',
  message_malformed: 'Le serveur a refusé ce message. Rechargez la page et réessayez.',
  member_unknown: 'Cette personne n’est pas dans la conversation.',
  direct_conversation: 'Cela ne marche que dans les groupes.',
  device_unreachable: 'Un de ces appareils ne peut pas être joint d’ici.',
  device_queue_full: 'Trop de choses attendent déjà un de ces appareils. Réessayez plus tard.',
  hello_first: 'La connexion n’était pas encore prête. Réessayez.',

  amount_not_positive: 'Entrez un montant supérieur à zéro.',
  amount_overflow: 'Ce montant est trop grand.',
  asset_unknown: 'Ce serveur ne connaît pas cette monnaie.',
  asset_mismatch: 'Ces deux comptes ont des monnaies différentes.',
  self_transfer: 'Vous ne pouvez pas vous payer vous-même.',
  insufficient_funds: 'Vous n’avez pas assez d’argent disponible.',
  ledger_account_unknown: 'Il n’y a pas de portefeuille pour ce paiement.',
  hold_closed: 'L’argent réservé a déjà été rendu ou versé.',
  hold_exceeded: 'C’est plus que la somme réservée.',
  hold_unknown: 'Il n’y a pas de telle somme réservée.',
  hold_expired: 'Le délai de cette somme réservée est passé ; elle retourne à qui l’avait envoyée.',
  hold_not_expired: 'Le délai de cette somme réservée n’est pas encore passé.',
  linked_failed: 'Une partie de l’opération n’a pas abouti ; rien n’a donc été fait.',
  refund_unknown: 'Il n’y a pas de tel paiement à rembourser.',
  refund_exceeded: 'Il reste moins que cela à rembourser de ce paiement.',
  account_frozen: 'Le compte qui paie est bloqué. Rien ne peut en sortir pour l’instant.',
  account_closed: 'Ce compte est fermé.',
  account_not_empty: 'Il reste de l’argent sur ce compte. Seul un compte vide peut être fermé.',

  card_unknown: 'Ce paiement n’existe pas, ou vous ne faites pas partie de sa conversation.',
  card_terminal: 'Ce paiement est déjà terminé. La carte montre comment.',
  card_version_stale: 'Ce paiement vient de changer. Regardez-le encore avant de décider.',
  card_not_yours: 'Seules les personnes nommées sur la carte peuvent le faire.',
  card_expired: 'Le délai de ce paiement est passé.',
  card_action_unknown: 'Ce paiement ne permet pas cela.',
  detail_commit_mismatch:
    'Les détails du paiement ne correspondent pas à ce qui était convenu ; le serveur l’a donc refusé.',
  card_exists: 'Ce paiement a déjà été fait.',
  card_kind_unknown: 'Le serveur ne connaît pas ce type de paiement. Rechargez la page.',
  card_lifetime_invalid: 'Le délai de ce paiement ne convient pas.',
  too_many_open_cards: 'Trop de vos paiements attendent encore. Annulez-en un, ou attendez une réponse.',
  pay_code_unknown: 'Ce code n’est pas valable, ou ne l’est plus. Demandez-en un autre.',
  pay_code_used: 'Quelqu’un d’autre a déjà scanné ce code. Demandez-en un autre.',
  too_many_pay_codes: 'Vous avez trop de codes en cours. Fermez-en un, ou attendez que l’un d’eux expire.',
  card_party_not_member: 'Toutes les personnes d’un paiement doivent être dans la conversation.',
  authorisation_missing:
    'Le serveur veut que votre appareil signe ce paiement. Rechargez la page pour avoir la dernière version.',
  authorisation_invalid:
    'Le serveur n’a pas accepté la signature de cet appareil pour ce paiement. Rechargez la page et réessayez.',
  authorisation_expired:
    'L’horloge de cet appareil est fausse : sa signature arrive trop tard ou trop tôt. Réglez l’horloge, puis réessayez.',
  authorisation_device:
    'Cet appareil ne peut pas payer : vos clés ne répondent pas de lui, ou plus. Approuvez-le dans Réglages, Appareils, sur un appareil que vous utilisez déjà.',
  card_plan_invalid: 'Ces parts ou ces périodes ne conviennent pas. Modifiez-les et réessayez.',
  card_already_done: 'Vous y avez déjà répondu, peut-être sur un autre appareil.',
  mandate_exceeded: 'C’est plus que ce qui peut être prélevé dans cette période.',
  realm_unknown: 'Une partie du coffre à code n’est plus à sa place. Rechargez la page.',
  vault_message_invalid: 'Le coffre à code n’a pas compris cette page. Rechargez-la.',
  realm_token_invalid: 'Une partie du coffre à code n’a pas laissé entrer cet appareil. Réessayez.',
  realm_token_expired: 'Une partie du coffre à code a trop attendu. Réessayez.',
  realm_token_audience: 'Une partie du coffre à code n’a pas laissé entrer cet appareil. Réessayez.',
  realm_token_signer: 'Une partie du coffre à code ne connaît pas la clé de ce serveur. Prévenez l’exploitant.',

  key_entry_invalid: 'Le serveur n’a pas accepté ce changement de vos clés. Rechargez la page et réessayez.',
  key_chain_stale: 'Un autre de vos appareils a changé vos clés au même moment. Réessayez.',
  device_not_approved:
    'Cet appareil n’est pas encore approuvé. Entrez votre code PIN ici, ou approuvez-le sur un appareil que vous utilisez déjà.',
  wrapped_keys_stale: 'Un autre de vos appareils a défini le code PIN au même moment. Réessayez.',
  log_size_unknown:
    'Le journal des clés du serveur est plus court que ce qu’il a montré avant. Voyez la page Sécurité.',
  archive_exists: 'Un autre de vos appareils vient d’activer une archive. Regardez à nouveau.',
  archive_unknown: 'Cette archive n’existe plus.',
  archive_chunk_conflict: 'L’archive n’est plus là où cet appareil l’avait laissée. Réessayez.',
  archive_full: 'L’archive est pleine.',
  archive_off: 'Ce serveur ne garde pas d’archives.',
};
