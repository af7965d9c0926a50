import type { ChatApp, Member } from '../../state/contract';

/** Whether somebody's new keys, or a device that is not theirs, in my name too, stop what is sent and paid in a conversation. */
export function stops({ trust, hasStranger, isMe }: Member): boolean {
  return hasStranger || (!isMe && trust === 'changed');
}

/** Who stops what is sent and paid in a conversation: what the engine would refuse. */
export function blockedBy(app: ChatApp, conversation: string): Member[] {
  const found = app.conversations.find((known) => known.id === conversation);
  return found?.members.filter(stops) ?? [];
}
