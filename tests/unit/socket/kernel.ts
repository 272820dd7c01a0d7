/**
 * A booted engine with nothing around it: its calls with addresses and bytes made easy, on a clock
 * that stands still until it is moved. Its only interface is lo0, 127.0.0.1/8.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Errno } from "../../../assembly/abi/errno.ts";
import { IpProto } from "../../../assembly/abi/proto.ts";
import { Af, Sock, TcpOpt } from "../../../assembly/abi/socket.ts";
import { Engine, type MemoryOptions } from "../../../runtime/engine.ts";
import { SeededEntropy } from "../../../runtime/entropy.ts";
import * as layout from "../../../runtime/wasm/layout.gen.ts";
import checked from "../../engine_checked_module.js";

/** An address: text of IPv4, or 16 bytes, and a port. */
export interface Name {
  readonly ip: string | Uint8Array;
  readonly port: number;
  readonly family?: number;
}

/** What a receive gave. */
export interface Received {
  readonly n: number;
  readonly data: Uint8Array;
  readonly from: { ip: string; port: number; family: number };
  readonly flags: number;
  readonly length: number;
  readonly dst: string | undefined;
  readonly tstamp: number;
}

const SLOT = 32;

/** Every export, probes included. */
type Exports = Record<string, (...args: number[]) => number>;

/** An engine and its clock. */
export class Kernel {
  /** Microseconds. */
  now = 1_000_000;
  readonly view: DataView;
  readonly memory: Uint8Array;
  readonly #exports: Exports;
  #slot = 0;

  private constructor(readonly engine: Engine) {
    this.view = engine.view;
    this.memory = engine.memory;
    this.#exports = engine.calls as unknown as Exports;
  }

  /** Boots an engine of 16 MiB. */
  static async boot(memory: MemoryOptions & { host_queue?: number } = {}): Promise<Kernel> {
    const options = { bytes: 16 << 20, ...memory };
    const entropy = new SeededEntropy("socket tests");
    const kernel = new Kernel(await Engine.create({ engine: checked, memory: options, entropy }));
    kernel.settle();
    return kernel;
  }

  /** Calls an export, a probe included. */
  call(name: string, ...args: number[]): number {
    return this.#exports[name](...args);
  }

  /** Scratch memory that stays until 64 more places were asked for. */
  place(): number {
    this.#slot = (this.#slot + 1) % 64;
    return this.engine.scratch + this.#slot * SLOT;
  }

  /** Writes a SockAddr and answers where. */
  name({ ip, port, family = Af.INET }: Name): number {
    const at = this.place();
    this.memory.fill(0, at, at + SLOT);
    if (typeof ip !== "string") this.memory.set(ip, at);
    else if (ip !== "0.0.0.0") {
      this.memory.set([0xff, 0xff, ...ip.split(".").map(Number)], at + 10);
    }
    this.view.setUint16(at + layout.SockAddr.family, family, true);
    this.view.setUint16(at + layout.SockAddr.port, port, true);
    return at;
  }

  /** Reads a SockAddr. */
  readName(at: number): { ip: string; port: number; family: number } {
    return {
      ip: this.memory.slice(at + 12, at + 16).join("."),
      port: this.view.getUint16(at + layout.SockAddr.port, true),
      family: this.view.getUint16(at + layout.SockAddr.family, true),
    };
  }

  /** Makes a socket that must succeed. */
  socket(type: number = Sock.STREAM, protocol = 0): number {
    const so = this.call("so_create", Af.INET, type, protocol);
    assert(so > 0, `socket: ${so}`);
    return so;
  }

  bind(so: number, ip: string, port: number): number {
    return this.call("so_bind", so, this.name({ ip, port }));
  }

  connect(so: number, ip: string, port: number): number {
    return this.call("so_connect", so, this.name({ ip, port }));
  }

  accept(so: number): number {
    return this.call("so_accept", so, this.place());
  }

  sockname(so: number): { ip: string; port: number; family: number } {
    const at = this.place();
    assertEquals(this.call("so_sockname", so, at), 0);
    return this.readName(at);
  }

  /** Sends text or bytes; answers what so_send does. */
  send(so: number, data: string | Uint8Array, flags = 0, to?: Name): number {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    this.memory.set(bytes, this.engine.staging);
    const nam = to ? this.name(to) : 0;
    return this.call("so_send", so, this.engine.staging, bytes.length, flags, nam);
  }

