/**
 * The test plays a TCP peer, 192.0.2.1, segment by segment. Sequence numbers are relative: on both
 * sides 0 is the SYN and 1 the first byte of data. The peer's first number is close to 2^32, so
 * that every test crosses the wrap.
 *
 * ```ts
 * const c = await established({ sackOk: true });
 * c.send({ seq: 3, data: "cd" });
 * c.expect({ flags: "A", ack: 1, sack: [[3, 5]] });
 * c.end();
 * ```
 *
 * @module
 */

import { assert, assertEquals, AssertionError } from "@std/assert";
import { Errno } from "../../assembly/abi/errno.ts";
import { So, Sol } from "../../assembly/abi/socket.ts";
import type { Stat } from "../../assembly/abi/stat.ts";
import type { TcpState } from "../../assembly/abi/tcp.ts";
import { Host, type HostOptions, type TcpTuning } from "./host.ts";
import { decode, encode, type Faults, type Segment, type SegmentOptions, show } from "./segment.ts";

export { Host } from "./host.ts";
export { Errno };

/** The peer's address. */
export const PEER = "192.0.2.1";
/** The peer's initial sequence number: the stream wraps after 300 bytes. */
export const PEER_ISN = 0xffffffff - 300;

/** A segment of the peer; what is left out is what a peer would say that takes all in order. */
export interface Say extends SegmentOptions, Faults {
  readonly flags?: string;
  readonly seq?: number;
  readonly ack?: number;
  readonly win?: number;
  readonly up?: number;
  /** TOS octet of the IP header, with the ECN field. */
  readonly tos?: number;
  readonly data?: string | Uint8Array;
  /** False: no timestamps although they were agreed. */
  readonly noTs?: boolean;
}

/** What a segment of the engine must be; only what is given counts. */
export interface Pattern {
  /** PSH counts only if it is among them. */
  readonly flags?: string;
  readonly seq?: number;
  readonly ack?: number;
  readonly win?: number;
  readonly up?: number;
  /** Bytes of data. */
  readonly len?: number;
  readonly data?: string;
  readonly tos?: number;
  readonly mss?: number | null;
  readonly wscale?: number | null;
  readonly sackOk?: boolean;
  readonly ts?: boolean;
  readonly tsEcr?: number;
  readonly sack?: readonly (readonly [number, number])[] | null;
  readonly fo?: string | null;
  readonly foExp?: boolean;
}

/** What a handshake agrees on, from the peer's side; and options of the engine's socket. */
export interface Shake {
  readonly host?: HostOptions;
  readonly mss?: number;
  readonly wscale?: number;
  readonly sackOk?: boolean;
  readonly ts?: boolean;
  /** Both sides use ECN (RFC 3168). */
  readonly ecn?: boolean;
  /** Round trip of the handshake, microseconds; 0 unless told. */
  readonly rtt_us?: number;
  /** Window field of the peer. */
  readonly win?: number;
  readonly sndbuf?: number;
  readonly rcvbuf?: number;
  /** Settings of the stack. */
  readonly settings?: TcpTuning;
  /** Socket options set before connecting or listening: level, name, value. */
  readonly options?: readonly [number, number, number][];
  /** The engine listens instead of connecting. */
  readonly passive?: boolean;
  readonly port?: number;
}

/** Bytes that tell their place in a stream. */
export function pattern(length: number, start = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => ((start + i) * 31 + ((start + i) >>> 8)) & 255);
}

function bytesOf(data: string | Uint8Array | undefined): Uint8Array {
  return typeof data === "string" ? new TextEncoder().encode(data) : data ?? new Uint8Array(0);
}

/** One connection between the engine and the peer. */
export class Conn {
  /** The engine's socket. */
  so = 0;
  /** The engine's initial sequence number. */
  iss = 0;
  /** The peer's next number. */
  nxt = 0;
  /** The number the peer expects next. */
  rcv = 0;
  win: number;
  /** True while timestamps are in force. */
  ts = false;
  /** The engine's newest timestamp. */
  tsEcr = 0;
  /** What is added to the peer's clock of milliseconds. */
  tsBase = 5000;
  /** The peer's initial sequence number. */
  isn = PEER_ISN;
  /** The peer's address. */
  peer = PEER;

