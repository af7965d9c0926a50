/** A server that says more than this about the device's clock is not believed: its person is told to set it. */
const mostMs = 24 * 3_600_000;

/** The server's time, as far as it told: statements that it judges by its own clock are dated by this. */
export class ServerClock {
  #aheadMs = 0;

  /**
   * @param serverMs what the server's clock shows now
   * @returns whether it is believed
   */
  learn(serverMs: number): boolean {
    const aheadMs = serverMs - Date.now();
    const isBelieved = Math.abs(aheadMs) <= mostMs;
    if (isBelieved) {
      this.#aheadMs = aheadMs;
    }
    return isBelieved;
  }

  nowMs(): number {
    return Date.now() + this.#aheadMs;
  }
}
