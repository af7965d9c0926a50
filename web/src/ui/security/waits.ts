import type { ErrorInfo } from '../../state/contract';

/** `SignatureInvalid`, `IdentityOther` and `WaitPending` of ChatPay.Core's `VaultRejection`. */
const foreignKey = [55, 59, 60];

const pinErrors = ['pay_pin_needed', 'pay_pin_wrong', 'pay_pin_waits', 'pay_pin_unseen', 'pay_pin_rests'];

/** Whether the PIN that is asked for before a payment is all that is in the way. */
export function isPinError({ code, name }: ErrorInfo): boolean {
  return code === 0 && pinErrors.includes(name);
}

/** Whether the realms keep the PIN under a key that this account does not have: it can be replaced after a wait. */
export function needsWait({ name, details }: ErrorInfo): boolean {
  return name === 'vault_unavailable' && foreignKey.includes(Number(details?.reason));
}
