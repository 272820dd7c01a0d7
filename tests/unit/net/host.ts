/**
 * A host on a virtual clock: the checked engine behind its boundary, fed with frames by hand.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import engine from "../../engine_checked_module.js";
import { Errno } from "../../../assembly/abi/errno.ts";
import { Fate } from "../../../assembly/abi/fate.ts";
import { Iff, Medium, Sioc } from "../../../assembly/abi/ifnet.ts";
import { Af, Sock } from "../../../assembly/abi/socket.ts";
import { Stat } from "../../../assembly/abi/stat.ts";
import {
  BootConfig,
  IfConfig,
  Ifnet,
  IfReq,
  IfStats,
  RecvInfo,
  RtReq,
  SockAddr,
} from "../../../runtime/wasm/layout.gen.ts";
import { FATE_NAMES } from "../../../runtime/wasm/names.gen.ts";
import { ether, ip, ipText, mac, readEther } from "./frames.ts";

const MEMORY_BYTES = 16 * 2 ** 20;
const SECOND_US = 1_000_000;

/** The fields of a record, by name. */
type Fields = Readonly<Record<string, number>>;

/** An interface to attach. */
export interface Port {
  readonly name?: string;
  readonly medium?: Medium;
  readonly mtu?: number;
  readonly caps?: number;
  readonly flags?: number;
  readonly hwaddr?: string;
  /** The interface that gets another device; a new one unless told. */
  readonly ifindex?: number;
}

/** Hardware address of the first interface, unless told otherwise. */
export const OWN = "02:00:00:00:00:01";
/** Hardware address of the neighbour that tests speak for. */
export const PEER = "02:00:00:00:00:02";

/** One host. Times are microseconds of its own clock, which begins at one second. */
export class Host {
  readonly call: Record<string, (...args: number[]) => number> = {};
  readonly memory: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  now = SECOND_US;
  readonly #scratch: number;

