/**
 * The stack under test: an engine with one interface of bare IP packets, on a clock that only the
 * interpreter moves.
 *
 * @module
 */

import { Iff, Medium, Sioc } from "../assembly/abi/ifnet.ts";
import { Af } from "../assembly/abi/socket.ts";
import { Engine } from "../runtime/engine.ts";
import type { EngineCalls } from "../runtime/engine_calls.ts";
import { SeededEntropy } from "../runtime/entropy.ts";
import * as layout from "../runtime/wasm/layout.gen.ts";
import { Mismatch, ScriptError, Unsupported } from "./errors.ts";
import { addressBytes, decode, type LivePacket } from "./wire.ts";

/** Room for the largest buffers that scripts set; pages are made only when they are touched. */
const MEMORY = { bytes: 32 << 20, tcbs: 64, syncache: 64, timewaits: 64 } as const;
/** What the engine's clock says when the script begins. */
const START_US = 1_000_000;
/** Turns without an end mean that the engine spins. */
const TURNS_MAX = 10_000;
/** Timers that may fire while one event is waited for. */
const TIMERS_MAX = 200_000;
const RX_MAX = 64;

/** A packet that the stack has sent. */
export interface Sent extends LivePacket {
  /** When, in microseconds since the start of the script. */
  readonly at_us: number;
}

/** How a host is set up. */
export interface HostOptions {
  readonly engine: WebAssembly.Module;
  readonly ip: string;
  readonly prefix: number;
  readonly mtu: number;
}

/** The 32-bit number of a dotted address. */
function word(ip: string): number {
  return addressBytes(ip).reduce((sum, byte) => sum * 256 + byte, 0);
}

/** An engine and its clock. */
export class Host {
  /** Called after each step, when the engine is at rest. */
  onStep: () => void = () => {};
  /** What the stack has sent and nobody has taken yet. */
  readonly sent: Sent[] = [];
  /** When somebody wants to be called, in script time, beside the engine. */
  alarm_us = Infinity;
  /** The device drops every packet that goes out. */
  dropping = false;
  /** Longest packet that the interface carries. */
  mtu = 0;
  readonly calls: EngineCalls;
  #now_us = START_US;
  #ifindex = 0;
  /** Metrics of the route that leads out, as far as they were set. */
  readonly #metrics = new Map<string, number>();

  private constructor(readonly engine: Engine, readonly ip: string) {
    this.calls = engine.calls;
  }

