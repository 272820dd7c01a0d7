/**
 * Two engines joined by a virtual link that delays, loses, repeats and reorders packets, on one
 * clock. Everything that happens follows from the seed.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Shut, So, Sol } from "../../assembly/abi/socket.ts";
import { Prng } from "../../drivers/prng.ts";
import { markCe } from "../../sim/frame.ts";
import { Errno, pattern } from "./harness.ts";
import { Host, type HostOptions } from "./host.ts";

/** What the link does to packets; shares are from 0 to 1. */
export interface Link {
  readonly delay_us: number;
  /** Bits a second in either direction; packets that have to wait for others do, unlimited. */
  readonly rate_bps?: number;
  /** Up to so much more delay, at random: what reorders. */
  readonly jitter_us?: number;
  readonly loss?: number;
  readonly duplicate?: number;
  readonly seed: number;
  /** Marks a packet that can be marked with CE (RFC 3168 5). */
  readonly mark?: (n: number, packet: Uint8Array, toB: boolean) => boolean;
  /** Drops a packet in addition; `n` counts the packets of one direction from 0. */
  readonly drop?: (n: number, packet: Uint8Array, toB: boolean) => boolean;
}

/** What one side of a transfer does. */
export interface Side {
  /** Bytes it sends. */
  readonly bytes: number;
  readonly sndbuf?: number;
  readonly rcvbuf?: number;
  /** Most bytes that it reads at once. */
  readonly read?: number;
  readonly options?: readonly [number, number, number][];
}

interface Flight {
  readonly at: number;
  readonly to: Host;
  readonly packet: Uint8Array;
}

/** Longest that a transfer may take, microseconds of the virtual clock. */
const LIMIT_US = 3_600_000_000;

/** Two hosts and the link between them. */
export class Pair {
  readonly #random: Prng;
  readonly #flights: Flight[] = [];
  readonly #count = { a: 0, b: 0 };
  /** When each direction has sent what it was given. */
  readonly #free = { a: 0, b: 0 };
  now = 1_000_000;
  /** Longest that a packet has waited for the link, microseconds. */
  queued_us = 0;

  private constructor(readonly a: Host, readonly b: Host, readonly link: Link) {
    this.#random = new Prng(link.seed);
  }

  static async join(link: Link, options: HostOptions = {}): Promise<Pair> {
    const a = await Host.boot({ ...options, ip: "192.168.0.1", seed: "a" });
    const b = await Host.boot({ ...options, ip: "192.0.2.1", seed: "b" });
    return new Pair(a, b, link);
  }

  #chance(share: number | undefined): boolean {
    return share !== undefined && share > 0 && this.#random.unit() < share;
  }

  /** When the link has put a packet of so many bytes on the wire. */
  #sent(side: "a" | "b", bytes: number): number {
    const { rate_bps } = this.link;
    if (rate_bps === undefined) return this.now;
    this.queued_us = Math.max(this.queued_us, this.#free[side] - this.now);
    this.#free[side] = Math.max(this.#free[side], this.now) + bytes * 8e6 / rate_bps;
    return this.#free[side];
  }

  /** Takes what both have sent into the link. */
  #collect(from: Host, to: Host, side: "a" | "b"): void {
    for (const { packet } of from.wire.splice(0)) {
      const n = this.#count[side]++;
      const lost = this.#chance(this.link.loss) || this.link.drop?.(n, packet, side === "a");
      if (this.link.mark?.(n, packet, side === "a")) markCe(packet, "ip");
      const copies = lost ? 0 : this.#chance(this.link.duplicate) ? 2 : 1;
      for (let i = 0; i < copies; i++) {
        const jitter = this.link.jitter_us
          ? Math.floor(this.#random.unit() * this.link.jitter_us)
          : 0;
        const at = this.#sent(side, packet.length) + this.link.delay_us + jitter;
        this.#launch({ at, to, packet });
      }
    }
  }

  /** Puts a packet among those on their way, behind all that arrive no later. */
  #launch(flight: Flight): void {
    let i = this.#flights.length;
    while (i > 0 && this.#flights[i - 1].at > flight.at) i--;
    this.#flights.splice(i, 0, flight);
  }

  /** Goes to the next thing that happens; false if nothing ever will, or not before `end`. */
  turn(end = Infinity): boolean {
    this.a.step();
    this.b.step();
    this.#collect(this.a, this.b, "a");
    this.#collect(this.b, this.a, "b");
    const arrival = this.#flights[0]?.at ?? Infinity;
    const next = Math.min(arrival, this.a.deadline(), this.b.deadline());
    if (next > end || next === Infinity) return false;
    this.now = Math.max(this.now, Math.ceil(next));
    this.a.now = this.now;
    this.b.now = this.now;
    while (this.#flights.length > 0 && this.#flights[0].at <= this.now) {
      const { to, packet } = this.#flights.shift()!;
      to.tryInput(packet);
    }
    this.a.settle();
    this.b.settle();
    return true;
  }

  /** Runs the link for so long. */
  run(us: number): void {
    const end = this.now + us;
    while (this.turn(end));
    this.now = end;
    for (const host of [this.a, this.b]) {
      host.now = end;
      host.settle();
    }
  }

  /**
   * A connects to B; both send their bytes, check what comes byte for byte, and close. Answers the
   * time it took, microseconds.
   */
  transfer(a: Side, b: Side, port = 80): number {
    const begin = this.now;
    const listener = this.b.listen(port, 5, optionsOf(b));
    const soA = this.a.socket();
    for (const [level, name, value] of optionsOf(a)) this.a.setopt(soA, level, name, value);
    const code = this.a.call("so_connect", soA, this.a.name(this.b.ip, port));
    // with Fast Open the connection may begin with the first data
    assert(code === -Errno.EINPROGRESS || code === 0, `connect: ${code}`);
    this.a.step();
    const ends: (End | undefined)[] = [new End(this.a, soA, a, b.bytes), undefined];
    while (!ends.every((end) => end?.done)) {
      ends[0]!.work();
      if (!ends[1]) {
        const so = this.b.accept(listener);
        if (so !== 0) ends[1] = new End(this.b, so, b, a.bytes);
      }
      ends[1]?.work();
      if (ends.every((end) => end?.done)) break;
      assert(this.turn(begin + LIMIT_US), `no end after ${(this.now - begin) / 1e6} s`);
    }
    const took = this.now - begin;
    this.a.close(soA);
    this.b.close(ends[1]!.so);
    this.b.close(listener);
    return took;
  }

  /** Lets both come to rest and finds nothing left. */
  end(): void {
    this.run(LIMIT_US);
    this.a.end();
    this.b.end();
  }
}

