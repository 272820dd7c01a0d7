/**
 * One engine under test, 192.168.0.1/16, on one interface of bare IP packets and on a clock that
 * only the test moves. After every step the invariants are checked.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Errno } from "../../assembly/abi/errno.ts";
import { IfCap, Iff, Medium, Sioc } from "../../assembly/abi/ifnet.ts";
import { Af, Sock, Sol } from "../../assembly/abi/socket.ts";
import { Engine, type MemoryOptions } from "../../runtime/engine.ts";
import { SeededEntropy } from "../../runtime/entropy.ts";
import * as layout from "../../runtime/wasm/layout.gen.ts";
import { onWire, withHeader } from "../unit/net/vnet.ts";
import checked from "../engine_checked_module.js";
import { type Calls, Inspector } from "./invariants.ts";
import { addressBytes } from "./segment.ts";

/** A packet that the engine has sent, and when, in microseconds. */
export interface Sent {
  readonly at: number;
  readonly packet: Uint8Array;
}

/** Settings of TCP that differ from the defaults, by their names in struct TcpSettings. */
export type TcpTuning = Partial<Record<Exclude<keyof typeof layout.TcpSettings, "size">, number>>;

/** How a host is set up. */
export interface HostOptions {
  readonly ip?: string;
  readonly mtu?: number;
  /** The interface's frames begin with a virtio_net_hdr. */
  readonly vnet?: boolean;
  readonly seed?: string;
  readonly memory?: MemoryOptions;
  /** Fields of the engine's settings of TCP. */
  readonly tcp?: TcpTuning;
  /** False: invariants are left to the caller; for long transfers. */
  readonly checks?: boolean;
}

const PREFIX = 0xffff0000;
const SLOT = 32;
/** Longer than any state of TCP lasts by itself. */
const FOREVER_US = 3_600_000_000;

function word(ip: string): number {
  return addressBytes(ip).reduce((sum, byte) => ((sum << 8) | byte) >>> 0, 0);
}

/** A stack and its clock. */
export class Host {
  /** Microseconds. */
  now = 1_000_000;
  readonly inspect: Inspector;
  /** True: the driver takes nothing from the send queue. */
  stuck = false;
  /** What the engine has sent and nobody has taken yet. */
  readonly wire: Sent[] = [];
  readonly checks: boolean;
  readonly #call: Calls;
  #ifindex = 0;
  #frames = 0;
  #slot = 0;

  /** Bytes in front of every packet. */
  readonly #header: number;

  private constructor(readonly engine: Engine, readonly ip: string, options: HostOptions) {
    this.checks = options.checks ?? true;
    this.#header = options.vnet ? 10 : 0;
    this.inspect = new Inspector(engine);
    this.#call = engine.calls as unknown as Calls;
  }

  static async boot(options: HostOptions = {}): Promise<Host> {
    const memory = { bytes: 16 << 20, ...options.memory };
    const entropy = new SeededEntropy(options.seed ?? "tcp tests");
    const engine = await Engine.create({ engine: checked, memory, entropy });
    const host = new Host(engine, options.ip ?? "192.168.0.1", options);
    host.call("poll", host.now);
    host.#attach(options.mtu ?? 1500);
    host.tune(options.tcp ?? {});
    host.settle();
    return host;
  }

  /** Changes settings of TCP. */
  tune(values: TcpTuning): void {
    const at = this.call("tcp_settings") >>> 0;
    for (const [name, value] of Object.entries(values)) {
      const offset = layout.TcpSettings[name as keyof TcpTuning];
      this.engine.view.setUint32(at + offset, value, true);
    }
  }

  #attach(mtu: number): void {
    const { IfConfig, IfReq, RtReq } = layout;
    const cfg = this.#record(IfConfig.size);
    this.engine.memory.set(new TextEncoder().encode("tun0"), cfg + IfConfig.name0);
    this.#set(cfg, { [IfConfig.medium]: Medium.IP, [IfConfig.mtu]: mtu });
    this.#set(cfg, { [IfConfig.flags]: Iff.NOARP });
    this.#set(cfg, { [IfConfig.caps]: this.#header ? IfCap.VNET_HDR : 0 });
    this.#ifindex = this.call("if_attach", cfg);
    assert(this.#ifindex > 0, `if_attach: ${this.#ifindex}`);
    const req = this.#record(IfReq.size);
    this.#set(req, { [IfReq.ifindex]: this.#ifindex, [IfReq.addr]: word(this.ip) });
    this.#set(req, { [IfReq.mask]: PREFIX });
    assertEquals(this.call("if_ioctl", Sioc.AIFADDR, req, IfReq.size), 0, "address");
    const route = this.#record(RtReq.size);
    this.#set(route, { [RtReq.ifindex]: this.#ifindex });
    assertEquals(this.call("if_ioctl", Sioc.ADDRT, route, RtReq.size), 0, "default route");
  }

