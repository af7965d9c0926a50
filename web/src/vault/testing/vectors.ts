import { fileURLToPath } from 'node:url';

/** Where published vectors lie; they are read in place, and tests over them are skipped where they are not. */
export const vectorsFolder =
  process.env.CHATPAY_VECTORS ?? fileURLToPath(new URL('../../../../../shared/vectors', import.meta.url));
