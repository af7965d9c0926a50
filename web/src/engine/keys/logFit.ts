import { LogRejection } from '../../keylog/rejection';
import { judgeGrowth, type SeenHead } from '../../keylog/view';
import { equalBytes, fromBase64 } from '../../protocol/bytes';
import { ErrorCode, isCode } from '../../protocol/errors';
import type { ConsistencyReply } from '../../protocol/wire';

/**
 * Whether two heads, both signed and of no empty tree, are of one history: the smaller one's tree begins the larger one's.
 * @param ask the server for the proof between two sizes
 * @throws ActionError where the server cannot be reached
 */
export async function isOneLog(
  one: SeenHead,
  other: SeenHead,
  ask: (first: number, second: number) => Promise<ConsistencyReply>,
): Promise<boolean> {
  if (one.size === other.size) {
    return equalBytes(one.root, other.root);
  }
  try {
    const { proof } = await ask(Math.min(one.size, other.size), Math.max(one.size, other.size));
    return judgeGrowth(one, other, proof.map(fromBase64)) === LogRejection.none;
  } catch (thrown) {
    if (isCode(thrown, ErrorCode.logSizeUnknown)) {
      // This server has shown a longer log than it has.
      return false;
    }
    throw thrown;
  }
}