  #record(size: number): number {
    const at = this.engine.scratch + 2048;
    this.engine.memory.fill(0, at, at + size);
    return at;
  }

  #set(at: number, fields: Record<number, number>): void {
    for (const [offset, value] of Object.entries(fields)) {
      this.engine.view.setUint32(at + Number(offset), value, true);
    }
  }

  /** Changes settings below TCP. */
  tuneNet(settings: Partial<Record<keyof typeof layout.NetSettings, number>>): void {
    const at = this.call("net_settings") >>> 0;
    for (const [name, value] of Object.entries(settings)) {
      const offset = layout.NetSettings[name as keyof typeof layout.NetSettings];
      this.engine.view.setUint32(at + offset, value, true);
    }
  }

  /** Gives the interface one more address, /16. */
  addAddress(ip: string): void {
    const { IfReq } = layout;
    const req = this.#record(IfReq.size);
    this.#set(req, { [IfReq.ifindex]: this.#ifindex, [IfReq.addr]: word(ip) });
    this.#set(req, { [IfReq.mask]: PREFIX });
    assertEquals(this.call("if_ioctl", Sioc.AIFADDR, req, IfReq.size), 0, "address");
  }

  /** Changes the interface's MTU. */
  setMtu(mtu: number): void {
    const { IfReq } = layout;
    const req = this.#record(IfReq.size);
    this.#set(req, { [IfReq.ifindex]: this.#ifindex, [IfReq.mtu]: mtu });
    assertEquals(this.call("if_ioctl", Sioc.SIFMTU, req, IfReq.size), 0);
  }

  /** Changes the interface's flags. */
  setFlags(flags: number): void {
    const { IfReq } = layout;
    const req = this.#record(IfReq.size);
    this.#set(req, { [IfReq.ifindex]: this.#ifindex, [IfReq.flags]: flags });
    assertEquals(this.call("if_ioctl", Sioc.SIFFLAGS, req, IfReq.size), 0);
    this.step();
  }

  /** Takes the interface away. */
  detach(): void {
    this.stuck = true;
    assertEquals(this.call("if_detach", this.#ifindex), 0);
    this.step();
  }

  /** Calls an export, a probe included. */
  call(name: string, ...args: number[]): number {
    return this.#call[name](...args);
  }

  /** A place of 32 bytes that stays until 32 more were asked for. */
  place(): number {
    this.#slot = (this.#slot + 1) % 32;
    const at = this.engine.scratch + this.#slot * SLOT;
    this.engine.memory.fill(0, at, at + SLOT);
    return at;
  }

  /** A SockAddr. */
  name(ip: string, port: number): number {
    const at = this.place();
    if (ip !== "0.0.0.0") this.engine.memory.set([0xff, 0xff, ...addressBytes(ip)], at + 10);
    this.engine.view.setUint16(at + layout.SockAddr.family, Af.INET, true);
    this.engine.view.setUint16(at + layout.SockAddr.port, port, true);
    return at;
  }

  /** Takes what was sent from the interface, and checks the invariants. */
  step(): void {
    while (!this.stuck) {
      const n = this.call("if_tx_prepare", this.#ifindex, 64);
      if (n === 0) break;
      const ifp = this.call("if_ptr", this.#ifindex) >>> 0;
      const descriptors = this.inspect.u32(ifp + layout.Ifnet.txdesc);
      for (let i = 0; i < n; i++) {
        const address = this.inspect.u32(descriptors + 8 * i);
        const length = this.inspect.u32(descriptors + 8 * i + 4);
        const frame = this.engine.memory.slice(address, address + length);
        for (const packet of this.#header ? onWire(frame) : [frame]) {
          this.wire.push({ at: this.now, packet });
        }
      }
      this.call("if_txdone", this.#ifindex, n);
    }
    if (this.checks) this.inspect.check(this.#frames);
  }

  /** Hands a packet in if the engine has a frame for it; else the wire loses it. */
  tryInput(packet: Uint8Array): void {
    if (this.call("if_rx_prepare", this.#ifindex, 1) > 0) this.input(packet);
  }

  /** Hands packets in, all in one batch. */
  input(...packets: Uint8Array[]): void {
    if (this.#header) packets = packets.map((packet) => withHeader({}, packet));
    this.inputRaw(...packets);
  }

  /** Hands frames in as they are. */
  inputRaw(...packets: Uint8Array[]): void {
    const n = this.call("if_rx_prepare", this.#ifindex, packets.length);
    assertEquals(n, packets.length, "empty frames");
    const ifp = this.call("if_ptr", this.#ifindex) >>> 0;
    const descriptors = this.inspect.u32(ifp + layout.Ifnet.rxdesc);
    packets.forEach((packet, i) => {
      this.engine.memory.set(packet, this.inspect.u32(descriptors + 8 * i));
      this.engine.view.setUint32(descriptors + 8 * i + 4, packet.length, true);
    });
    this.#frames += packets.length;
    this.call("if_input", this.#ifindex, packets.length, this.now);
    this.step();
  }

  /** Empty mbufs that the driver has. */
  lent(): number {
    return this.inspect.lent(this.call("if_ptr", this.#ifindex) >>> 0);
  }

  /** Runs what is due. */
  settle(): void {
    for (let i = 0; i < 1000; i++) {
      const work = this.call("poll", this.now);
      this.step();
      if (work === 0) return;
    }
    throw new Error("no rest after 1000 polls");
  }

  /** When the engine wants to be called next, microseconds. */
  deadline(): number {
    return this.call("nextDeadline");
  }

  /** Moves the clock, stopping at every deadline on the way. */
  advance(us: number): void {
    const end = this.now + us;
    for (;;) {
      const next = this.deadline();
      if (next > end) break;
      this.now = Math.max(this.now, Math.ceil(next));
      this.settle();
    }
    this.now = end;
    this.settle();
  }

  /** Moves the clock to the first deadline at which something is sent; at most `us` on. */
  untilSent(us: number): void {
    const end = this.now + us;
    while (this.wire.length === 0) {
      const next = this.deadline();
      if (next > end) break;
      this.now = Math.max(this.now, Math.ceil(next));
      this.settle();
    }
    if (this.wire.length === 0) this.advance(end - this.now);
  }

  /** Makes a TCP socket. */
  socket(): number {
    const so = this.call("so_create", Af.INET, Sock.STREAM, 0);
    assert(so > 0, `socket: ${so}`);
    return so;
  }

  /** A socket that listens on a port. */
  listen(port: number, backlog = 5, options: readonly [number, number, number][] = []): number {
    const so = this.socket();
    for (const [level, name, value] of options) this.setopt(so, level, name, value);
    assertEquals(this.call("so_bind", so, this.name("0.0.0.0", port)), 0, "bind");
    assertEquals(this.call("so_listen", so, backlog), 0, "listen");
    return so;
  }

  /** Takes a connection, or 0 if none waits. */
  accept(listener: number): number {
    const so = this.call("so_accept", listener, this.place());
    this.step();
    if (so === -Errno.EAGAIN) return 0;
    assert(so > 0, `accept: ${so}`);
    return so;
  }

  /** Sets an option of 32-bit numbers, which must succeed. */
  setopt(so: number, level: number, name: number, ...values: number[]): void {
    assertEquals(this.trySetopt(so, level, name, ...values), 0, `setsockopt ${name}`);
  }

  /** Sets an option; answers what so_setopt does. */
  trySetopt(so: number, level: number, name: number, ...values: number[]): number {
    const at = this.place();
    values.forEach((value, i) => this.engine.view.setInt32(at + 4 * i, value, true));
    const result = this.call("so_setopt", so, level, name, at, 4 * values.length);
    this.step();
    return result;
  }

  /** An option of one 32-bit number. */
  getopt(so: number, level: number, name: number): number {
    const at = this.place();
    assertEquals(this.call("so_getopt", so, level, name, at, 4), 4);
    return this.engine.view.getInt32(at, true);
  }

  /** The pending error, which this clears. */
  error(so: number): number {
    return this.getopt(so, Sol.SOCKET, 0x1007);
  }

  close(so: number): void {
    this.call("so_close", so);
    this.step();
  }

  /** Closes sockets, lets everything end by itself, and checks that nothing is left over. */
  end(...sockets: number[]): void {
    for (const so of sockets) this.close(so);
    this.advance(FOREVER_US);
    this.wire.length = 0;
    assertEquals(this.call("probe_so_used"), 0, "sockets left");
    assertEquals(this.inspect.mbufs() - this.lent(), 0, "mbufs left");
    assertEquals(this.deadline(), Infinity, "timers left");
  }
}