  constructor(readonly host: Host, public lport: number, readonly fport: number, win = 65535) {
    this.win = win;
  }

  /** The peer's timestamp now. */
  tsNow(): number {
    return (this.tsBase + Math.floor(this.host.now / 1000)) >>> 0;
  }

  /** A packet of the peer. */
  packet(say: Say): Uint8Array {
    const data = bytesOf(say.data);
    const flags = say.flags ?? "A";
    const seq = say.seq ?? this.nxt;
    const end = seq + data.length + (flags.includes("S") ? 1 : 0) + (flags.includes("F") ? 1 : 0);
    if (end > this.nxt) this.nxt = end;
    const ack = flags.includes("A") ? (this.iss + (say.ack ?? this.rcv)) >>> 0 : 0;
    const ts = this.ts && !say.noTs && !say.ts ? [this.tsNow(), this.tsEcr] as const : say.ts;
    const segment: Segment = {
      src: this.peer,
      dst: this.host.ip,
      sport: this.fport,
      dport: this.lport,
      seq: (this.isn + seq) >>> 0,
      ack,
      flags,
      win: say.win ?? this.win,
      up: say.up ?? 0,
      tos: say.tos,
      data,
      mss: say.mss,
      wscale: say.wscale,
      sackOk: say.sackOk,
      fo: say.fo,
      foExp: say.foExp,
      ts,
      sack: say.sack?.map(([l, r]) => [(this.iss + l) >>> 0, (this.iss + r) >>> 0] as const),
    };
    return encode(segment, say);
  }

  /** The peer sends. */
  send(...says: Say[]): void {
    this.host.input(...says.map((say) => this.packet(say)));
  }

  /** The next segment that the engine has sent on this connection, numbers made relative. */
  take(): Segment & { at: number } | undefined {
    const { wire } = this.host;
    for (let i = 0; i < wire.length; i++) {
      const s = decode(wire[i].packet);
      if (s.dst !== this.peer || s.dport !== this.fport || s.sport !== this.lport) continue;
      const [{ at }] = wire.splice(i, 1);
      return { ...this.relative(s), at };
    }
    return undefined;
  }

  /** Relative numbers; a first SYN tells the engine's initial number. */
  relative(s: Segment): Segment {
    if (s.flags.includes("S") && this.rcv === 0) this.iss = s.seq;
    if (s.ts) this.tsEcr = s.ts[0];
    const seq = (s.seq - this.iss) | 0;
    const ack = s.flags.includes("A") ? (s.ack - this.isn) >>> 0 : 0;
    const length = s.data.length + (s.flags.match(/[SF]/g)?.length ?? 0);
    if (seq <= this.rcv && seq + length > this.rcv) this.rcv = seq + length;
    const sack = s.sack?.map(([l, r]) =>
      [(l - this.isn) >>> 0, (r - this.isn) >>> 0] as [number, number]
    );
    return { ...s, seq, ack, ...(sack ? { sack } : {}) };
  }

  /** The engine must have sent just this next; answers the segment. */
  expect(want: Pattern): Segment & { at: number } {
    const got = this.take();
    if (!got) throw new AssertionError(`nothing was sent; wanted ${JSON.stringify(want)}`);
    match(got, want);
    return got;
  }

  /** The engine must send this within `us`; answers when, in microseconds from now. */
  expectWithin(us: number, want: Pattern): number {
    const begin = this.host.now;
    this.host.untilSent(us);
    this.expect(want);
    return this.host.now - begin;
  }

  /** Nothing may be waiting to be taken. */
  silent(): void {
    const got = this.take();
    if (got) throw new AssertionError(`unexpected: ${show(got)}`);
  }

  /** Nothing may be sent for so long. */
  silentFor(us: number): void {
    this.silent();
    this.host.advance(us);
    this.silent();
  }

  /** All that the engine has sent. */
  takeAll(): (Segment & { at: number })[] {
    const all: (Segment & { at: number })[] = [];
    for (let s = this.take(); s; s = this.take()) all.push(s);
    return all;
  }

