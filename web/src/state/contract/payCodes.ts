import type { Asset } from './money';
import type { ErrorInfo, Person } from './session';

/** `payMe`: whoever made it is to be paid an amount. `payer`: they pay, and whoever scans it may ask them, once. */
export type PayCodeKind = 'payMe' | 'payer';

/** `over`: its time has run out, and nobody had scanned it. */
export type PayCodeState = 'open' | 'taken' | 'over';

/** A code of the server's, that was made here, or that was scanned here and leads to a request. */
export type PayCode = {
  code: string;
  kind: PayCodeKind;
  /** What is shown to be scanned, or copied. */
  text: string;
  isMine: boolean;
  state: PayCodeState;
  owner: Person;
  /** Of `payMe` only. */
  amountMinor: bigint | null;
  asset: Asset | null;
  /** Known to its owner alone until the request says it. */
  memo: string;
  /** By this device's clock. */
  expiresAt: number;
  scannedBy: Person | null;
  conversation: string | null;
  /** The request between the two, once it is known here. */
  card: string | null;
  /** Why the request could not be posted from here; it is not tried again by itself. */
  error: ErrorInfo | null;
};

export type NewPayCode = {
  kind: PayCodeKind;
  /** Both of `payMe` only. */
  amountMinor: bigint | null;
  asset: string | null;
  memo: string;
  /** 60 to 86,400; of a payer's code always 60. */
  lifetimeSeconds: number;
};

/** Where a scan leads. */
export type ScannedCode =
  /** Somebody to pay: the scanner says how much. */
  | { what: 'person'; conversation: string }
  /** Somebody who pays: the scanner says how much they ask for. */
  | { what: 'payer'; conversation: string }
  /** Its owner asks the scanner now: among `payCodes`, with the request when it is there. */
  | { what: 'payMe'; code: string };

/** Codes that are shown and scanned to pay. They bring two people together; what is paid is a request card between them. */
export interface PayCodesApp {
  /** Those made here and not forgotten yet, and those that were scanned here and lead to a request; newest first. */
  readonly payCodes: PayCode[];

  /** What says whom to pay, for good. @throws ActionError `not_ready` while the account has no identity key */
  ownPayCode(): Promise<string>;
  /** @returns its `code` */
  makePayCode(wanted: NewPayCode): Promise<string>;
  /** Puts it out of use, and forgets it here. */
  removePayCode(code: string): Promise<void>;
  /** Posts the request of a code again that was taken, where it could not be posted. */
  askByPayCode(code: string): Promise<void>;
  /**
   * Takes what was scanned or pasted; opens the conversation where it is the scanner who goes on.
   * @throws ActionError `pay_code_invalid`, `pay_code_own`, `pay_code_keys`, `pay_code_unknown`, `pay_code_used`, among others
   */
  scanPayCode(text: string): Promise<ScannedCode>;
}
