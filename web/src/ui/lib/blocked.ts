import type { ChatApp, Member } from '../../state/contract';

/** Whose new keys stop what is sent and paid in a conversation: what the engine would refuse. */
export function blockedBy(app: ChatApp, conversation: string): Member[] {
  const found = app.conversations.find((known) => known.id === conversation);
  return found?.members.filter((member) => member.trust === 'changed' && !member.isMe) ?? [];
}
