import { concat } from './bytes';
import { bytesToUuid, uuidToBytes } from './ids';

/** What an application message says of itself in the clear, under the sender's signature. */
export type AuthenticatedData =
  | { kind: 'message'; clientId: string }
  | { kind: 'card'; clientId: string; card: string; detailCommit: Uint8Array };

/** Text and group: 0x01 ‖ clientId. Card: 0x02 ‖ clientId ‖ cardId ‖ detailCommit. */
export function encodeAuthenticatedData(data: AuthenticatedData): Uint8Array {
  return data.kind === 'message'
    ? concat(Uint8Array.of(1), uuidToBytes(data.clientId))
    : concat(Uint8Array.of(2), uuidToBytes(data.clientId), uuidToBytes(data.card), data.detailCommit);
}

/** Null for anything that is not exactly one of the two forms. */
export function decodeAuthenticatedData(bytes: Uint8Array): AuthenticatedData | null {
  if (bytes[0] === 1 && bytes.length === 17) {
    return { kind: 'message', clientId: bytesToUuid(bytes.subarray(1)) };
  }
  if (bytes[0] === 2 && bytes.length === 65) {
    return {
      kind: 'card',
      clientId: bytesToUuid(bytes.subarray(1, 17)),
      card: bytesToUuid(bytes.subarray(17, 33)),
      detailCommit: bytes.slice(33),
    };
  }
  return null;
}