function optionsOf(side: Side): [number, number, number][] {
  const list = [...side.options ?? []];
  if (side.sndbuf) list.push([Sol.SOCKET, So.SNDBUF, side.sndbuf]);
  if (side.rcvbuf) list.push([Sol.SOCKET, So.RCVBUF, side.rcvbuf]);
  return list;
}

/** pattern() repeats itself after so many bytes. */
const PERIOD = 65_536;
const STREAM = pattern(2 * PERIOD);

/** At most 64 KiB of pattern(), without computing them. */
function stream(length: number, start: number): Uint8Array {
  return STREAM.subarray(start % PERIOD, start % PERIOD + length);
}

/** The send may be tried again. */
const LATER: readonly number[] = [
  Errno.EAGAIN,
  Errno.ENOTCONN,
  Errno.ENOBUFS,
  Errno.EINPROGRESS,
];

/** One end of a transfer: a program that never waits. */
class End {
  #sent = 0;
  #received = 0;
  #ended = false;
  #shut = false;

  constructor(
    readonly host: Host,
    readonly so: number,
    readonly side: Side,
    readonly expects: number,
  ) {}

  get done(): boolean {
    return this.#shut && this.#ended;
  }

  /** Writes and reads what can be. */
  work(): void {
    this.#write();
    this.#read();
  }

  #write(): void {
    const { engine } = this.host;
    while (!this.#shut) {
      const n = Math.min(this.side.bytes - this.#sent, 16_384);
      if (n === 0) {
        const code = this.host.call("so_shutdown", this.so, Shut.WR);
        if (code === -Errno.ENOTCONN && !this.#ended) return; // still connecting
        this.host.step();
        this.#shut = true;
        return;
      }
      engine.memory.set(stream(n, this.#sent), engine.staging);
      const taken = this.host.call("so_send", this.so, engine.staging, n, 0, 0);
      this.host.step();
      if (LATER.includes(-taken)) return;
      assert(taken > 0, `send: ${taken} after ${this.#sent} of ${this.side.bytes}`);
      this.#sent += taken;
    }
  }

  #read(): void {
    const { engine } = this.host;
    while (!this.#ended) {
      const most = this.side.read ?? 65_536;
      const n = this.host.call("so_recv", this.so, engine.staging, most, 0, 0);
      this.host.step();
      if (n === -Errno.EAGAIN) return;
      assert(n >= 0, `recv: ${n} after ${this.#received} of ${this.expects}`);
      if (n === 0) {
        assertEquals(this.#received, this.expects, "bytes received");
        this.#ended = true;
        return;
      }
      const want = stream(n, this.#received);
      const got = engine.memory.subarray(engine.staging, engine.staging + n);
      for (let i = 0; i < n; i++) {
        if (got[i] !== want[i]) throw new Error(`byte ${this.#received + i} is not what was sent`);
      }
      this.#received += n;
    }
  }
}
