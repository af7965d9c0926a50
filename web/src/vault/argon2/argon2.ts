import { argon2id } from 'hash-wasm';
import { areValid } from '../parameters';
import type { Stretch } from './port';

/**
 * Argon2id by hash-wasm, on the thread that calls it: the worker's, and that of tests. The library of the curves has one in
 * JavaScript, which takes more than ten times as long for the 64 MiB of a registration.
 */
export const stretchHere: Stretch = async (pin, salt, parameters) => {
  if (!areValid(parameters)) {
    throw new RangeError('the parameters are out of bounds');
  }
  return argon2id({
    password: pin,
    salt,
    memorySize: parameters.memoryKib,
    iterations: parameters.passes,
    parallelism: parameters.lanes,
    hashLength: 64,
    outputType: 'binary',
  });
};
