import { fromUtf8, isWellFormed, utf8, wellFormed } from '../protocol/bytes';
import { isUuid } from '../protocol/ids';
import { Limits } from '../protocol/limits';
import type { CardKind } from '../protocol/wire';
import { jsonMaxBytes } from './padding';

/**
 * A chunk's JSON, version 1: {"v":1,"people":[…],"items":[…]}. Only devices of the account can have written it, but of any
 * version: what this one does not know is passed over, and nothing beyond the protocol's bounds comes through.
 */
export type ArchiveContent = { people: ArchivePerson[]; items: ArchiveItem[] };

/** A sender, so that they have a name where nobody knows them any more. */
export type ArchivePerson = { account: string; handle: string; displayName: string };

/** One message, as the device that archived it opened or sent it. */
export type ArchiveItem = {
  conversation: string;
  seq: number;
  /** Of the server's clock, ISO 8601. */
  at: string;
  /** Who sent it, and with which device. */
  account: string;
  device: string;
  /** What the sender called it; with the device it is the same everywhere. */
  id: string;
  content: ArchivedContent;
};

export type ArchivedContent =
  | { type: 'text'; text: string }
  /** What the group was called from there on. */
  | { type: 'group'; name: string }
  | ArchivedCard;

/** A card's terms as the archiving device saw them. */
export type ArchivedCard = {
  type: 'card';
  card: string;
  /** Null where it could not read it. */
  memo: string | null;
  /** Whether the details were what the author had committed to. */
  sound: boolean;
  kind: CardKind;
  payer: string;
  payee: string;
  amountMinor: string;
  asset: string;
};

const assetPattern = /^[A-Z][A-Z0-9]{2,11}$/;
const amountPattern = /^[1-9][0-9]{0,15}$/;
const timePattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/** Half of a surrogate pair is out of its bounds for a reader: whatever is none is put in its place. */
export function encodeArchive({ people, items }: ArchiveContent): Uint8Array {
  return utf8(JSON.stringify({ v: 1, people, items }, (_, value) => (isString(value) ? wellFormed(value) : value)));
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

/** Null where it is no chunk at all. */
export function readArchive(json: Uint8Array): ArchiveContent | null {
  let root: unknown;
  try {
    root = json.length <= jsonMaxBytes ? JSON.parse(fromUtf8(json)) : null;
  } catch {
    return null;
  }
  if (!isObject(root) || typeof root.v !== 'number') {
    return null;
  }
  if (root.v !== 1) {
    return { people: [], items: [] };
  }
  // The chunk's size bounds both.
  const { people, items } = root;
  return Array.isArray(people) && Array.isArray(items)
    ? {
        people: people.map(readPerson).filter((person) => person !== null),
        items: items.map(readItem).filter((item) => item !== null),
      }
    : null;
}

function readPerson(value: unknown): ArchivePerson | null {
  if (!isObject(value)) {
    return null;
  }
  const { account, handle, displayName } = value;
  // Counted in UTF-16 units, of which a character has one or two.
  return isId(account) && isText(handle, Limits.handleMaxChars) && isText(displayName, 2 * Limits.displayNameMaxChars)
    ? { account: account.toLowerCase(), handle, displayName }
    : null;
}

function readItem(value: unknown): ArchiveItem | null {
  if (!isObject(value)) {
    return null;
  }
  const { conversation, seq, at, account, device, id } = value;
  const content = isObject(value.content) ? readContent(value.content) : null;
  const isPlaced = isId(conversation) && Number.isSafeInteger(seq) && (seq as number) > 0 && isTime(at);
  return content && isPlaced && isId(account) && isId(device) && isId(id)
    ? {
        conversation: conversation.toLowerCase(),
        seq: seq as number,
        at,
        account: account.toLowerCase(),
        device: device.toLowerCase(),
        id: id.toLowerCase(),
        content,
      }
    : null;
}

function readContent(value: Record<string, unknown>): ArchivedContent | null {
  const { type, text, name } = value;
  switch (type) {
    case 'text':
      return isText(text, Limits.textMaxChars) ? { type, text } : null;
    case 'group':
      return isText(name, Limits.groupNameMaxChars) ? { type, name } : null;
    case 'card':
      return readCard(value);
    default:
      return null;
  }
}

function readCard(value: Record<string, unknown>): ArchivedCard | null {
  const { card, memo, sound, kind, payer, payee, amountMinor, asset } = value;
  const isMemo = memo === null || isText(memo, Limits.memoMaxChars);
  if (!isMemo || !isKind(kind) || typeof sound !== 'boolean' || !isId(card) || !isId(payer) || !isId(payee)) {
    return null;
  }
  const isAmount = typeof amountMinor === 'string' && amountPattern.test(amountMinor);
  if (!isAmount || BigInt(amountMinor) > Limits.amountMaxMinor || typeof asset !== 'string') {
    return null;
  }
  const [id, pays, paid] = [card, payer, payee].map((one) => one.toLowerCase()) as [string, string, string];
  return assetPattern.test(asset)
    ? { type: 'card', card: id, memo, sound, kind, payer: pays, payee: paid, amountMinor, asset }
    : null;
}

const kinds: CardKind[] = ['transfer', 'request', 'split', 'packet', 'mandate'];

function isKind(value: unknown): value is CardKind {
  return kinds.some((kind) => kind === value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && isUuid(value);
}

function isText(value: unknown, maxChars: number): value is string {
  return typeof value === 'string' && value.length <= maxChars && isWellFormed(value);
}

function isTime(value: unknown): value is string {
  return typeof value === 'string' && timePattern.test(value) && !Number.isNaN(Date.parse(value));
}
