/**
 * What the engine may ask of MLS. Everything is bytes and plain objects, so that the same calls go to a worker in the
 * browser and straight to the module under Node. The port keeps no truth: whoever calls stores the states it returns,
 * and must store them before anything that was made with them leaves the device.
 */

export type Identity = {
  account: string;
  device: string;
  /** Ed25519, 32 bytes each. */
  publicKey: Uint8Array;
  privateKey: Uint8Array;
  /** The whole credential by which the account's identity key vouches for the device, 128 bytes; null while none does. */
  credential: Uint8Array | null;
};

export type KeyPair = { publicKey: Uint8Array; privateKey: Uint8Array };

/** An encoded group state. The tag is only a hint for the port's cache. */
export type MlsState = { bytes: Uint8Array; tag: string };

/** A device as a group or a key package shows it. */
export type ShownLeaf = {
  account: string;
  device: string;
  signatureKey: Uint8Array;
  /** The key that vouches for the device, 32 bytes; null where none does, absent in records of earlier versions. */
  identityKey?: Uint8Array | null;
};

export type Leaf = ShownLeaf & { leaf: number };

/** A group after a change of its members. */
export type Group = { state: MlsState; epoch: number; ownLeaf: number; leaves: Leaf[] };

export type OwnKeyPackage = {
  /** Hex of the KeyPackageRef. */
  ref: string;
  /** MLSMessage with the KeyPackage, for the server. */
  message: Uint8Array;
  /** Private parts, in this module's own encoding. */
  secret: Uint8Array;
  notAfterMs: number;
};

/** A claimed key package and whose it is said to be. */
export type Candidate = { account: string; device: string; keyPackage: Uint8Array };

/** A commit that nobody has accepted yet: the group it leads to, and what to send. */
export type PreparedCommit = {
  group: Group;
  epoch: number;
  commit: Uint8Array;
  welcome: Uint8Array | null;
  groupInfo: Uint8Array;
};

export type LogInput =
  | { kind: 'message'; epoch: number; body: Uint8Array }
  | {
      kind: 'commit';
      epoch: number;
      body: Uint8Array;
      /** Who the server says made it. */
      account: string;
      device: string;
      /** Accounts that may be in the group after it. */
      members: string[];
      /** Devices that the server says came and went by it. */
      devicesAdded: string[] | null;
      devicesRemoved: string[] | null;
    };

export type LogResult =
  | { kind: 'plaintext'; sender: Leaf; authenticatedData: Uint8Array; plaintext: Uint8Array }
  | { kind: 'unreadable'; reason: string }
  | { kind: 'committed'; sender: Leaf; added: Leaf[]; removed: Leaf[]; external: boolean; selfRemoved: boolean }
  /** The commit could not be applied; nothing after it was looked at. */
  | { kind: 'rejected'; reason: string };

export type LogOutcome = {
  state: MlsState;
  epoch: number;
  /** Only where a commit was applied. */
  group: Group | null;
  /** One per input looked at: all of them, or those up to a rejected commit or the removal of this device. */
  results: LogResult[];
};

export interface MlsPort {
  generateKeyPair(): Promise<KeyPair>;
  createKeyPackages(identity: Identity, count: number, nowMs: number): Promise<OwnKeyPackage[]>;
  /** A new group with its first commit, which adds the candidates. */
  createGroup(identity: Identity, conversation: string, candidates: Candidate[]): Promise<PreparedCommit>;
  /** The committer's leaf carries the credential that it has now. */
  commit(identity: Identity, state: MlsState, adds: Candidate[], removeLeaves: number[]): Promise<PreparedCommit>;
  encrypt(
    state: MlsState,
    plaintext: Uint8Array,
    authenticatedData: Uint8Array,
  ): Promise<{ state: MlsState; body: Uint8Array }>;
  apply(state: MlsState, inputs: LogInput[]): Promise<LogOutcome>;
  /** Hex refs of the key packages that a Welcome is for. */
  welcomeRefs(welcome: Uint8Array): Promise<string[]>;
  join(identity: Identity, conversation: string, welcome: Uint8Array, secret: Uint8Array): Promise<Group>;
  /** Joins from a GroupInfo, replacing an earlier leaf of this device if there is one. */
  joinExternally(identity: Identity, conversation: string, groupInfo: Uint8Array): Promise<PreparedCommit>;
  /** The devices that these key packages are of, as they say; null where one says nothing of the kind. */
  shownBy(keyPackages: Uint8Array[]): Promise<(ShownLeaf | null)[]>;
  /** Accounts with certificates: from now on no device of theirs is taken without one. */
  requireCertificates(accounts: string[]): Promise<void>;
  /** Ends the worker, where there is one. */
  stop?(): void;
}
