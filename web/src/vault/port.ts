/** `GET /v1/vault`: the realms that keep shares of the PIN vault, in the order of their shares. */
export type VaultView = {
  /** How many parties run them: one that runs them all can try PINs as if there was one realm. */
  operators: number;
  /** How many realms are needed. */
  threshold: number;
  /** Their ids; the first has index 1. */
  realms: string[];
};

/** What the vault asks of the network. Each method throws where it could not be had. */
export interface VaultPort {
  view(): Promise<VaultView>;
  /** `POST /v1/vault/realms/{realm}`: one message and its answer. */
  ask(realm: string, message: Uint8Array): Promise<Uint8Array>;
}
