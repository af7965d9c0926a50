import type { GivenApproval, OwnKeysRecord } from '../../storage/records';

/** An account has fewer devices. */
const mostKept = 100;
/**
 * A device that was approved takes the keys when it is next online, and comes into the chain right after that. One that comes
 * much later is worth an alarm: whoever approved it has forgotten it, and somebody else may have it by then.
 */
const lastsMs = 7 * 24 * 3_600_000;

/** The approvals by which a device may come into the chain still. */
export function lasting({ approved }: Pick<OwnKeysRecord, 'approved'>, now: number): GivenApproval[] {
  return approved.filter(({ at }) => Math.abs(now - at) < lastsMs);
}

/** These and another one. */
export function withApproval(own: Pick<OwnKeysRecord, 'approved'>, device: string, now: number): GivenApproval[] {
  return [...lasting(own, now), { device, at: now }].slice(-mostKept);
}
