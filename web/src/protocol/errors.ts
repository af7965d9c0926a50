import { ActionError, type ErrorInfo } from '../state/contract';
import type { ErrorBody } from './wire';

/** The catalogue's numbers by name; the server's names are authoritative, these are the ones this client acts on. */
export const ErrorCode = {
  internal: 1000,
  notFound: 1005,
  invalidArgument: 1002,
  tooManyRequests: 1006,
  overloaded: 1007,
  unavailable: 1008,
  upgradeRequired: 1011,
  unauthenticated: 2001,
  deviceUnknown: 2009,
  deviceRevoked: 2010,
  deviceKeyMismatch: 2011,
  accountUnknown: 2014,
  conversationUnknown: 3001,
  notMember: 3002,
  wrongDevice: 3005,
  staleEpoch: 3006,
  clientIdReused: 3007,
  conversationExists: 3008,
  commitInvalid: 3009,
  keyPackageUnavailable: 3011,
  groupFull: 3012,
  helloFirst: 3016,
  amountNotPositive: 4001,
  amountOverflow: 4002,
  assetUnknown: 4003,
  selfTransfer: 4005,
  cardUnknown: 5001,
  cardTerminal: 5002,
  cardVersionStale: 5003,
  cardExpired: 5005,
  cardExists: 5008,
  authorisationMissing: 5013,
  authorisationInvalid: 5014,
  authorisationExpired: 5015,
  authorisationDevice: 5016,
  cardPlanInvalid: 5017,
  cardAlreadyDone: 5018,
  mandateExceeded: 5019,
  payCodeUnknown: 5020,
  payCodeUsed: 5021,
  tooManyPayCodes: 5022,
  keyEntryInvalid: 7001,
  keyChainStale: 7002,
  deviceNotApproved: 7003,
  wrappedKeysStale: 7004,
  logSizeUnknown: 7005,
  archiveExists: 7006,
  archiveUnknown: 7007,
  archiveChunkConflict: 7008,
  archiveFull: 7009,
  archiveOff: 7010,
} as const;

/**
 * Failures on this side have code 0. Their names:
 * `offline`: nothing was sent. `outcome_unknown`: the connection broke while the ledger was deciding; the client
 * finishes by itself when it is back, so it must not be done again. `not_ready`: not signed in, or not the tab that
 * holds the keys. `group_broken`: this device could not get back into the conversation's encryption. `card_mismatch`:
 * the card's details are not what its author committed to. `card_unchecked`: this device has not seen what they committed to,
 * so it pays nothing for it. `pay_pin_needed`: so much is paid only after the PIN. `pay_pin_wrong`: it is another one, with
 * `triesLeft` and `waitMs`. `pay_pin_waits`: it is not looked at yet, with `waitMs`. `pay_pin_unseen`: only the vault can tell
 * here whether it is right. `pay_pin_rests`: it was replaced without the one before, with `until`. `identity_changed`: somebody in the conversation shows another
 * identity key than the accepted one, or a device that their keys do not vouch for. `device_unlogged`: they were
 * accepted, and such a device is still there. `own_device_unlogged`: one is there in this very account's name. `wrong_pin`: a guess was spent. `vault_unavailable`: the realms of the vault cannot
 * help, with `VaultRejection`'s number as `reason`: 36 is told as both that it may be, a PIN that was just being set or other realms. `vault_too_few`: too few of them answer. `vault_used_up`: no guess is left now, and the last one may still turn out right. `vault_exhausted`, `vault_locked`, `vault_not_registered`: too few of them have a
 * PIN that could be opened still, because all guesses were used up, because they were restored from a backup, or because nothing
 * is registered: it has to be set again. `vault_realm_lied`: one gave an answer that no honest one gives, and is in `realms`.
 * `vault_realms_other`: the server names other realms than those that the PIN was set at, or other addresses for them, and none of
 * them was told anything of it.
 * `device_still_vouched`: a device was signed out, and the account's keys vouch for it still; `device_still_signed_in`: the reverse;
 * `device_still_in_chats`: both was done, and it is in conversations still. `pin_refused`: the PIN is too easily guessed. `code_invalid`: no code of a device of this account. `keys_untrue`:
 * the server shows keys that cannot be true. `archive_needs_pin`: nothing else would bring the archive's key back.
 * `pin_needed`: the PIN was set on another device, and this one does not know what it opens. `archive_key_missing`: it brings the
 * archive's key, which a new PIN would leave behind, and cannot be entered while the server names other realms. `pin_removed`: another device has
 * removed it while this one set it.
 * `pay_code_invalid`: no code for paying. `pay_code_own`: one's own. `pay_code_keys`: it names another identity key than this
 * device knows of the person.
 * `unexpected`: a bug here, or something that is no server of ours answered.
 */
export function localError(
  name: LocalErrorName,
  retryable = true,
  details: Record<string, unknown> | null = null,
): ActionError {
  return new ActionError({ code: 0, name, retryable, ...(details ? { details } : {}) });
}

export type LocalErrorName =
  | 'offline'
  | 'outcome_unknown'
  | 'not_ready'
  | 'group_broken'
  | 'card_mismatch'
  | 'card_unchecked'
  | 'not_verified'
  | 'pay_pin_needed'
  | 'pay_pin_wrong'
  | 'pay_pin_waits'
  | 'pay_pin_unseen'
  | 'pay_pin_rests'
  | 'identity_changed'
  | 'device_unlogged'
  | 'own_device_unlogged'
  | 'wrong_pin'
  | 'vault_unavailable'
  | 'vault_too_few'
  | 'vault_used_up'
  | 'vault_exhausted'
  | 'vault_locked'
  | 'vault_not_registered'
  | 'vault_realm_lied'
  | 'vault_realms_other'
  | 'device_still_vouched'
  | 'device_still_signed_in'
  | 'device_still_in_chats'
  | 'pin_refused'
  | 'code_invalid'
  | 'keys_untrue'
  | 'archive_needs_pin'
  | 'pin_needed'
  | 'archive_key_missing'
  | 'pay_code_invalid'
  | 'pay_code_own'
  | 'pay_code_keys'
  | 'pin_removed'
  | 'unexpected';

export function fromBody(body: ErrorBody): ActionError {
  const info: ErrorInfo = { code: body.code, name: body.name, retryable: body.retryable };
  if (body.details) {
    info.details = body.details;
  }
  return new ActionError(info);
}

/** Whatever was thrown, as the one error that actions may throw. */
export function toActionError(thrown: unknown): ActionError {
  if (thrown instanceof ActionError) {
    return thrown;
  }
  return localError('unexpected', false);
}

export function isCode(thrown: unknown, code: number): thrown is ActionError {
  return thrown instanceof ActionError && thrown.info.code === code;
}

/** For failures on this side, which have no number. */
export function isNamed(thrown: unknown, name: LocalErrorName): thrown is ActionError {
  return thrown instanceof ActionError && thrown.info.code === 0 && thrown.info.name === name;
}

/** When the server says to come back; null where it says nothing. */
export function retryAfterMs(thrown: unknown): number | null {
  const asked = thrown instanceof ActionError ? thrown.info.details?.retryAfterMs : undefined;
  return typeof asked === 'number' && asked >= 0 ? asked : null;
}

/** The request may not have reached the server, or its answer was lost: the very same request may be sent again. */
export function isTransient(thrown: unknown): boolean {
  return thrown instanceof ActionError && thrown.info.retryable;
}
