/**
 * The address table of a learning bridge (IEEE 802.1D section 7.9): which port a hardware address
 * was last seen on, with ageing and a limit.
 *
 * @module
 */

interface MacEntry<Port> {
  port: Port;
  seen_us: number;
}

/** Hardware addresses as 48-bit numbers, each with the port it was last seen on. */
export class MacTable<Port> {
  readonly #entries = new Map<number, MacEntry<Port>>();
  readonly #limit: number;
  readonly #age_us: number;

  /** A table of at most `limit` addresses that forgets those not seen for `age_us`. */
  constructor(limit: number, age_us: number) {
    this.#limit = limit;
    this.#age_us = age_us;
  }

  /** How many addresses are held, the expired ones that were not swept yet included. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Notes that `mac` was seen on `port`.
   *
   * @returns false if the table is full of fresh addresses and this one was not noted.
   */
  learn(mac: number, port: Port, now_us: number): boolean {
    const entry = this.#entries.get(mac);
    if (entry) {
      entry.port = port;
      entry.seen_us = now_us;
      return true;
    }
    if (this.#entries.size >= this.#limit) this.#sweep(now_us);
    if (this.#entries.size >= this.#limit) return false;
    this.#entries.set(mac, { port, seen_us: now_us });
    return true;
  }

  /** The port `mac` was last seen on, or undefined if that is unknown or too long ago. */
  lookup(mac: number, now_us: number): Port | undefined {
    const entry = this.#entries.get(mac);
    if (!entry) return undefined;
    if (now_us - entry.seen_us <= this.#age_us) return entry.port;
    this.#entries.delete(mac);
    return undefined;
  }

  /** Forgets everything. */
  clear(): void {
    this.#entries.clear();
  }

  /** Forgets every address seen on `port`. */
  forgetPort(port: Port): void {
    for (const [mac, entry] of this.#entries) {
      if (entry.port === port) this.#entries.delete(mac);
    }
  }

  #sweep(now_us: number): void {
    for (const [mac, entry] of this.#entries) {
      if (now_us - entry.seen_us > this.#age_us) this.#entries.delete(mac);
    }
  }
}
