import type { ErrorInfo, LyingRealm } from '../../state/contract';

/** The parts of the vault that an error names as having lied; none of any other error. */
export function liarsIn({ code, name, details }: ErrorInfo): LyingRealm[] {
  return code === 0 && name === 'vault_realm_lied' ? ((details?.realms as LyingRealm[] | undefined) ?? []) : [];
}
