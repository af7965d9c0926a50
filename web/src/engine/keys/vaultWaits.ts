import type { VaultWait } from '../../protocol/wire';
import type { SeenWait } from '../../storage/records';
import { clocksApartMs } from './vaultAttempts';
import type { RealmTold } from './vaultTold';

type Part = NonNullable<SeenWait['at']>[number];

/** What a lying realm makes up shall not fill the store: a true one that it pushes out is told of once more, and none is lost. */
const mostWaits = 64;

/**
 * What is known of waits once this one is. A device begins one at all realms at once, which each have an id of their own for it:
 * those of different realms within a minute are one act. A second one of the same realm is another act, and so is whatever comes
 * after the first has ended.
 * @returns null where it was known
 */
export function withWait(known: readonly SeenWait[], wait: VaultWait): { waits: SeenWait[]; isNew: boolean } | null {
  const { realm, id, device } = wait;
  const until = Date.parse(wait.until);
  if (known.some((act) => act.at?.some((one) => one.realm === realm && one.id === id))) {
    return null;
  }
  const same = known.findLast(
    (act) =>
      !isOver(act) &&
      act.device === device &&
      Math.abs(act.until - until) < clocksApartMs &&
      !act.at?.some((one) => one.realm === realm),
  );
  const at = [...(same?.at ?? []), { realm, id }];
  const others = known.filter((act) => act !== same);
  return { waits: [...others, { device, until: same?.until ?? until, at }].slice(-mostWaits), isNew: !same };
}

/**
 * The same, with those parts marked that a realm tells of no more, or says to have ended; null where that was known. Of a realm
 * that has not answered they go on.
 */
export function withEnded(
  known: readonly SeenWait[],
  told: readonly (Pick<RealmTold, 'realm'> & { id: string | null })[],
): SeenWait[] | null {
  let isNews = false;
  const partOf = (part: Part): Part => {
    const { realm, id, isEnded = false } = part;
    const said = told.find((one) => one.realm === realm);
    if (!said || (said.id !== id) === isEnded) {
      return part;
    }
    isNews = true;
    return isEnded ? { realm, id } : { realm, id, isEnded: true };
  };
  const waits = known.map((act) => (act.at ? { ...act, at: act.at.map(partOf) } : act));
  return isNews ? waits : null;
}

/** Once no realm tells of it any more, what the same device begins is another one. Earlier versions say it of the whole. */
function isOver({ at, isOver: wasOver = false }: SeenWait): boolean {
  return wasOver || at?.every(({ isEnded }) => isEnded) === true;
}
