import { isPlanSound } from '../protocol/cardPlans';
import { nobody } from '../protocol/cardTerms';
import { ErrorCode } from '../protocol/errors';
import { Limits } from '../protocol/limits';
import { ActionError, type NewCard } from '../state/contract';
import type { ConversationRecord, DeviceRecord } from '../storage/records';
import { newTerms } from './entries';

/** What the server would refuse, or could not see, refused before anything is stored or sent. */
export function checkText(text: string): void {
  if (text.length === 0) {
    throw refuse(ErrorCode.invalidArgument, 'invalid_argument');
  }
  if (text.length > Limits.textMaxChars) {
    throw refuse(3004, 'body_too_large');
  }
}

export function checkCard(card: NewCard, me: DeviceRecord, conversation: ConversationRecord): void {
  if (card.amountMinor <= 0n) {
    throw refuse(ErrorCode.amountNotPositive, 'amount_not_positive');
  }
  if (card.amountMinor > Limits.amountMaxMinor) {
    throw refuse(ErrorCode.amountOverflow, 'amount_overflow');
  }
  if (me.assets.length > 0 && !me.assets.some((asset) => asset.code === card.asset)) {
    throw refuse(ErrorCode.assetUnknown, 'asset_unknown');
  }
  const others = [
    ...(card.other === null ? [] : [card.other]),
    ...(card.plan?.shares ?? []).map((share) => share.account),
  ];
  if (others.includes(me.account)) {
    throw refuse(ErrorCode.selfTransfer, 'self_transfer');
  }
  const needsOther = card.kind !== 'split' && card.kind !== 'packet';
  const areMembers = others.every((id) => conversation.members.some((member) => member.account === id));
  if (!areMembers || (needsOther && card.other === null)) {
    throw refuse(5011, 'card_party_not_member');
  }
  if (!isPlanSound(newTerms(me.account, card, nobody), nobody)) {
    throw refuse(ErrorCode.cardPlanInvalid, 'card_plan_invalid');
  }
  if (card.memo.trim().length > Limits.memoMaxChars) {
    throw refuse(ErrorCode.invalidArgument, 'invalid_argument');
  }
}

function refuse(code: number, name: string): ActionError {
  return new ActionError({ code, name, retryable: false });
}