  /** Boots a host. */
  static async boot(options: HostOptions): Promise<Host> {
    const entropy = new SeededEntropy("packetdrill");
    const engine = await Engine.create({ engine: options.engine, memory: MEMORY, entropy });
    const host = new Host(engine, options.ip);
    host.calls.poll(host.#now_us);
    host.#attach(options);
    host.settle();
    return host;
  }

  #attach({ ip, prefix, mtu }: HostOptions): void {
    const { IfConfig, IfReq, RtReq } = layout;
    const { calls, engine } = this;
    const at = this.place(0, IfConfig.size);
    engine.memory.set(new TextEncoder().encode("tun0"), at + IfConfig.name0);
    this.setU32(at + IfConfig.medium, Medium.IP);
    this.setU32(at + IfConfig.mtu, mtu);
    this.setU32(at + IfConfig.flags, Iff.NOARP);
    this.#ifindex = calls.if_attach(at);
    if (this.#ifindex <= 0) throw new Unsupported(`an MTU of ${mtu}`);
    this.mtu = mtu;
    const mask = prefix === 0 ? 0 : (-1 << (32 - prefix)) >>> 0;
    const req = this.place(0, IfReq.size);
    this.setU32(req + IfReq.ifindex, this.#ifindex);
    this.setU32(req + IfReq.addr, word(ip));
    this.setU32(req + IfReq.mask, mask);
    const error = calls.if_ioctl(Sioc.AIFADDR, req, IfReq.size);
    if (error < 0) throw new ScriptError(`the interface cannot have the address ${ip}/${prefix}`);
    const route = this.place(0, RtReq.size);
    this.setU32(route + RtReq.ifindex, this.#ifindex);
    calls.if_ioctl(Sioc.ADDRT, route, RtReq.size);
  }

  /** Sets a metric of the one route that leads out; false if routes have no such metric. */
  changeRoute(metric: string, value: number): boolean {
    const fields: Readonly<Record<string, number>> = layout.RtReq;
    if (fields[metric] === undefined) return false;
    this.#metrics.set(metric, value);
    const at = this.place(0, layout.RtReq.size);
    this.setU32(at + layout.RtReq.ifindex, this.#ifindex);
    this.calls.if_ioctl(Sioc.DELRT, at, layout.RtReq.size);
    for (const [name, number] of this.#metrics) this.setU32(at + fields[name], number);
    return this.calls.if_ioctl(Sioc.ADDRT, at, layout.RtReq.size) >= 0;
  }

  /** Sets the MTU of the interface. */
  setMtu(mtu: number): void {
    const at = this.place(0, layout.IfReq.size);
    this.setU32(at + layout.IfReq.ifindex, this.#ifindex);
    this.setU32(at + layout.IfReq.mtu, mtu);
    const error = this.calls.if_ioctl(Sioc.SIFMTU, at, layout.IfReq.size);
    if (error < 0) throw new Unsupported(`an MTU of ${mtu}`);
    this.mtu = mtu;
  }

  /** Microseconds since the start of the script. */
  get now_us(): number {
    return this.#now_us - START_US;
  }

  /** An area of the engine's memory for arguments, zeroed; slots are 256 bytes. */
  place(slot: number, size: number): number {
    const at = this.engine.scratch + 256 * slot;
    this.engine.memory.fill(0, at, at + size);
    return at;
  }

  /** Sets a 32-bit word. */
  setU32(at: number, value: number): void {
    this.engine.view.setUint32(at, value, true);
  }

  /** Reads a 32-bit word. */
  u32(at: number): number {
    return this.engine.view.getUint32(at, true);
  }

  /** A struct SockAddr; the answer stays until the slot is used again. */
  name(ip: string, port: number, family: number = Af.INET, slot = 8): number {
    const { SockAddr } = layout;
    const at = this.place(slot, SockAddr.size);
    if (ip !== "0.0.0.0") this.engine.memory.set([0xff, 0xff, ...addressBytes(ip)], at + 10);
    this.engine.view.setUint16(at + SockAddr.family, family, true);
    this.engine.view.setUint16(at + SockAddr.port, port, true);
    return at;
  }

  /** Takes what the engine has to send. */
  collect(): void {
    for (;;) {
      const n = this.calls.if_tx_prepare(this.#ifindex, RX_MAX);
      if (n === 0) return;
      const descriptors = this.u32(this.calls.if_ptr(this.#ifindex) + layout.Ifnet.txdesc);
      for (let i = 0; i < n; i++) {
        const address = this.u32(descriptors + 8 * i);
        const length = this.u32(descriptors + 8 * i + 4);
        const packet = decode(this.engine.memory.slice(address, address + length));
        if (packet && !this.dropping) this.sent.push({ ...packet, at_us: this.now_us });
      }
      this.calls.if_txdone(this.#ifindex, n);
    }
  }

  /** Hands packets in, all at once, and lets the engine come to rest. */
  input(packets: readonly Uint8Array[]): void {
    for (let first = 0; first < packets.length; first += RX_MAX) {
      const batch = packets.slice(first, first + RX_MAX);
      const n = this.calls.if_rx_prepare(this.#ifindex, batch.length);
      const descriptors = this.u32(this.calls.if_ptr(this.#ifindex) + layout.Ifnet.rxdesc);
      if (n < batch.length) throw new ScriptError("the engine has no room for more frames");
      batch.forEach((packet, i) => {
        const address = this.u32(descriptors + 8 * i);
        if (packet.length > this.u32(descriptors + 8 * i + 4)) {
          throw new ScriptError(`a packet of ${packet.length} bytes is too large for the device`);
        }
        this.engine.memory.set(packet, address);
        this.setU32(descriptors + 8 * i + 4, packet.length);
      });
      this.calls.if_input(this.#ifindex, batch.length, this.#now_us);
    }
    this.settle();
  }

  /** Runs what is due now, to the end. */
  settle(): void {
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      this.collect();
      const queued = this.sent.length;
      const work = this.calls.poll(this.#now_us);
      this.collect();
      if (work === 0 && this.sent.length === queued) {
        this.onStep();
        return;
      }
    }
    throw new Error(`the engine does not come to rest in ${TURNS_MAX} turns`);
  }

  /** When the next timer is due, in script time; Infinity if none is armed. */
  deadline(): number {
    return Math.min(Math.ceil(this.calls.nextDeadline()) - START_US, this.alarm_us);
  }

  /** Moves the clock to a script time, stopping at every timer; or until `done` says so. */
  advance(to_us: number, done: () => boolean = () => false): void {
    for (let turn = 0; !done(); turn++) {
      const next = this.deadline();
      if (next > to_us) break;
      if (turn > TIMERS_MAX) throw new Mismatch("timers fire without end");
      this.#now_us = Math.max(this.#now_us, next + START_US);
      this.settle();
    }
    if (done() || to_us === Infinity) return;
    this.#now_us = Math.max(this.#now_us, to_us + START_US);
    this.settle();
  }
}
