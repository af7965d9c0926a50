import type { KeyAlarmKind, PinLook, PinLoss } from '../../state/contract';
import type { SeenLoss } from '../../storage/records';

/** That nothing is registered is believed when it is seen again so much later. */
export const believedMs = 30_000;
/** Of so many sets of realms it is remembered that the server has named them. */
const mostSets = 20;

/** What a look says of the PIN, put together with what was known of it. */
export type Judged = {
  /** What is known from now on; null for nothing that had to be kept. */
  lost: SeenLoss | null;
  /** What alarms now, with the evidence. */
  raise: [KeyAlarmKind, string[]] | null;
  /** It is there again: what alarmed of its loss is over. */
  isBack?: boolean;
  /** It has to be seen again before it is believed. */
  isUnsure?: boolean;
};

/** Records of earlier versions have other realms in the place of the loss that was known before. */
export function seenLoss(kept: SeenLoss): SeenLoss {
  // Nor do they say of what has alarmed that it has.
  const seen = { ...kept, isTold: kept.isTold ?? kept.loss !== null };
  return seen.loss === 'realms_other' ? { ...seen, loss: null, isElsewhere: true } : seen;
}

/** A loss that was told goes before what the server names, which says nothing of it. */
export function lossOfSeen({ loss, isElsewhere }: SeenLoss): PinLoss | null {
  return loss ?? (isElsewhere ? 'realms_other' : null);
}

/**
 * @param known of the PIN that the account's chain names
 * @param isKnown whether it is known which realms the PIN is at: then whatever is not said to be other is them
 */
export function judgeLook(look: PinLook, known: SeenLoss, nowMs: number, isKnown: boolean): Judged {
  const { digest, isTold = false, told = [] } = known;
  const { isElsewhere, ...there } = known;
  const { loss } = look;
  if (loss === 'realms_other') {
    // They say nothing of what is at its own: a loss that was known stays, and so does that there was none.
    const name = look.realms ?? '';
    const isNews = !told.includes(name);
    return {
      lost: { ...there, isElsewhere: true, told: isNews ? [...told, name].slice(-mostSets) : told },
      raise: isNews ? ['realmsOther', [digest, name]] : null,
    };
  }
  if (loss === null && !look.isUsable) {
    // That too few answer is no news of it, but for which ones they are.
    return { lost: isKnown ? there : known, raise: null };
  }
  if (loss === null) {
    // It was never gone, or is there again; a second time it alarms no more.
    const lost = isTold || told.length > 0 ? { digest, loss, isTold, told } : null;
    return { lost, raise: null, isBack: known.loss !== null };
  }
  const since = known.since ?? nowMs;
  // Whoever removes a PIN has the realms forget it first, and says so in the chain afterwards.
  if (loss === 'missing' && !isTold && nowMs - since < believedMs) {
    return { lost: { ...there, loss: null, isTold, since }, raise: null, isUnsure: true };
  }
  return { lost: { digest, loss, isTold: true, told }, raise: isTold ? null : ['pinLost', [digest, loss]] };
}
