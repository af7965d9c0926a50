export type ErrorInfo = {
  /** The catalogue's number; 0 for failures on this side, such as being offline. */
  code: number;
  /** The catalogue's snake_case name, the key of the sentence in the string catalogue. */
  name: string;
  retryable: boolean;
  details?: Record<string, unknown>;
};

/** Actions throw this and nothing else; screens show `t(`error.${name}`)`. */
export class ActionError extends Error {
  constructor(readonly info: ErrorInfo) {
    super(info.name);
  }
}

export type Phase =
  /** Reading local data. */
  | 'starting'
  /** Nobody is signed in here. */
  | 'signedOut'
  /** Local data is shown; the connection may still be coming. */
  | 'ready'
  /** Another tab of this browser holds the device's keys; `takeOver()` moves them here. */
  | 'otherTab'
  /** This device was revoked from another one; local data is gone. */
  | 'revoked'
  /** The page came over plain http from another machine: browsers give such pages no cryptography. */
  | 'insecure'
  /** The browser withholds its storage, as in some private windows, or the client could not be loaded. */
  | 'failed';

export type ConnectionState = 'online' | 'connecting' | 'offline';

export type Person = {
  id: string;
  handle: string;
  displayName: string;
};

export type Me = Person & {
  device: string;
  /** Play money is handed out by this server; say so wherever money is shown. */
  sandbox: boolean;
  /** Who may see whether I am there. */
  presence: PresenceVisibility;
};

export type PresenceVisibility = 'contacts' | 'nobody';

/** Whether somebody is there now, and else when about, if that is known. */
export type Presence = { online: boolean; lastSeen: number | null };

export type SignUp = { handle: string; displayName: string; password: string };
export type SignIn = { handle: string; password: string };

/** Who is signed in here, and how the client is connected. */
export interface SessionApp {
  readonly phase: Phase;
  readonly connection: ConnectionState;
  /** Milliseconds until the next connection attempt, or null; for the reconnect banner. */
  readonly retryInMs: number | null;
  /** The server asks for a newer client: reloading the page gets it. */
  readonly updateReady: boolean;
  readonly me: Me | null;

  start(): Promise<void>;
  signUp(form: SignUp): Promise<void>;
  signIn(form: SignIn): Promise<void>;
  /** Revokes this device and deletes everything it holds in this browser. */
  signOut(): Promise<void>;
  takeOver(): Promise<void>;
  reconnectNow(): void;

  /** Reactive; null where it is not known or not to be known. */
  presence(account: string): Presence | null;
  changePresence(presence: PresenceVisibility): Promise<void>;
  changePassword(current: string, next: string): Promise<void>;
  changeDisplayName(name: string): Promise<void>;
}
