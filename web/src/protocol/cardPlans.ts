import { concat, uint32, uint64 } from './bytes';
import { isUuid, uuidToBytes } from './ids';
import { Limits } from './limits';
import { parseMinor } from './money';
import type { CardDelivery, CardKind, CardPlan, CardShare, MandatePeriod, PacketMode } from './wire';

/** The numbers of ChatPay.Core's enumerations. */
const deliveries: Record<CardDelivery, number> = { atOnce: 1, delayed: 2 };
const modes: Record<PacketMode, number> = { fixed: 1, random: 2 };
const periods: Record<MandatePeriod, number> = { day: 1, week: 2, month: 3 };

/** Which state machine a card goes through: its kind, and of a transfer how it arrives. */
export type CardForm = 'transfer' | 'transferAtOnce' | 'transferDelayed' | Exclude<CardKind, 'transfer'>;

export function formOf(kind: CardKind, plan: { delivery?: CardDelivery | null } | null | undefined): CardForm {
  if (kind !== 'transfer' || plan?.delivery == null) {
    return kind;
  }
  return plan.delivery === 'atOnce' ? 'transferAtOnce' : 'transferDelayed';
}

/**
 * The bytes after the asset: of a transfer with a plan delivery (1); of a split own part (8) ‖ count (2) ‖ per share account (16)
 * ‖ amount (8); of a packet mode (1) ‖ count (4); of a mandate period (1); of others none.
 */
export function encodePlan(kind: CardKind, plan: CardPlan | null | undefined): Uint8Array {
  if (kind === 'transfer' && plan?.delivery) {
    return Uint8Array.of(deliveries[plan.delivery]);
  }
  if (kind === 'split' && plan?.shares) {
    const { shares, ownMinor } = plan;
    const each = shares.map(({ account, amountMinor }) =>
      concat(uuidToBytes(account), uint64(parseMinor(amountMinor))),
    );
    const head = Uint8Array.of(shares.length >> 8, shares.length & 0xff);
    return concat(uint64(parseMinor(ownMinor ?? '0')), head, ...each);
  }
  if (kind === 'packet' && plan?.packet) {
    return concat(Uint8Array.of(modes[plan.packet]), uint32(plan.count ?? 0));
  }
  return kind === 'mandate' && plan?.period ? Uint8Array.of(periods[plan.period]) : new Uint8Array();
}

type Planned = { kind: CardKind; payer: string; payee: string; amountMinor: bigint; plan?: CardPlan | null };

/**
 * Whether a plan is one that the kind can have. The encoding passes over what does not belong to the kind, so nothing that is
 * believed of a card may stand there.
 */
export function isPlanSound(terms: Planned, nobody: string): boolean {
  const { kind, amountMinor } = terms;
  const plan = terms.plan ?? null;
  const members = Object.entries(plan ?? {})
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name]) => name)
    .sort()
    .join();
  switch (kind) {
    case 'transfer':
      return members === '' || (members === 'delivery' && Object.hasOwn(deliveries, plan?.delivery ?? ''));
    case 'request':
      return members === '';
    case 'split':
      return members === 'ownMinor,shares' && areSharesSound(terms, plan?.shares ?? [], plan?.ownMinor ?? '', nobody);
    case 'packet':
      return (
        members === 'count,packet' &&
        Object.hasOwn(modes, plan?.packet ?? '') &&
        isCount(plan?.count, terms.payee === nobody ? Limits.packetShares : 1) &&
        amountMinor >= BigInt(plan?.count ?? 0)
      );
    case 'mandate':
      return members === 'period' && Object.hasOwn(periods, plan?.period ?? '');
    default:
      return false;
  }
}

function isCount(count: unknown, most: number): boolean {
  return Number.isSafeInteger(count) && (count as number) >= 1 && (count as number) <= most;
}

const amountPattern = /^(0|[1-9][0-9]{0,15})$/;

function isAmount(text: unknown, least: bigint): text is string {
  return (
    typeof text === 'string' &&
    amountPattern.test(text) &&
    BigInt(text) >= least &&
    BigInt(text) <= Limits.amountMaxMinor
  );
}

function areSharesSound(terms: Planned, shares: CardShare[], own: string, nobody: string): boolean {
  if (
    terms.payer !== nobody ||
    !isAmount(own, 0n) ||
    !Array.isArray(shares) ||
    !isCount(shares.length, Limits.splitShares)
  ) {
    return false;
  }
  const people = new Set([terms.payee, nobody]);
  let sum = 0n;
  for (const share of shares) {
    const account = share?.account;
    if (typeof account !== 'string' || !isUuid(account) || people.has(account) || !isAmount(share.amountMinor, 1n)) {
      return false;
    }
    people.add(account);
    sum += BigInt(share.amountMinor);
  }
  return sum === terms.amountMinor;
}
