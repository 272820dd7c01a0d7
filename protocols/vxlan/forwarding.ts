/**
 * The forwarding table of a VXLAN tunnel end point (RFC 7348 4.1): behind which other end point a
 * station lies. Addresses are learned from what comes, forgotten after a while, and limited in
 * number; some may be fixed. Looking up and learning allocate nothing: the table is made of arrays,
 * with open addressing.
 *
 * @module
 */

/** What came of noting an address. */
export const enum Learned {
  /** It was known, and is where it was. */
  KNOWN = 0,
  /** It is new. */
  NEW = 1,
  /** It was behind another end point before. */
  MOVED = 2,
  /** It is fixed elsewhere, and stays there. */
  FIXED = 3,
  /** The table is full. */
  FULL = 4,
}

/** An entry of the table. */
export interface ForwardingEntry {
  /** Hardware address as its first 16 bits and the other 32. */
  readonly hi: number;
  /** The other 32. */
  readonly lo: number;
  /** The end point, an IPv4 address in host order. */
  readonly remote: number;
  /** When it was seen last, microseconds; `Infinity` for a fixed one. */
  readonly seen_us: number;
}

const SMALLEST = 64;

/** The table of one tunnel. An end point of 0 marks a free place. */
export class ForwardingTable {
  readonly #limit: number;
  readonly #age_us: number;
  #mask = 0;
  #count = 0;
  #fixed = 0;
  #hi = new Uint16Array(0);
  #lo = new Uint32Array(0);
  #remote = new Uint32Array(0);
  #seen = new Float64Array(0);

  /** A table that learns at most `limit` addresses and forgets those not seen for `age_us`. */
  constructor(limit: number, age_us: number) {
    this.#limit = limit;
    this.#age_us = age_us;
    this.#allocate(SMALLEST);
  }

  /** Addresses in it, those included that are too old and were not swept out yet. */
  get count(): number {
    return this.#count;
  }

  /** The end point that an address lies behind; 0 if that is not known. */
  lookup(hi: number, lo: number, now_us: number): number {
    const i = this.#find(hi, lo);
    const remote = this.#remote[i];
    return remote !== 0 && now_us - this.#seen[i] <= this.#age_us ? remote : 0;
  }

  /** Notes that a frame from an address came from an end point. */
  learn(hi: number, lo: number, remote: number, now_us: number): Learned {
    const i = this.#find(hi, lo);
    const before = this.#remote[i];
    if (before === 0) return this.#add(hi, lo, remote, now_us);
    if (this.#seen[i] === Infinity) return before === remote ? Learned.KNOWN : Learned.FIXED;
    this.#seen[i] = now_us;
    if (before === remote) return Learned.KNOWN;
    this.#remote[i] = remote;
    return Learned.MOVED;
  }

  /** Fixes an address behind an end point. */
  fix(hi: number, lo: number, remote: number): void {
    const i = this.#find(hi, lo);
    if (this.#remote[i] === 0) this.#insert(hi, lo, remote, Infinity);
    else {
      if (this.#seen[i] !== Infinity) this.#fixed++;
      this.#remote[i] = remote;
      this.#seen[i] = Infinity;
    }
  }

  /** Forgets an address; false if it was not there. */
  remove(hi: number, lo: number): boolean {
    const i = this.#find(hi, lo);
    if (this.#remote[i] === 0) return false;
    this.#free(i);
    return true;
  }

  /** Forgets all that was learned, or what was learned of one end point. */
  flush(remote?: number): void {
    this.#sweep((i) =>
      this.#seen[i] !== Infinity && (remote === undefined || this.#remote[i] === remote)
    );
  }

  /** What it holds and believes now. */
  *entries(now_us: number): Generator<ForwardingEntry> {
    for (let i = 0; i <= this.#mask; i++) {
      const [remote, seen_us] = [this.#remote[i], this.#seen[i]];
      if (remote === 0 || now_us - seen_us > this.#age_us) continue;
      yield { hi: this.#hi[i], lo: this.#lo[i], remote, seen_us };
    }
  }

  /** Puts an entry back; for a snapshot. */
  restore({ hi, lo, remote, seen_us }: ForwardingEntry): void {
    if (seen_us === Infinity) this.fix(hi, lo, remote);
    else this.learn(hi, lo, remote, seen_us);
  }

  #add(hi: number, lo: number, remote: number, now_us: number): Learned {
    if (this.#count - this.#fixed >= this.#limit) {
      this.#sweep((i) => now_us - this.#seen[i] > this.#age_us);
      if (this.#count - this.#fixed >= this.#limit) return Learned.FULL;
    }
    this.#insert(hi, lo, remote, now_us);
    return Learned.NEW;
  }

  #insert(hi: number, lo: number, remote: number, seen_us: number): void {
    if (2 * (this.#count + 1) > this.#mask) this.#grow();
    const i = this.#find(hi, lo);
    this.#hi[i] = hi;
    this.#lo[i] = lo;
    this.#remote[i] = remote;
    this.#seen[i] = seen_us;
    this.#count++;
    if (seen_us === Infinity) this.#fixed++;
  }

  /** The place of an address, or the free one where it would stand. */
  #find(hi: number, lo: number): number {
    const mask = this.#mask;
    let i = this.#home(hi, lo);
    while (this.#remote[i] !== 0 && (this.#lo[i] !== lo || this.#hi[i] !== hi)) i = (i + 1) & mask;
    return i;
  }

  #home(hi: number, lo: number): number {
    let h = Math.imul(lo ^ Math.imul(hi, 0x9e3779b1), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 15), 0xc2b2ae35);
    return (h ^ (h >>> 16)) & this.#mask;
  }

  /** Frees a place; those behind it move up, so that no search ends too early. */
  #free(at: number): void {
    const mask = this.#mask;
    if (this.#seen[at] === Infinity) this.#fixed--;
    this.#count--;
    let hole = at;
    for (let i = (at + 1) & mask; this.#remote[i] !== 0; i = (i + 1) & mask) {
      const home = this.#home(this.#hi[i], this.#lo[i]);
      if (((i - home) & mask) < ((i - hole) & mask)) continue;
      this.#hi[hole] = this.#hi[i];
      this.#lo[hole] = this.#lo[i];
      this.#remote[hole] = this.#remote[i];
      this.#seen[hole] = this.#seen[i];
      hole = i;
    }
    this.#remote[hole] = 0;
  }

  /** Frees all places that a test says; one that was freed is looked at again. */
  #sweep(old: (i: number) => boolean): void {
    for (let i = 0; i <= this.#mask;) {
      if (this.#remote[i] !== 0 && old(i)) this.#free(i);
      else i++;
    }
  }

  #grow(): void {
    const [hi, lo, remote, seen] = [this.#hi, this.#lo, this.#remote, this.#seen];
    this.#allocate(2 * (this.#mask + 1));
    for (let i = 0; i < remote.length; i++) {
      if (remote[i] !== 0) this.#insert(hi[i], lo[i], remote[i], seen[i]);
    }
  }

  #allocate(places: number): void {
    this.#mask = places - 1;
    this.#count = 0;
    this.#fixed = 0;
    this.#hi = new Uint16Array(places);
    this.#lo = new Uint32Array(places);
    this.#remote = new Uint32Array(places);
    this.#seen = new Float64Array(places);
  }
}