  /** Receives up to `len` bytes. */
  recv(so: number, len = 65536, flags = 0): Received {
    const nam = this.name({ ip: "0.0.0.0", port: 0, family: 0 });
    const n = this.call("so_recv", so, this.engine.staging, len, flags, nam);
    const info = this.engine.recvInfo;
    const dst = this.view.getUint32(info + layout.RecvInfo.dst, true);
    return {
      n,
      data: this.memory.slice(this.engine.staging, this.engine.staging + Math.max(n, 0)),
      from: this.readName(nam),
      flags: this.view.getUint32(info + layout.RecvInfo.flags, true),
      length: this.view.getUint32(info + layout.RecvInfo.length, true),
      dst: this.view.getUint32(info + layout.RecvInfo.dst_set, true)
        ? [24, 16, 8, 0].map((s) => (dst >>> s) & 255).join(".")
        : undefined,
      tstamp: this.view.getFloat64(info + layout.RecvInfo.tstamp, true),
    };
  }

  /** Receives text. */
  text(so: number, len = 65536, flags = 0): string {
    const got = this.recv(so, len, flags);
    assert(got.n >= 0, `recv: ${got.n}`);
    return new TextDecoder().decode(got.data);
  }

  /** Sets an option to 32-bit numbers; answers what so_setopt does. */
  setopt(so: number, level: number, name: number, ...values: number[]): number {
    const at = this.place();
    values.forEach((value, i) => this.view.setInt32(at + 4 * i, value, true));
    return this.call("so_setopt", so, level, name, at, values.length * 4);
  }

  /** Reads an option of one 32-bit number, which must succeed. */
  getopt(so: number, level: number, name: number): number {
    const at = this.place();
    assertEquals(this.call("so_getopt", so, level, name, at, 4), 4);
    return this.view.getInt32(at, true);
  }

  /** Lets loopback and timers that are due run out. */
  settle(): void {
    for (let i = 0; i < 1000; i++) {
      if (this.call("poll", this.now) === 0) return;
    }
    throw new Error("no rest after 1000 polls");
  }

  /** Moves the clock, stopping at every deadline on the way. */
  advance(us: number): void {
    const end = this.now + us;
    for (;;) {
      const next = this.call("nextDeadline");
      if (next > end) break;
      this.now = Math.max(this.now, next);
      this.settle();
    }
    this.now = end;
    this.settle();
  }

  /** Takes all events, as pairs of socket and Ev bits. */
  events(): [so: number, bits: number][] {
    const at = this.engine.scratch + 2048;
    const n = this.call("ev_drain", at, 128);
    return Array.from(
      { length: n },
      (_, i) => [
        this.view.getUint32(at + i * 8, true),
        this.view.getUint32(at + i * 8 + 4, true),
      ],
    );
  }

  /** A TCP connection over loopback, without Nagle's delays: client, server and the listener. */
  pair(port = 4000): { client: number; server: number; listener: number } {
    const listener = this.socket();
    assertEquals(this.bind(listener, "127.0.0.1", port), 0);
    assertEquals(this.call("so_listen", listener, 5), 0);
    const client = this.socket();
    assertEquals(this.setopt(client, IpProto.TCP, TcpOpt.NODELAY, 1), 0);
    assertEquals(this.connect(client, "127.0.0.1", port), -Errno.EINPROGRESS);
    this.settle();
    const server = this.accept(listener);
    assert(server > 0, `accept: ${server}`);
    return { client, server, listener };
  }

  /** A field of struct Socket that is 32 bits wide. */
  field(so: number, name: keyof typeof layout.Socket): number {
    return this.view.getUint32(so + (layout.Socket[name] as number), true);
  }

  /** Mbufs that are out. */
  mbufs(): number {
    const at = this.place();
    this.call("pool_stats", at);
    return this.view.getUint32(at, true) + this.view.getUint32(at + 16, true);
  }

  /** Closes sockets, lets their connections end, and checks that nothing is left over. */
  end(...sockets: number[]): void {
    for (const so of sockets) this.call("so_close", so);
    this.settle();
    this.advance(600_000_000);
    assertEquals(this.call("probe_so_used"), 0, "sockets left");
    assertEquals(this.mbufs(), 0, "mbufs left");
  }
}