  constructor(boot: Fields = {}) {
    const pages = MEMORY_BYTES / 65536;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const { exports } = new WebAssembly.Instance(engine, { env: { memory } });
    for (const [name, value] of Object.entries(exports)) {
      if (typeof value === "function") this.call[name] = value as (...args: number[]) => number;
    }
    this.memory = new Uint8Array(memory.buffer as ArrayBuffer);
    this.view = new DataView(memory.buffer as ArrayBuffer);
    this.#scratch = this.call.scratch();
    this.memory.set([1, 2, 3, 4], this.#scratch);
    this.call.seed(this.#scratch);
    const limits = { mbufs_small: 512, mbufs_cluster: 1024, sockets: 64 };
    this.#put(BootConfig, { memory_bytes: MEMORY_BYTES, ...limits, ...boot });
    if (this.call.boot(this.#scratch) < 0) throw new Error("the memory is too small");
    this.call.poll(this.now);
  }

  /** Writes a record of this layout to the scratch area. */
  #put(layout: Fields, values: Fields): number {
    const at = this.#scratch;
    this.memory.fill(0, at, at + layout.size);
    for (const [name, value] of Object.entries(values)) {
      if (layout[name] === undefined) throw new Error(`no field ${name}`);
      this.view.setUint32(at + layout[name], value, true);
    }
    return at;
  }

  /** Attaches an interface and answers its index, or -errno. */
  attach(port: Port = {}): number {
    const hw = mac(port.hwaddr ?? OWN);
    const at = this.#put(IfConfig, {
      medium: port.medium ?? Medium.ETHERNET,
      mtu: port.mtu ?? 1500,
      caps: port.caps ?? 0,
      flags: port.flags ?? Iff.BROADCAST | Iff.MULTICAST | Iff.SIMPLEX,
      ifindex: port.ifindex ?? 0,
    });
    this.memory.set(new TextEncoder().encode(port.name ?? ""), at + IfConfig.name0);
    this.memory.set(hw.slice(0, 4), at + IfConfig.hwaddr_hi);
    this.memory.set(hw.slice(4), at + IfConfig.hwaddr_lo);
    return this.call.if_attach(at);
  }

  /** An ioctl with an IfReq; answers the result, and the record through `req`. */
  ioctl(cmd: Sioc, values: Fields): number {
    return this.call.if_ioctl(cmd, this.#put(IfReq, values), IfReq.size);
  }

  /** A field of the record that the last ioctl filled in. */
  req(field: keyof typeof IfReq): number {
    return this.view.getUint32(this.#scratch + IfReq[field], true);
  }

  /** Adds an address such as `10.0.0.1/24`. */
  address(ifindex: number, text: string, more: Fields = {}): number {
    const [addr, length] = text.split("/");
    const mask = length === undefined ? 0 : maskOf(Number(length));
    return this.ioctl(Sioc.AIFADDR, { ifindex, addr: ip(addr), mask, ...more });
  }

  /** Adds a route such as `10.1.0.0/16`. */
  route(prefix: string, gateway: string, more: Fields = {}): number {
    return this.#route(Sioc.ADDRT, prefix, { gateway: ip(gateway), ...more });
  }

  /** Deletes a route. */
  unroute(prefix: string, more: Fields = {}): number {
    return this.#route(Sioc.DELRT, prefix, more);
  }

  /** Changes a route. */
  reroute(prefix: string, more: Fields): number {
    return this.#route(Sioc.CHGRT, prefix, more);
  }

  #route(cmd: Sioc, prefix: string, more: Fields): number {
    const [dst, length] = prefix.split("/");
    const values = { dst: ip(dst), mask: maskOf(Number(length)), ...more };
    return this.call.if_ioctl(cmd, this.#put(RtReq, values), RtReq.size);
  }

  /** The route for an address, undefined if there is none. */
  lookup(dst: string, src = "0.0.0.0"): Record<keyof typeof RtReq, number> | undefined {
    return this.#lookup({ dst: ip(dst), src: ip(src), i: 0xffffffff });
  }

  /** The `i`-th route of the table, undefined if there are not so many. */
  walk(i: number): Record<keyof typeof RtReq, number> | undefined {
    return this.#lookup({ i });
  }

  #lookup(values: Fields): Record<keyof typeof RtReq, number> | undefined {
    const at = this.#put(RtReq, values);
    const error = this.call.if_ioctl(Sioc.GETRT, at, RtReq.size);
    if (error === -Errno.ESRCH) return undefined;
    assertEquals(error, 0);
    const entries = Object.entries(RtReq).map(([name, offset]) => [
      name,
      this.view.getUint32(at + offset, true),
    ]);
    return Object.fromEntries(entries);
  }

  /** Puts frames in, one call for all; answers the names of their fates in order of the code. */
  input(ifindex: number, ...frames: Uint8Array[]): string[] {
    const before = this.#fates();
    const batch = this.call.if_rx_prepare(ifindex, frames.length);
    assertEquals(batch, frames.length, "too few mbufs to receive");
    const { rxdesc } = this.#rings(ifindex);
    frames.forEach((frame, i) => {
      const at = this.view.getUint32(rxdesc + 8 * i, true);
      this.memory.set(frame, at);
      this.view.setUint32(rxdesc + 8 * i + 4, frame.length, true);
    });
    this.call.if_input(ifindex, frames.length, this.now);
    return this.#newFates(before);
  }

  /** What the loopback interface takes in at the next poll. */
  pollFates(): string[] {
    const before = this.#fates();
    this.call.poll(this.now);
    return this.#newFates(before);
  }

  /** Fates counted so far, by code. */
  #fates(): bigint[] {
    const at = this.call.fates();
    return Array.from({ length: 256 }, (_, i) => this.view.getBigUint64(at + 8 * i, true));
  }

  #newFates(before: bigint[]): string[] {
    return this.#fates().flatMap((n, code) =>
      Array<string>(Number(n - before[code])).fill(FATE_NAMES[code]?.name ?? `fate ${code}`)
    );
  }

  /** How many frames met this fate. */
  fate(code: Fate): number {
    return Number(this.#fates()[code]);
  }

  /** A counter of the stack. */
  stat(code: Stat): number {
    return Number(this.view.getBigUint64(this.call.counters() + 8 * code, true));
  }

  /** A counter of an interface. */
  count(ifindex: number, field: keyof typeof IfStats): number {
    const at = this.#put(IfStats, { ifindex });
    assertEquals(this.call.if_ioctl(Sioc.GIFSTATS, at, IfStats.size), 0);
    return Number(this.view.getBigUint64(at + IfStats[field], true));
  }

  #rings(ifindex: number): { txdesc: number; rxdesc: number } {
    const ifp = this.call.if_ptr(ifindex);
    return {
      txdesc: this.view.getUint32(ifp + Ifnet.txdesc, true),
      rxdesc: this.view.getUint32(ifp + Ifnet.rxdesc, true),
    };
  }

  /** Takes what the interface wants to send. */
  output(ifindex: number): Uint8Array[] {
    const frames: Uint8Array[] = [];
    for (;;) {
      const n = this.call.if_tx_prepare(ifindex, 64);
      if (n === 0) return frames;
      const { txdesc } = this.#rings(ifindex);
      for (let i = 0; i < n; i++) {
        const at = this.view.getUint32(txdesc + 8 * i, true);
        frames.push(this.memory.slice(at, at + this.view.getUint32(txdesc + 8 * i + 4, true)));
      }
      this.call.if_txdone(ifindex, n);
    }
  }

  /** The IPv4 packets that an Ethernet interface wants to send, without their link headers. */
  packets(ifindex: number): Uint8Array[] {
    const frames = this.output(ifindex).map(readEther);
    return frames.filter(({ type }) => type === 0x0800).map(({ payload }) => payload);
  }

  /** Lets time pass, stopping at each deadline; answers how many there were. */
  advance(us: number): number {
    const end = this.now + us;
    let stops = 0;
    for (;;) {
      const next = this.call.nextDeadline();
      if (next > end) break;
      this.now = Math.max(this.now, next);
      this.call.poll(this.now);
      if (++stops > 100_000) throw new Error("the engine asks for time again and again");
    }
    this.now = end;
    this.call.poll(end);
    return stops;
  }

  /** Mbufs that are out, of both sizes. */
  mbufs(): number {
    this.call.pool_stats(this.#scratch);
    return this.view.getUint32(this.#scratch, true) + this.view.getUint32(this.#scratch + 16, true);
  }

  /** A socket, or -errno. */
  socket(type: Sock, protocol: number): number {
    return this.call.so_create(Af.INET, type, protocol);
  }

  /** A bound UDP socket. */
  udp(port: number, addr = "0.0.0.0"): number {
    const so = this.socket(Sock.DGRAM, 0);
    assertEquals(this.call.so_bind(so, this.#name(addr, port)), 0);
    return so;
  }

  #name(addr: string, port: number): number {
    const at = this.#scratch + 2048;
    this.memory.fill(0, at, at + SockAddr.size);
    if (addr !== "0.0.0.0") {
      this.view.setUint16(at + 10, 0xffff);
      this.view.setUint32(at + 12, ip(addr));
    }
    this.view.setUint16(at + SockAddr.family, Af.INET, true);
    this.view.setUint16(at + SockAddr.port, port, true);
    return at;
  }

  /** connect(2). */
  connect(so: number, addr: string, port: number): number {
    return this.call.so_connect(so, this.#name(addr, port));
  }

  /** Sends a message from a socket; to where it is connected if `addr` is left out. */
  send(so: number, data: Uint8Array, addr?: string, port = 0, flags = 0): number {
    const at = this.call.staging();
    this.memory.set(data, at);
    const nam = addr === undefined ? 0 : this.#name(addr, port);
    return this.call.so_send(so, at, data.length, flags, nam);
  }

  /** Takes a message from a socket; -errno if there is none. */
  recv(so: number): { data: Uint8Array; from: string; port: number } | number {
    const at = this.call.staging();
    const nam = this.#name("0.0.0.0", 0);
    const n = this.call.so_recv(so, at, 65536, 0, nam);
    if (n < 0) return n;
    return {
      data: this.memory.slice(at, at + n),
      from: ipText(this.view.getUint32(nam + 12)),
      port: this.view.getUint16(nam + SockAddr.port, true),
    };
  }

  /** setsockopt with a number, or with bytes. */
  setopt(so: number, level: number, name: number, value: number | Uint8Array): number {
    const at = this.#scratch + 3072;
    if (typeof value === "number") this.view.setInt32(at, value, true);
    else this.memory.set(value, at);
    return this.call.so_setopt(so, level, name, at, typeof value === "number" ? 4 : value.length);
  }

  /** Flags of what the last recv answered. */
  recvFlags(): number {
    return this.view.getUint32(this.call.recv_info() + RecvInfo.flags, true);
  }
}

/** The mask of a prefix length. */
export function maskOf(length: number): number {
  return length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0;
}

/** A host with one Ethernet interface, 10.0.0.1/24, which has been announced long ago. */
export function etherHost(boot: Fields = {}): { host: Host; port: number } {
  const host = new Host(boot);
  const port = host.attach({ name: "eth0" });
  assertEquals(host.address(port, "10.0.0.1/24"), 0);
  host.advance(10 * SECOND_US);
  host.output(port);
  return { host, port };
}

/** An IPv4 packet in a frame from the neighbour to this host. */
export function toHost(packet: Uint8Array): Uint8Array {
  return ether(OWN, PEER, 0x0800, packet);
}
