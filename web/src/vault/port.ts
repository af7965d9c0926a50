import type { VaultView } from '../protocol/wire';

/** What the vault asks of the network. Each method throws where it could not be had. */
export interface VaultPort {
  view(): Promise<VaultView>;
  /** `POST /v1/vault/realms/{realm}`: one message and its answer. */
  ask(realm: string, message: Uint8Array): Promise<Uint8Array>;
}
