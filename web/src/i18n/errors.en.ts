/**
 * One sentence for every name of the error catalogue (ChatPay.Core/Protocol/Errors.cs), and for failures on this side.
 * It says what happened and what to do; whether money moved is added where money was at stake.
 */
export const errorsEn = {
  // This side.
  offline: 'You are offline. Try again when the connection is back.',
  outcome_unknown:
    'The connection broke while the ledger was deciding. ChatPay finds out by itself when it is back: do not do it again.',
  not_ready: 'ChatPay is not ready here yet. Try again in a moment.',
  group_broken: 'This device has lost its place in the conversation’s encryption. Reload the page to get it back.',
  card_mismatch: 'This card does not say what its author wrote. Nothing was done with it.',
  card_unchecked:
    'This device has not seen what the other person wrote on this request, so it cannot pay it. Use the device that has it, or ask for a new one.',
  not_verified:
    'Money arrives at once only at people whose safety number you have compared. Compare it, or let it be held until they accept.',
  pay_pin_needed: 'So much is paid only after your PIN.',
  pay_pin_wrong: 'This is not your PIN.',
  pay_pin_waits: 'There were too many wrong tries. Wait before the next one.',
  pay_pin_unseen: 'This device has not seen your PIN yet. Let the vault check it once.',
  pay_pin_rests:
    'The PIN was changed here without the one before, so for a day this device pays no amount that asks for it.',
  identity_changed:
    'Somebody in this conversation has new keys. Look at them in the conversation, and accept them before you write or pay.',
  device_unlogged:
    'A device that somebody’s keys do not know is in this conversation in their name. Nothing is sent or paid here until it is gone. They can remove it under Settings, Devices; in a group, an owner can remove them with all devices.',
  own_device_unlogged:
    'A device that your keys do not know is in this conversation in your name. Nothing is sent or paid here until it is gone. Remove it under Settings, Devices: it shows there also if the server hides it.',
  wrong_pin: 'This is not your PIN.',
  vault_too_few:
    'Too few parts of the PIN vault answer right now, so it cannot help. Your PIN is not lost: try again later. If it lasts, ask whoever runs this server.',
  vault_used_up:
    'No guesses of your PIN are left now. The last one may still turn out right, and is given back then. If not, the PIN is destroyed within two minutes: set one again then on a device that has your keys, under Settings, Security.',
  vault_unavailable: 'The PIN vault cannot help right now. Nothing was changed.',
  vault_exhausted:
    'All guesses of your PIN were used up, so the vault has destroyed what it kept of it. Nothing else was lost. Set a PIN again on a device that has your keys, under Settings, Security.',
  vault_locked:
    'The PIN vault was restored from a backup and does not open your PIN any more, since guesses made after the backup would count for nothing. Nothing else was lost. Set the PIN again on a device that has your keys, under Settings, Security.',
  vault_not_registered:
    'The PIN vault has no PIN of yours. Nothing else was lost. Set one again on a device that has your keys, under Settings, Security; and ask whoever runs this server what became of it, or whether other parts are named than those where you set it.',
  vault_realm_lied:
    'A part of the PIN vault gave an answer that no honest one gives, and the others are too few without it. ChatPay did not use it. Your PIN is not lost: try again later, and tell whoever runs this server.',
  vault_realms_other:
    'The server names other parts for the PIN vault than those where your PIN was set, so ChatPay has told them nothing of it. It has changed nothing where your PIN was set, and cannot ask there now. Ask whoever runs this server whether they have changed them; if so, set the PIN again on a device that has your keys, under Settings, Security.',
  pin_refused: 'This PIN is too easily guessed. Choose another one.',
  code_invalid: 'This is no code of a device of your account, or it is out of date. Copy it again from the new device.',
  keys_untrue: 'The server shows keys that cannot be true. ChatPay does not use them; see the security page.',
  archive_needs_pin: 'Set a PIN first: nothing else brings the archive’s key to a new device.',
  pin_needed: 'Your PIN was set on another device. Enter it on this one first.',
  archive_key_missing:
    'The key of your history archive is not on this device, and your PIN, which would bring it, cannot be entered while the server names other parts for the PIN vault. Set the PIN again on a device that takes part in the archive, or delete the archive first.',
  pay_code_invalid: 'This is no code for paying, or a part of it is missing. Copy all of it, or scan it.',
  pay_code_own: 'This is your own code. Somebody else has to scan it.',
  pay_code_keys:
    'This code names other keys than this device knows of this person, so nothing is paid to it. Ask them for a new code; if it still differs, compare safety numbers before you pay.',
  pin_removed: 'Another of your devices removed the PIN while you set it here. There is none now: set it again.',
  device_still_vouched:
    'The device is signed out, but the server has not confirmed that your keys stopped vouching for it. Until then others could take it for yours. Remove it once more; the server lists it no longer, so it has no name here.',
  device_still_signed_in:
    'Your keys do not vouch for the device any more, but the server has not signed it out. Remove it once more.',
  device_still_in_chats:
    'The device is signed out and your keys do not vouch for it, but it could not be put out of every conversation. Remove it once more.',
  unexpected: 'Something went wrong here. Try again; if it keeps happening, reload the page.',

  // Anything.
  internal: 'The server made a mistake. Try again in a moment.',
  malformed_request: 'The server did not understand this request. Reload the page to get the newest version.',
  invalid_argument: 'Something in this form cannot be used. Check it and try again.',
  unknown_method: 'The server does not know this action. Reload the page to get the newest version.',
  too_large: 'This is too large to send.',
  not_found: 'This does not exist, or not any more.',
  too_many_requests: 'That was a lot at once. Wait a moment, then try again.',
  overloaded: 'The server is very busy. Try again in a moment.',
  unavailable: 'The server cannot do this right now. Try again in a moment.',
  forbidden_origin: 'This page was opened from an address the server does not accept.',
  idempotency_conflict: 'This was already sent with other contents. Start again.',
  upgrade_required: 'This page is too old for the server. Reload it.',
  method_not_allowed: 'The server does not allow this action here. Reload the page.',
  unsupported_media_type: 'The server cannot read what was sent. Reload the page.',

  // Accounts and devices.
  unauthenticated: 'You are signed out. Sign in again.',
  bad_credentials: 'Handle and password do not match. Check both and try again.',
  handle_invalid: 'A handle has 3 to 32 characters: small letters a–z, digits and _.',
  handle_taken: 'Somebody already has this handle. Choose another one.',
  handle_reserved: 'This handle is reserved. Choose another one.',
  handle_lookalike: 'This handle looks too much like somebody else’s. Choose one that differs more.',
  password_length: 'A password has 10 to 128 characters.',
  password_common: 'Many people use this password, so it is easily guessed. Choose another one.',
  device_unknown: 'This device does not exist, or not any more.',
  device_revoked: 'This device has been removed from your account. Sign in again.',
  device_key_mismatch: 'This browser holds another device’s keys. Sign out here and sign in again.',
  too_many_devices: 'You have 10 devices already. Remove one you no longer use, then sign in here.',
  display_name_invalid: 'A name has 1 to 64 characters.',
  account_unknown: 'Nobody here has this handle. Check how it is spelled.',
  device_name_invalid: 'A device name has 1 to 64 characters.',
  sign_up_closed: 'New accounts cannot be made on this server at the moment.',

  // Conversations.
  conversation_unknown: 'This conversation does not exist, or you are not part of it.',
  not_member: 'You are no longer part of this conversation.',
  not_owner: 'Only owners of the group can do this.',
  body_too_large: 'This message is too long. Send it in two parts.',
  wrong_device: 'This belongs to another device. Reload the page.',
  stale_epoch: 'The group changed at the same moment. Try again.',
  client_id_reused: 'This message was already sent with other words. Write it again.',
  conversation_exists: 'You already have a conversation with this person.',
  commit_invalid: 'The server refused this change to the group. Try again.',
  key_package_invalid: 'The server refused this device’s keys. Reload the page.',
  key_package_unavailable:
    'This person has no device that can receive messages yet. Try again once they have signed in.',
  group_full: 'The group is full: it can have 500 people.',
  too_many_conversations: 'You or one of these people are in too many conversations already. Leave some first.',
  retention_invalid: 'Messages can be kept for 1 to 3,650 days.',
  message_malformed: 'The server refused this message. Reload the page and try again.',
  member_unknown: 'This person is not in the conversation.',
  direct_conversation: 'This works in groups only.',
  device_unreachable: 'One of these devices cannot be reached from here.',
  device_queue_full: 'Too much is waiting for one of these devices already. Try again later.',
  hello_first: 'The connection was not ready yet. Try again.',

  // Money.
  amount_not_positive: 'Enter an amount above zero.',
  amount_overflow: 'This amount is too large.',
  asset_unknown: 'This server does not know this currency.',
  asset_mismatch: 'These two accounts use different currencies.',
  self_transfer: 'You cannot pay yourself.',
  insufficient_funds: 'You do not have enough available for this.',
  ledger_account_unknown: 'There is no wallet for this payment.',
  hold_closed: 'The money on hold was already released or paid out.',
  hold_exceeded: 'This is more than is on hold.',
  hold_unknown: 'There is no such money on hold.',
  hold_expired: 'The time for this held money has run out; it goes back to who sent it.',
  hold_not_expired: 'The time for this held money has not run out yet.',
  linked_failed: 'One part of this could not be done, so none of it was.',
  refund_unknown: 'There is no such payment to give back.',
  refund_exceeded: 'Less than this is left to give back of that payment.',
  account_frozen: 'The paying account is frozen. Nothing can leave it for now.',
  account_closed: 'This account is closed.',
  account_not_empty: 'There is still money in this account. Only an empty one can be closed.',

  // Cards.
  card_unknown: 'This payment does not exist, or you are not part of its conversation.',
  card_terminal: 'This payment is already settled. The card shows how it ended.',
  card_version_stale: 'This payment changed just now. Look at it again before you decide.',
  card_not_yours: 'Only the people named on the card can do this.',
  card_expired: 'Time has run out for this payment.',
  card_action_unknown: 'This payment cannot do that.',
  detail_commit_mismatch: 'The payment’s details do not match what was agreed, so the server refused it.',
  card_exists: 'This payment was already made.',
  card_kind_unknown: 'The server does not know this kind of payment. Reload the page.',
  card_lifetime_invalid: 'The time limit of this payment cannot be used.',
  too_many_open_cards: 'Too many of your payments are still waiting. Cancel one, or wait until one is answered.',
  pay_code_unknown: 'This code is not good, or not any more. Ask for a new one.',
  pay_code_used: 'Somebody else has scanned this code already. Ask for a new one.',
  too_many_pay_codes: 'You have too many codes open. Close one, or wait until one is over.',
  card_party_not_member: 'Everybody a payment is about must be in the conversation.',
  authorisation_missing:
    'The server wants this payment signed by your device. Reload the page to get the newest version.',
  authorisation_invalid:
    'The server did not accept this device’s signature for the payment. Reload the page and try again.',
  authorisation_expired:
    'The clock of this device is wrong, so its signature came too late or too early. Set the clock, then try again.',
  authorisation_device:
    'This device may not pay: your keys do not vouch for it, or not any more. Approve it under Settings, Devices, on one that you use already.',
  card_plan_invalid: 'These shares or periods cannot be used. Change them and try again.',
  card_already_done: 'You have answered this already, perhaps on another device.',
  mandate_exceeded: 'This is more than may be taken in this period.',
  realm_unknown: 'A part of the PIN vault is not where it was. Reload the page.',
  vault_message_invalid: 'The PIN vault did not understand this page. Reload it.',
  realm_token_invalid: 'A part of the PIN vault did not let this device in. Try again.',
  realm_token_expired: 'This took too long for a part of the PIN vault. Try again.',
  realm_token_audience: 'A part of the PIN vault did not let this device in. Try again.',
  realm_token_signer: 'A part of the PIN vault does not know this server’s key. Tell the operator.',

  // Keys and their log.
  key_entry_invalid: 'The server did not accept this change to your keys. Reload the page and try again.',
  key_chain_stale: 'Another of your devices changed your keys at the same moment. Try again.',
  device_not_approved:
    'This device is not approved yet. Enter your PIN here, or approve it on a device that you use already.',
  wrapped_keys_stale: 'Another of your devices set the PIN at the same moment. Try again.',
  log_size_unknown: 'The server’s key log is shorter than what it showed before. See the security page.',
  archive_exists: 'Another of your devices has just turned on an archive. Look again.',
  archive_unknown: 'This archive is not there any more.',
  archive_chunk_conflict: 'The archive is not where this device had left it. Try again.',
  archive_full: 'The archive is full.',
  archive_off: 'This server keeps no archives.',
} as const;

export type ErrorName = keyof typeof errorsEn;
