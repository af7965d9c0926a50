import type { ArchivedCard, ArchivedContent, ArchiveItem } from '../../archive/content';
import { isUuid, uuidv7 } from '../../protocol/ids';
import type { CardView } from '../../protocol/wire';
import type { Person } from '../../state/contract';
import type { ArchiveQueueRecord, CardRecord, ConversationRecord, ItemRecord } from '../../storage/records';

export function toQueue(item: ArchiveItem, sender: Person): ArchiveQueueRecord {
  return { id: uuidv7(), item, sender };
}

/** Whether nothing is known of a limit to how long a conversation's messages are kept. */
export function isKeptForGood({ retentionDays }: ConversationRecord): boolean {
  return typeof retentionDays !== 'number';
}

/** The message that named a group last; null where there is none, or it is not to be kept. */
export function ofName({ id: conversation, name, nameSeq: seq, nameBy }: ConversationRecord): ArchiveItem | null {
  if (!nameBy || name === null) {
    return null;
  }
  const { at, account, device, id } = nameBy;
  return { conversation, seq, at: new Date(at).toISOString(), account, device, id, content: { type: 'group', name } };
}

/** A card's terms and what this device makes of them. */
export function archivedCard({ view, memo, mismatch }: CardRecord): ArchivedCard {
  const { id, kind, payer, payee, amountMinor, asset } = view;
  return { type: 'card', card: id, memo, sound: !mismatch, kind, payer, payee, amountMinor, asset };
}

/** Whether the server's card is the one that was archived. */
export function isArchivedCard(view: CardView, conversation: string, archived: ArchivedCard): boolean {
  return (
    view.conversation === conversation &&
    view.id === archived.card &&
    view.kind === archived.kind &&
    view.payer === archived.payer &&
    view.payee === archived.payee &&
    view.amountMinor === archived.amountMinor &&
    view.asset === archived.asset
  );
}

/**
 * A stored item as it is archived; null for what is not: notices, what could not be read, what was not sent, and what is not
 * to be kept.
 * @param card the record of the card that the item shows
 */
export function ofStored(item: ItemRecord, card: CardRecord | null): ArchiveItem | null {
  const content = contentOf(item, card);
  const [device = '', id = ''] = item.key.split(':');
  return content && item.seq !== null && item.sender && isUuid(device) && isUuid(id)
    ? {
        conversation: item.conversation,
        seq: item.seq,
        at: new Date(item.at).toISOString(),
        account: item.sender.id,
        device,
        id,
        content,
      }
    : null;
}

function contentOf({ body, expires }: ItemRecord, card: CardRecord | null): ArchivedContent | null {
  if (expires) {
    return null;
  }
  if (body.type === 'message') {
    return { type: 'text', text: body.text };
  }
  return body.type === 'card' && card && card.memo !== null ? archivedCard(card) : null;
}
