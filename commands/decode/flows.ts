/**
 * Connections of TCP met in a capture: where their sequence numbers began.
 *
 * @module
 */

/** Beyond so many connections the oldest is forgotten, so that a long capture has an end. */
const FLOWS_MAX = 65_536;

/** First sequence numbers of a connection. */
export interface Flow {
  /** Of the end that comes first in the key. */
  seq: number;
  /** Of the other. */
  ack: number;
}

/** What is known of a segment's connection. */
export interface FlowView {
  readonly flow: Flow;
  /** True if the segment goes from the end that comes second in the key. */
  readonly reversed: boolean;
  /** True if the connection was met before, and the segment does not begin it anew. */
  readonly known: boolean;
}

/** All connections of a capture. */
export class Flows {
  readonly #flows = new Map<string, Flow>();

  /** Finds or begins the connection of a segment that has an acknowledgment. */
  of(
    { src, dst, sport, dport }: { src: string; dst: string; sport: number; dport: number },
    { seq, ack, syn }: { seq: number; ack: number; syn: boolean },
  ): FlowView {
    const reversed = sport === dport ? src > dst : sport > dport;
    const ends = reversed ? [dst, dport, src, sport] : [src, sport, dst, dport];
    const key = ends.join(" ");
    const found = this.#flows.get(key);
    if (found && !syn) return { flow: found, reversed, known: true };
    const flow = reversed ? { seq: ack - 1 >>> 0, ack: seq } : { seq, ack: ack - 1 >>> 0 };
    if (!found && this.#flows.size >= FLOWS_MAX) {
      this.#flows.delete(this.#flows.keys().next().value!);
    }
    this.#flows.set(key, flow);
    return { flow, reversed, known: false };
  }
}
