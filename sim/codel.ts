/**
 * CoDel, controlled delay (RFC 8289): drops at the head of the queue when packets have stood in it
 * for longer than a target during a whole interval, and more often until that ends. Names and steps
 * are those of the pseudocode in RFC 8289 5.
 *
 * @module
 */

/** What a queue holds: how many bytes, and since when. */
export interface Queued {
  /** Length in bytes. */
  readonly length: number;
  /** When it was put in, in microseconds. */
  since_us: number;
}

/** How a queue is managed. */
export interface CodelOptions {
  /** Acceptable standing delay; 5,000 unless told (RFC 8289 4.3). */
  readonly target_us?: number;
  /** At least a usual round-trip time; 100,000 unless told (RFC 8289 4.2). */
  readonly interval_us?: number;
  /** Most bytes the queue holds: beyond that its tail is dropped. */
  readonly limit_bytes: number;
  /** Largest packet; a queue that holds no more is no standing queue. */
  readonly maxpacket_bytes: number;
  /** True if the packet could be marked instead of dropped (RFC 8289 is used with RFC 3168). */
  readonly mark: (packet: Queued) => boolean;
  /** Told of each packet that the law or the limit dropped. */
  readonly dropped: (packet: Queued) => void;
}

/** A queue. */
export class Codel<T extends Queued> {
  readonly #options: CodelOptions;
  readonly #target_us: number;
  readonly #interval_us: number;
  readonly #queue: T[] = [];
  #head = 0;
  #bytes = 0;
  /** When the delay, if it stays above the target, has done so for an interval; 0: it has not. */
  #first_above_us = 0;
  #drop_next_us = 0;
  #count = 0;
  #lastcount = 0;
  #dropping = false;

  /** An empty queue. */
  constructor(options: CodelOptions) {
    this.#options = options;
    this.#target_us = options.target_us ?? 5_000;
    this.#interval_us = options.interval_us ?? 100_000;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** True while drops are scheduled. */
  get dropping(): boolean {
    return this.#dropping;
  }

  /** Puts a packet in, or drops it if the queue is full. */
  enqueue(packet: T, now_us: number): void {
    if (this.#bytes + packet.length > this.#options.limit_bytes) {
      this.#options.dropped(packet);
      return;
    }
    packet.since_us = now_us;
    this.#queue.push(packet);
    this.#bytes += packet.length;
  }

  /** Takes the next packet to send; `undefined` if there is none. */
  dequeue(now_us: number): T | undefined {
    let { packet, drop } = this.#take(now_us);
    if (this.#dropping) {
      if (!drop) {
        this.#dropping = false;
        return packet;
      }
      while (packet && now_us >= this.#drop_next_us && this.#dropping) {
        this.#count++;
        if (this.#options.mark(packet)) {
          this.#drop_next_us = this.#control(this.#drop_next_us);
          return packet;
        }
        this.#options.dropped(packet);
        ({ packet, drop } = this.#take(now_us));
        if (drop) this.#drop_next_us = this.#control(this.#drop_next_us);
        else this.#dropping = false;
      }
      return packet;
    }
    if (!packet || !drop) return packet;
    return this.#begin(packet, now_us);
  }

  /** Enters the dropping state with its first drop. */
  #begin(first: T, now_us: number): T | undefined {
    let packet: T | undefined = first;
    if (!this.#options.mark(first)) {
      this.#options.dropped(first);
      packet = this.#take(now_us).packet;
    }
    this.#dropping = true;
    // If the last dropping state ended lately, its rate was about right (RFC 8289 5.4).
    const delta = this.#count - this.#lastcount;
    const lately = now_us - this.#drop_next_us < 16 * this.#interval_us;
    this.#count = delta > 1 && lately ? delta : 1;
    this.#drop_next_us = this.#control(now_us);
    this.#lastcount = this.#count;
    return packet;
  }

  /** When the next drop is due after one at `t_us` (RFC 8289 5.3). */
  #control(t_us: number): number {
    return t_us + this.#interval_us / Math.sqrt(this.#count);
  }

  /** The head of the queue, and whether the law would drop it (dodequeue, RFC 8289 5.5). */
  #take(now_us: number): { packet: T | undefined; drop: boolean } {
    if (this.#head === this.#queue.length) {
      this.#first_above_us = 0;
      return { packet: undefined, drop: false };
    }
    const packet = this.#queue[this.#head++];
    this.#bytes -= packet.length;
    if (this.#head === this.#queue.length || this.#head > 1024) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
    const sojourn_us = now_us - packet.since_us;
    if (sojourn_us < this.#target_us || this.#bytes <= this.#options.maxpacket_bytes) {
      this.#first_above_us = 0;
      return { packet, drop: false };
    }
    if (this.#first_above_us === 0) {
      this.#first_above_us = now_us + this.#interval_us;
      return { packet, drop: false };
    }
    return { packet, drop: now_us >= this.#first_above_us };
  }
}
