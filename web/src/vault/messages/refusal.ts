import { isVaultRejection, VaultRejection } from '../rejection';
import { judgeGuessesLeft } from './bounds';
import { MessageKind, uint8, uint16 } from './layout';

/** The realm does not do what was asked. 21 bytes: the number of the rejection, and guesses left where they matter. */
export const refusal = new MessageKind(15, { reason: uint8, guessesLeft: uint16 }, (values) =>
  isVaultRejection(values.reason) && values.reason !== VaultRejection.none
    ? judgeGuessesLeft(values.guessesLeft)
    : VaultRejection.wrongMessage,
);
