import { type ErrorInfo, errorOfLoss, type PinLoss } from '../../state/contract';

/** Whether an error says that the PIN is gone from the vault, and how. */
export function lossIn({ code, name }: ErrorInfo): PinLoss | null {
  const found = Object.entries(errorOfLoss).find(([, known]) => code === 0 && known === name);
  return (found?.[0] as PinLoss | undefined) ?? null;
}
