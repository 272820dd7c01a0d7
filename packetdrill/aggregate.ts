/**
 * Scripts made for devices that cut segments themselves expect one large segment where the stack
 * sends several. They are put together again here.
 *
 * @module
 */

import { CWR, FIN, PSH } from "./flags.ts";
import { showOptions } from "./show.ts";
import type { Segment } from "./wire.ts";

/** Bits in which the segments of a burst may differ. */
const MAY_DIFFER = FIN | PSH | CWR;

/** Segments of one burst, merged. */
export class Burst {
  #merged: Segment;
  /** Payload of each segment; only the last may have another. */
  readonly #size: number;
  #ended = false;

  constructor(first: Segment) {
    this.#merged = first;
    this.#size = first.data.length;
  }

  /** The burst so far: sequence number and CWR of the first segment, all else of the last. */
  get segment(): Segment {
    return this.#merged;
  }

  /** True while a line of so many bytes wants more. */
  wants(length: number): boolean {
    const have = this.#merged.data.length;
    return have > 0 && have < length;
  }

  /** Adds the next segment; answers why it does not belong, or undefined if it does. */
  add(next: Segment): string | undefined {
    const { seq, data, flags } = this.#merged;
    if (this.#ended) return "a segment of another size inside a burst";
    if (next.seq !== (seq + data.length) >>> 0) return "a gap inside a burst";
    if (next.data.length === 0) return "a segment without data in a burst";
    if ((next.flags ^ flags) & ~MAY_DIFFER || flags & FIN) return "control bits in a burst";
    const same = next.ack === this.#merged.ack && next.win === this.#merged.win &&
      next.urg === this.#merged.urg &&
      showOptions(next.options) === showOptions(this.#merged.options);
    if (!same) return "headers in a burst";
    this.#ended = next.data.length !== this.#size;
    const joined = new Uint8Array(data.length + next.data.length);
    joined.set(data);
    joined.set(next.data, data.length);
    this.#merged = {
      ...next,
      seq,
      flags: (next.flags & ~CWR) | (flags & CWR),
      data: joined,
    };
    return undefined;
  }
}
