import type { PinHashParameters } from '../parameters';

/**
 * Argon2id, version 1.3, of what was typed: 64 bytes. It takes as long as the parameters make it, so the browser's runs in a
 * worker. @throws where the memory could not be had.
 */
export type Stretch = (pin: Uint8Array, salt: Uint8Array, parameters: PinHashParameters) => Promise<Uint8Array>;
