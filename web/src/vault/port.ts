import type { VaultAttempts, VaultView } from '../protocol/wire';

/** What the vault asks of the network. Each method throws where it could not be had. */
export interface VaultPort {
  view(): Promise<VaultView>;
  /** `POST /v1/vault/realms/{realm}`: one message and its answer. */
  ask(realm: string, message: Uint8Array): Promise<Uint8Array>;
  /** `GET /v1/vault/realms/{realm}/attempts`: who guessed there, and the wait that is under way. */
  attempts(realm: string): Promise<VaultAttempts>;
}
