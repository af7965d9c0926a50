import type { KeyTrust } from './keys';
import type { Card } from './money';
import type { ErrorInfo, Person } from './session';

export type Member = Person & {
  role: 'member' | 'owner';
  isMe: boolean;
  trust: KeyTrust;
  /** A device is in the conversation in their name that their keys do not know: nothing is sent or paid beside it. */
  hasStranger: boolean;
};

export type Conversation = {
  id: string;
  kind: 'direct' | 'group';
  /** Direct: the other's display name. Group: its decrypted name, or the members' names while it is unknown. */
  title: string;
  /** The other person of a direct conversation. */
  peer: Person | null;
  members: Member[];
  myRole: 'member' | 'owner';
  /** False once this account left or was removed: readable, not writable. */
  active: boolean;
  unread: number;
  /** Newest thing to show in the list, or null in an empty conversation. */
  preview: Preview | null;
  lastActivityAt: number;
  /** Display names of people typing now, without me. */
  typing: string[];
  draft: string;
};

export type Preview = {
  at: number;
  mine: boolean;
  /** Who, for groups; null for me and in direct conversations. */
  senderName: string | null;
  kind: 'text' | 'card' | 'notice' | 'undecryptable';
  text: string;
  card: Card | null;
  notice: Notice | null;
  send: SendState | null;
};

export type SendState = 'sending' | 'sent' | 'delivered' | 'read' | 'failed';

export type ThreadItem =
  | {
      type: 'message';
      key: string;
      at: number;
      mine: boolean;
      sender: Person;
      text: string;
      send: SendState | null;
      error: ErrorInfo | null;
      seq: number | null;
    }
  | {
      type: 'card';
      key: string;
      at: number;
      mine: boolean;
      sender: Person;
      card: Card;
      send: SendState | null;
      error: ErrorInfo | null;
      seq: number | null;
    }
  | { type: 'notice'; key: string; at: number; notice: Notice; seq: number | null }
  /** Something that could not be read: sent before this device joined, or failing its checks. */
  | {
      type: 'undecryptable';
      key: string;
      at: number;
      sender: Person;
      reason: 'beforeJoin' | 'failed' | 'newerVersion' | 'senderMismatch';
      seq: number | null;
    };

export type Notice =
  | { kind: 'created'; by: Person }
  | { kind: 'added'; by: Person; people: Person[] }
  | { kind: 'removed'; by: Person; people: Person[] }
  | { kind: 'left'; people: Person[] }
  | { kind: 'renamed'; by: Person; name: string }
  | { kind: 'role'; by: Person | null; person: Person; role: 'member' | 'owner' }
  | { kind: 'deviceAdded'; person: Person; fingerprint: string }
  | { kind: 'deviceRemoved'; person: Person }
  /** Null days: as the server's operator says. */
  | { kind: 'retention'; by: Person; days: number | null }
  /** The server had removed messages before this device came to fetch them. */
  | { kind: 'removedMeanwhile' }
  | { kind: 'historyStartsHere' };

export type Thread = {
  conversation: Conversation;
  /** Oldest first. Changes in place; keys are stable from sending to sent. */
  items: ThreadItem[];
  /** Local data is being read. */
  loading: boolean;
  hasEarlier: boolean;
  /** First unread item when the thread was opened. */
  firstUnreadKey: string | null;
};

/** Conversations and what is said in them. */
export interface ChatsApp {
  /** Newest activity first. */
  readonly conversations: Conversation[];
  /** True until the first list (local or remote) is known. */
  readonly conversationsLoading: boolean;

  findPerson(handle: string): Promise<Person>;
  /** Opens the existing direct conversation or creates it; returns its id. */
  startDirect(person: Person): Promise<string>;
  createGroup(name: string, people: Person[]): Promise<string>;
  renameGroup(conversation: string, name: string): Promise<void>;
  addMembers(conversation: string, people: Person[]): Promise<void>;
  removeMember(conversation: string, account: string): Promise<void>;
  setRole(conversation: string, account: string, role: 'member' | 'owner'): Promise<void>;
  leave(conversation: string): Promise<void>;

  /** Reactive; call `closeThread` when the screen goes away. Unknown id: null. */
  openThread(conversation: string): Thread | null;
  closeThread(conversation: string): void;
  loadEarlier(conversation: string): Promise<void>;
  /** Marks everything up to the newest shown item as read. */
  markRead(conversation: string): void;
  setDraft(conversation: string, text: string): void;
  /** Throttled inside; call on every keystroke. */
  typing(conversation: string): void;
  /** Returns at once; the item appears with state `sending`. */
  sendText(conversation: string, text: string): void;
  retry(conversation: string, key: string): void;
  discard(conversation: string, key: string): void;

  /** Fingerprints of a person's devices as the conversation's MLS group has them. */
  fingerprints(conversation: string, account: string): Promise<{ device: string; fingerprint: string }[]>;
}
