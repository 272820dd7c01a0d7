/**
 * The time at the beginning of a line.
 *
 * @module
 */

import type { DecodeOptions } from "./options.ts";

const SECOND_NS = 1_000_000_000n;
const MINUTE_MS = 60_000;

/** Writes times of frames in one style; remembers the first and the last. */
export class TimeWriter {
  readonly #options: DecodeOptions;
  #first_ns: bigint | undefined;
  #last_ns: bigint | undefined;

  constructor(options: DecodeOptions) {
    this.#options = options;
  }

  /** The time with the blank behind it; empty if no time is wanted. */
  format(time_ns: bigint): string {
    const first_ns = this.#first_ns ??= time_ns;
    const last_ns = this.#last_ns ?? time_ns;
    this.#last_ns = time_ns;
    switch (this.#options.time ?? "day") {
      case "none":
        return "";
      case "epoch":
        return `${time_ns / SECOND_NS}.${this.#fraction(time_ns)} `;
      case "since-last":
        return this.#span(time_ns - last_ns);
      case "since-first":
        return this.#span(time_ns - first_ns);
      case "date":
        return `${this.#local(time_ns).toISOString().slice(0, 10)} ${this.#clock(time_ns)} `;
      case "day":
        return `${this.#clock(time_ns)} `;
    }
  }

  #span(span_ns: bigint): string {
    const [sign, length_ns] = span_ns < 0n ? ["-", -span_ns] : [" ", span_ns];
    const seconds = Number(length_ns / SECOND_NS);
    const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
    const clock = [seconds / 3600, seconds / 60 % 60, seconds % 60].map(two).join(":");
    return `${sign}${clock}.${this.#fraction(length_ns)} `;
  }

  #clock(time_ns: bigint): string {
    return `${this.#local(time_ns).toISOString().slice(11, 19)}.${this.#fraction(time_ns)}`;
  }

  /** A date whose UTC fields are those of the local clock. */
  #local(time_ns: bigint): Date {
    const time_ms = Number(time_ns / 1_000_000n);
    const ahead_min = this.#options.utcOffset_min ?? -new Date(time_ms).getTimezoneOffset();
    return new Date(time_ms + ahead_min * MINUTE_MS);
  }

  #fraction(time_ns: bigint): string {
    const digits = String(time_ns % SECOND_NS).padStart(9, "0");
    return this.#options.precision === "nano" ? digits : digits.slice(0, 6);
  }
}
