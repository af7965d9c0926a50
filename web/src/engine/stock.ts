import { toBase64 } from '../protocol/bytes';
import { Limits } from '../protocol/limits';
import type { Change } from '../storage/database';
import type { Core } from './core';

/** Renewed this long before they end; private keys are kept a while longer, for Welcomes still under way. */
const renewBeforeMs = 21 * 24 * 3600 * 1000;
const keepAfterMs = 14 * 24 * 3600 * 1000;

/** Key packages on the server, so that others can add this device while it is away. */
export class Stock {
  #running: Promise<void> | null = null;

  constructor(readonly core: Core) {}

  /** Fills up to the full stock, and replaces a last resort that is about to end. */
  fill(oneTimeLeft: number): Promise<void> {
    this.#running ??= this.#fill(oneTimeLeft).finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #fill(oneTimeLeft: number): Promise<void> {
    const { core } = this;
    if (!core.device.credential) {
      // Nobody takes a device that does not prove itself.
      return;
    }
    const now = Date.now();
    const lastResort = core.device.lastResortUntilMs < now + renewBeforeMs;
    const full = core.parts.stock;
    const low = Math.min(Limits.keyPackagesLowStock, full);
    const missing = oneTimeLeft < low || lastResort ? Math.max(0, full - oneTimeLeft) : 0;
    await this.#forgetExpired(now);
    if (missing === 0 && !lastResort) {
      return;
    }
    const made = await core.mls.createKeyPackages(core.identity, missing + (lastResort ? 1 : 0), now);
    const last = lastResort ? made.at(-1) : undefined;
    // The private keys are safe before anybody can be handed the public ones.
    await core.write(
      made.map(({ ref, notAfterMs, secret }) => ({
        put: 'keyPackages' as const,
        value: { ref, lastResort: ref === last?.ref, notAfterMs, secret },
      })),
      'strict',
    );
    const oneTime = made.filter((entry) => entry !== last).map((entry) => toBase64(entry.message));
    await core.api.uploadKeyPackages(oneTime, last ? toBase64(last.message) : null);
    if (last) {
      await core.updateDevice({ lastResortUntilMs: last.notAfterMs });
    }
  }

  async #forgetExpired(now: number): Promise<void> {
    const stored = await this.core.db.keyPackages();
    const expired = stored.filter((entry) => entry.notAfterMs + keepAfterMs < now);
    if (expired.length > 0) {
      await this.core.write(expired.map((entry): Change => ({ remove: 'keyPackages', id: entry.ref })));
    }
  }
}
