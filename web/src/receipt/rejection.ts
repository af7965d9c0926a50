/** Why a receipt, or a part of it, does not hold: the numbers of ChatPay.Core's `ReceiptRejection`, never reused. */
export const ReceiptRejection = {
  none: 0,

  /** What is signed is no receipt in the one way to write it. */
  malformed: 1,
  /** It is of another ledger log than the reader knows, or names another key for it. */
  ledgerOther: 2,
  /** The ledger log's key did not sign it. */
  signatureInvalid: 3,
  /** What it says in words is not what was signed. */
  wordsOther: 4,
  /** The ledger accounts that the transfer names are not the payer's and the payee's. */
  partiesOther: 5,
  /** The terms are of another card, asset or people, or of less money. */
  termsOther: 6,
  /** No device of the payer's signed for it. */
  unauthorised: 7,
  /** What the device signed is of another payer or card, or of other details. */
  statementOther: 8,
  /** What the device signed let another transfer happen. */
  statementElsewhere: 9,
  /** More was moved than the device signed for. */
  statementExceeded: 10,
  /** The signature is not that device's key's. */
  deviceSignatureInvalid: 11,
  /** The ledger log had not taken it in when the receipt was made. */
  notSealed: 12,
  /** The checkpoint is not the ledger log's. */
  checkpointInvalid: 13,
  /** It is not proved that the transfer is in the log at its place. */
  notIncluded: 14,
  /** It says something else than what the reader knows of the card. */
  cardOther: 15,
} as const;

export type ReceiptRejection = (typeof ReceiptRejection)[keyof typeof ReceiptRejection];
