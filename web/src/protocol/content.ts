import { fromBase64, fromUtf8, isWellFormed, utf8 } from './bytes';
import { isUuid } from './ids';
import { Limits } from './limits';

/** The plaintext of a PrivateMessage. */
export type Content = (
  | { v: 1; type: 'text'; text: string }
  | { v: 1; type: 'group'; name: string }
  | { v: 1; type: 'card'; card: string; salt: string; memo: string; items: [] }
) & {
  /** The newest signed checkpoint of the key log that the sender has checked. */
  log?: string;
  /** It is not to be kept for good, whatever that will come to mean. */
  expires?: true;
};

export type ParsedContent = Content | { type: 'unknown' } | { type: 'malformed' };

export function encodeContent(content: Content): Uint8Array {
  return utf8(JSON.stringify(content));
}

/** Whatever a sender put in: never throws, and never lets more through than the protocol's bounds. */
export function parseContent(bytes: Uint8Array): ParsedContent {
  let value: unknown;
  try {
    value = JSON.parse(fromUtf8(bytes));
  } catch {
    return { type: 'malformed' };
  }
  if (typeof value !== 'object' || value === null) {
    return { type: 'malformed' };
  }
  const fields = value as Record<string, unknown>;
  if (fields.v !== 1) {
    return typeof fields.v === 'number' ? { type: 'unknown' } : { type: 'malformed' };
  }
  const content = parseKind(fields);
  const log = parseLog(fields.log);
  const expires = fields.expires === undefined ? {} : { expires: true as const };
  return 'v' in content ? { ...content, ...(log ? { log } : {}), ...expires } : content;
}

/** Gossip that makes no sense is passed over: it is no reason to hide what was said. */
function parseLog(value: unknown): string | null {
  return typeof value === 'string' && value.length > 0 && value.length <= Limits.logNoteMaxChars ? value : null;
}

/** Half of a surrogate pair is no text: JSON can write it, and what others write down of it nobody reads. */
function isText(value: unknown, maxChars: number): value is string {
  return typeof value === 'string' && value.length <= maxChars && isWellFormed(value);
}

function parseKind(fields: Record<string, unknown>): ParsedContent {
  switch (fields.type) {
    case 'text':
      return isText(fields.text, Limits.textMaxChars)
        ? { v: 1, type: 'text', text: fields.text }
        : { type: 'malformed' };
    case 'group':
      return isText(fields.name, Limits.groupNameMaxChars)
        ? { v: 1, type: 'group', name: fields.name }
        : { type: 'malformed' };
    case 'card':
      return parseCard(fields);
    default:
      return typeof fields.type === 'string' ? { type: 'unknown' } : { type: 'malformed' };
  }
}

function parseCard(fields: Record<string, unknown>): ParsedContent {
  const { card, salt, memo, items } = fields;
  if (typeof card !== 'string' || !isUuid(card) || typeof salt !== 'string') {
    return { type: 'malformed' };
  }
  if (!isText(memo, Limits.memoMaxChars) || !Array.isArray(items)) {
    return { type: 'malformed' };
  }
  if (items.length > 0) {
    return { type: 'unknown' };
  }
  try {
    if (fromBase64(salt).length !== 32) {
      return { type: 'malformed' };
    }
  } catch {
    return { type: 'malformed' };
  }
  return { v: 1, type: 'card', card: card.toLowerCase(), salt, memo, items: [] };
}
