import type { ErrorInfo } from '../../state/contract';

/** `SignatureInvalid`, `IdentityOther` and `WaitPending` of ChatPay.Core's `VaultRejection`. */
const foreignKey = [55, 59, 60];

/** Whether the realms keep the PIN under a key that this account does not have: it can be replaced after a wait. */
export function needsWait({ name, details }: ErrorInfo): boolean {
  return name === 'vault_unavailable' && foreignKey.includes(Number(details?.reason));
}
