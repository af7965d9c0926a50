import type { VaultAttempts, VaultWait } from '../../protocol/wire';
import type { VaultOverview } from '../../state/contract';
import { nameOfShown } from '../../vault/configuration';
import { VaultLimits } from '../../vault/limits';
import { type VaultApi, vaultOverRest } from '../../vault/restPort';
import { mergeAttempts } from './vaultAttempts';

/** Realms list a hundred each; one that lists more is not listened to longer. */
export const mostAttempts = 100;

/** What a realm tells of guesses and waits. */
export type RealmTold = VaultAttempts & { realm: string };

/** What the realms tell; those that do not answer are left out. */
export async function vaultTold(api: VaultApi): Promise<RealmTold[]> {
  const port = vaultOverRest(api);
  const { realms } = await port.view();
  const lists = await Promise.allSettled(
    realms.slice(0, VaultLimits.realms).map(async (realm) => {
      const { attempts, wait } = await port.attempts(realm);
      return { realm, attempts: attempts.slice(0, mostAttempts), wait: wait ?? null };
    }),
  );
  return lists.flatMap((list) => (list.status === 'fulfilled' ? [list.value] : []));
}

/** Who runs the vault, who tried what, and whether somebody waits for the PIN to go. Realms that do not answer are left out. */
export async function vaultOverview(api: VaultApi): Promise<VaultOverview> {
  const view = await api.vault();
  const { operators, threshold, realms } = view;
  const told = await vaultTold(api);
  const hosts = (view.hosts ?? []).map(({ operator, address }) => ({ operator, address }));
  return {
    operators,
    together: fewestWith(threshold, hosts),
    hosts,
    threshold,
    realms: realms.length,
    name: nameOfShown(view),
    answering: told.length,
    attempts: mergeAttempts(told),
    wait: waitOf(told),
  };
}

/** The one that has longest to go: whoever waits needs a threshold of realms. */
function waitOf(told: RealmTold[]): VaultOverview['wait'] {
  const begun = told.flatMap(({ wait }): VaultWait[] => (wait?.state === 'begun' ? [wait] : []));
  const [last] = begun.toSorted((a, b) => Date.parse(b.until) - Date.parse(a.until));
  return last ? { device: last.device, until: Date.parse(last.until) } : null;
}

/** How few operators have so many realms between them; one, where the server runs them all itself. */
export function fewestWith(threshold: number, hosts: readonly { operator: string }[]): number {
  const counts = new Map<string, number>();
  for (const { operator } of hosts) {
    counts.set(operator, (counts.get(operator) ?? 0) + 1);
  }
  let [operators, realms] = [0, 0];
  for (const count of [...counts.values()].toSorted((a, b) => b - a)) {
    if (realms < threshold) {
      operators++;
      realms += count;
    }
  }
  return Math.max(operators, 1);
}
