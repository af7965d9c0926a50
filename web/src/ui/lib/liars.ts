import type { Catalogue } from '../../i18n/en';
import type { ErrorInfo, LyingRealm } from '../../state/contract';

/** The parts of the vault that an error names as having lied; none of any other error. */
export function liarsIn({ code, details }: ErrorInfo): LyingRealm[] {
  return code === 0 && Array.isArray(details?.realms) ? (details.realms as LyingRealm[]) : [];
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
