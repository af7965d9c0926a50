import { concat, uint32 } from '../protocol/bytes';
import { VaultLimits } from './limits';

/** How much work a PIN is for whoever tries it: Argon2id 1.3, kept with each registration so that it can grow. */
export type PinHashParameters = {
  memoryKib: number;
  passes: number;
  /** One; there is no other yet. */
  lanes: number;
};

/** The encoding: 1 for Argon2id 1.3 ‖ memory in KiB (4) ‖ passes (1) ‖ lanes (1). */
export const parametersBytes = 7;

const version = 1;

/** What new registrations take: 64 MiB, three passes. */
export const defaultParameters: PinHashParameters = { memoryKib: 64 * 1024, passes: 3, lanes: 1 };

export function areValid({ memoryKib, passes, lanes }: PinHashParameters): boolean {
  return (
    Number.isInteger(memoryKib) &&
    memoryKib >= VaultLimits.memoryMinKib &&
    memoryKib <= VaultLimits.memoryMaxKib &&
    Number.isInteger(passes) &&
    passes >= 1 &&
    passes <= VaultLimits.passesMax &&
    lanes === 1
  );
}

/**
 * Whether the others take no less memory and no fewer passes, and more of one: of two that each take more of something none is
 * weaker, so that clients with different defaults do not register in turn.
 */
export function areWeaker(some: PinHashParameters, others: PinHashParameters): boolean {
  const isLess = some.memoryKib < others.memoryKib || some.passes < others.passes;
  return isLess && some.memoryKib <= others.memoryKib && some.passes <= others.passes;
}

/** @throws RangeError where the parameters are out of bounds. */
export function encodeParameters(parameters: PinHashParameters): Uint8Array {
  if (!areValid(parameters)) {
    throw new RangeError('the parameters are out of bounds');
  }
  return concat(
    Uint8Array.of(version),
    uint32(parameters.memoryKib),
    Uint8Array.of(parameters.passes, parameters.lanes),
  );
}

/** Null for another length, another function, or parameters out of bounds. */
export function readParameters(bytes: Uint8Array): PinHashParameters | null {
  if (bytes.length !== parametersBytes || bytes[0] !== version) {
    return null;
  }
  const memoryKib = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
  const parameters = { memoryKib, passes: bytes[5] ?? 0, lanes: bytes[6] ?? 0 };
  return areValid(parameters) ? parameters : null;
}
