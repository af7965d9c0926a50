import type { Asset } from './money';

/**
 * Whether and how the PIN is asked for before much money leaves. `off`: the account has none. `ready`: this device checks it by
 * itself. `unseen`: it was never entered on this device, or was set on another one since, so the vault has to check it once.
 * `earlier`: it was replaced or removed here, and the one before is asked for until then. `resting`: likewise, but this device
 * has nothing to check the one before by, so that nothing above the limit is paid until then.
 */
export type PayPinState = 'off' | 'ready' | 'unseen' | 'earlier' | 'resting';

export type PayPin = {
  state: PayPinState;
  /** Of `earlier` and `resting`, by the device's clock, as is `waitUntil`. */
  until: number | null;
  /** What the person set, in minor units by asset; where there is nothing, the default holds. */
  limits: Record<string, bigint>;
  /** Wrong tries that are left before this device forgets what it checks by. */
  triesLeft: number;
  /** No try before; 0 where there was no wrong one. */
  waitUntil: number;
};

/** What was typed when the PIN was asked for; it is checked here and goes nowhere. */
export type PinConsent = {
  pin: string;
  /** How far it is, from 0 to 1. */
  tell: (share: number) => void;
};

/** Whatever a server says of an asset's decimals, no limit grows with more of them than these. */
const mostDecimals = 3;
/** A limit is no way to turn the PIN off. */
const mostTimes = 100n;

/** A hundred units. What is counted without decimals is money of small units, as its three letters say, or things. */
function defaultPinLimit({ code, exponent }: Asset): bigint {
  if (exponent === 0) {
    return /^[A-Z]{3}$/.test(code) ? 10_000n : 100n;
  }
  return 100n * 10n ** BigInt(Math.min(exponent, mostDecimals));
}

/** Above this amount the PIN is asked for. */
export function pinLimit({ limits }: PayPin, asset: Asset): bigint {
  return limits[asset.code] ?? defaultPinLimit(asset);
}

/** The highest that the limit may be set to. */
export function mostPinLimit(asset: Asset): bigint {
  return mostTimes * defaultPinLimit(asset);
}

export function asksPin(payPin: PayPin, asset: Asset, amountMinor: bigint): boolean {
  return payPin.state !== 'off' && amountMinor > pinLimit(payPin, asset);
}
