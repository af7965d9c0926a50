import type { Catalogue } from '../../i18n/en';
import type { ErrorInfo, LyingRealm } from '../../state/contract';

/** The parts of the vault that an error names as having lied; none of any other error. */
export function liarsIn({ code, details }: ErrorInfo): LyingRealm[] {
  return code === 0 && Array.isArray(details?.realms) ? (details.realms as LyingRealm[]) : [];
}

/** `RealmsDisagree` of ChatPay.Core's `VaultRejection`. */
const realmsDisagree = 36;

/** Whether so many parts have another PIN than the account's keys name that one being set and other parts look the same. */
export function isDisagreement({ code, name, details }: ErrorInfo): boolean {
  return code === 0 && name === 'vault_unavailable' && details?.reason === realmsDisagree;
}

/** Who they are, in words. */
export function liarNames(liars: readonly LyingRealm[], { vault, common }: Catalogue): string {
  return common.list(
    liars.map(({ part, operator, address }) =>
      operator === null || address === null ? vault.lied.part(part) : vault.lied.partOf(part, operator, address),
    ),
  );
}

/** What an error says of parts of the vault that lied: all of it, or beside what it is about; null where none did. */
export function liarsSaid(error: ErrorInfo, t: Catalogue): string | null {
  const names = liarNames(liarsIn(error), t);
  return names === '' ? null : error.name === 'vault_realm_lied' ? t.vault.lied.which(names) : t.vault.lied.also(names);
}