  /** The user writes; answers what so_send does. */
  tryWrite(data: string | Uint8Array, flags = 0): number {
    const bytes = bytesOf(data);
    let done = 0;
    while (done < bytes.length) {
      const piece = bytes.subarray(done, done + 65536);
      this.host.engine.memory.set(piece, this.host.engine.staging);
      const n = this.host.call(
        "so_send",
        this.so,
        this.host.engine.staging,
        piece.length,
        flags,
        0,
      );
      this.host.step();
      if (n < 0) return done > 0 ? done : n;
      done += n;
      if (n < piece.length) break;
    }
    return done;
  }

  /** The user writes, and all of it must be taken. */
  write(data: string | Uint8Array, flags = 0): void {
    assertEquals(this.tryWrite(data, flags), bytesOf(data).length, "bytes taken by send");
  }

  /** The user reads; answers what so_recv does, and the bytes. */
  tryRead(length = 65536, flags = 0): { n: number; data: Uint8Array } {
    const { engine } = this.host;
    const n = this.host.call("so_recv", this.so, engine.staging, length, flags, 0);
    const data = engine.memory.slice(engine.staging, engine.staging + Math.max(n, 0));
    this.host.step();
    return { n, data };
  }

  /** The user reads text; "" at the end of the stream. */
  read(length = 65536, flags = 0): string {
    const { n, data } = this.tryRead(length, flags);
    assert(n >= 0, `recv: ${n}`);
    return new TextDecoder().decode(data);
  }

  /** The read must fail so. */
  readFails(errno: Errno, flags = 0): void {
    assertEquals(this.tryRead(65536, flags).n, -errno, "recv");
  }

  shutdown(how: number): void {
    assertEquals(this.host.call("so_shutdown", this.so, how), 0, "shutdown");
    this.host.step();
  }

  /** The user closes; the socket is the engine's alone from then on. */
  close(): void {
    this.host.close(this.so);
    this.so = 0;
  }

  /** State of the connection, CLOSED if it is gone. */
  state(): TcpState {
    return this.host.inspect.state(this.so);
  }

  /** A field of the engine's Tcb. */
  tcb(name: Parameters<Host["inspect"]["tcb"]>[1]): number {
    return this.host.inspect.tcb(this.so, name);
  }

  stat(s: Stat): number {
    return this.host.inspect.stat(s);
  }

  /** Fate of the last segment that was handed in. */
  fate(): number {
    return this.host.call("last_fate");
  }

  /** Ends the test: resets the connection if it lives, and finds nothing left over. */
  end(...sockets: number[]): void {
    if (this.so !== 0) {
      this.host.setopt(this.so, Sol.SOCKET, So.LINGER, 1, 0);
      sockets.push(this.so);
    }
    this.host.end(...sockets);
  }
}

/** Throws unless the segment is as the pattern says. */
export function match(got: Segment, want: Pattern): void {
  const faults: string[] = [];
  const differs = (name: string, a: unknown, b: unknown) => {
    if (JSON.stringify(a) !== JSON.stringify(b)) {
      faults.push(`${name} is ${JSON.stringify(a)}, wanted ${JSON.stringify(b)}`);
    }
  };
  if (want.flags !== undefined) {
    const flags = want.flags.includes("P") ? got.flags : got.flags.replace("P", "");
    differs("flags", flags, want.flags);
  }
  if (want.len !== undefined) differs("len", got.data.length, want.len);
  if (want.data !== undefined) differs("data", new TextDecoder().decode(got.data), want.data);
  if (want.ts !== undefined) differs("timestamps", got.ts !== undefined, want.ts);
  if (want.tsEcr !== undefined) differs("TSecr", got.ts?.[1], want.tsEcr);
  if (want.sackOk !== undefined) differs("SACK permitted", got.sackOk ?? false, want.sackOk);
  for (const name of ["seq", "ack", "win", "up", "tos"] as const) {
    if (want[name] !== undefined) differs(name, got[name], want[name]);
  }
  if (want.foExp !== undefined) differs("foExp", got.foExp ?? false, want.foExp);
  for (const name of ["mss", "wscale", "sack", "fo"] as const) {
    if (want[name] !== undefined) differs(name, got[name] ?? null, want[name]);
  }
  if (faults.length > 0) throw new AssertionError(`${show(got)}\n  ${faults.join("\n  ")}`);
}
