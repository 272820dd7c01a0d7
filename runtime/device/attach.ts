/**
 * The device layer as the runtime sees it: a driver bound to an interface of the engine. A driver
 * that throws takes its interface down, with the reason; the stack lives on.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { IfCap, Iff, Medium, Sioc } from "../../assembly/abi/ifnet.ts";
import { Limits } from "../../assembly/abi/limits.ts";
import type { Engine } from "../engine.ts";
import { SocketError } from "../errors.ts";
import * as field from "../layout.ts";
import * as layout from "../wasm/layout.gen.ts";
import { Descriptors } from "./batch.ts";
import { checkCaps } from "./capability.ts";
import type { DriverCaps, Ifnet, NetDriver } from "./driver.ts";

/** What an attached interface needs of the stack around it. */
export interface AttachHost {
  /** The engine the interface lives in. */
  readonly engine: Engine;
  /** Time of the stack's clock in microseconds. */
  now_us(): number;
  /** Take a turn soon. */
  wake(): void;
  /** Six bytes for an Ethernet driver that brings no hardware address. */
  makeHwaddr(): Uint8Array;
}

/** A driver and its interface. */
export class Attachment implements Ifnet {
  /** Its name, such as `eth0`. */
  readonly name: string;
  /** The driver. */
  readonly driver: NetDriver;
  /** The whole memory of the engine. */
  readonly memory: Uint8Array<ArrayBuffer>;
  readonly #host: AttachHost;
  readonly #engine: Engine;
  #index = 0;
  #ifnet = 0;
  #hwaddr: Uint8Array<ArrayBuffer> = new Uint8Array(6);
  #rx: Descriptors | undefined = undefined;
  #tx: Descriptors | undefined = undefined;
  #reason: string | undefined = undefined;
  /** The last batch was cut short for want of mbufs: frames may wait in the driver. */
  #starved = false;
  /** Frames in a whole batch: fewer when they may be large. */
  #batch: number = Limits.RING;

  private constructor(host: AttachHost, driver: NetDriver, name: string) {
    this.#host = host;
    this.#engine = host.engine;
    this.driver = driver;
    this.name = name;
    this.memory = host.engine.memory;
  }

  /**
   * Opens the device and makes an interface for it, or binds it to interface `index` of a snapshot.
   *
   * @throws what the driver throws; `RangeError` for impossible capabilities; `SocketError` EEXIST
   * for a name in use, ENOBUFS when there are too many interfaces
   */
  static async attach(
    host: AttachHost,
    driver: NetDriver,
    name: string,
    index?: number,
  ): Promise<Attachment> {
    const attachment = new Attachment(host, driver, name);
    await driver.attach(attachment);
    try {
      if (index === undefined) attachment.#attachEngine(checkCaps(driver));
      else attachment.#takeOver(checkCaps(driver), index);
    } catch (error) {
      await attachment.detach().catch(() => {});
      throw error;
    }
    return attachment;
  }

  /** Its index in the stack, from 1; 0 while the driver's `attach` runs. */
  get index(): number {
    return this.#index;
  }

  /** Address of its struct Ifnet in the engine; 0 while it is in none. */
  get ifnet(): number {
    return this.#ifnet;
  }

  /** Hardware address in use; zeros while the driver's `attach` runs. */
  get hwaddr(): Uint8Array<ArrayBuffer> {
    return this.#hwaddr;
  }

  /** Why the interface was taken down; `undefined` while it works. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** True if the device must be asked whether a frame has come. */
  get polled(): boolean {
    return this.driver.poll !== undefined && this.#rx !== undefined && !this.#starved;
  }

  /** True if frames may wait in the driver because mbufs were short, and there are some again. */
  get resumable(): boolean {
    if (!this.#starved || this.#rx === undefined) return false;
    return this.#engine.calls.if_rx_prepare(this.#index, this.#batch) > 0;
  }

  /** True if so many frames are a whole batch: there may be more in the driver. */
  isFull(frames: number): boolean {
    return frames === this.#batch;
  }

  /** Time of the stack's clock in microseconds. */
  now(): number {
    return this.#host.now_us();
  }

  /** Frames have arrived, or sending is possible again. */
  wake(): void {
    this.#host.wake();
  }

  /** Takes the interface down; the driver is called no more, except for `detach`. */
  down(reason: string): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#rx = undefined;
    this.#tx = undefined;
    if (this.#index !== 0) this.#setUp(false);
    this.#host.wake();
  }

  /** Takes in what the driver has, at most one batch; answers the number of frames. */
  receive(now_us: number): number {
    const batch = this.#rx;
    if (batch === undefined) return 0;
    const { calls } = this.#engine;
    const room = calls.if_rx_prepare(this.#index, this.#batch);
    this.#starved = room <= 0;
    if (this.#starved) return 0;
    let filled = 0;
    try {
      filled = this.driver.rx(batch.begin(room));
    } catch (error) {
      this.#fail("rx", error);
      return 0;
    }
    if (!(filled >= 0 && filled <= room && filled >>> 0 === filled)) {
      this.#fail("rx", `answered ${filled} of ${room} frames`);
      return 0;
    }
    this.#starved = filled === room && room < this.#batch;
    if (filled > 0) calls.if_input(this.#index, filled, now_us);
    return filled;
  }

  /** Hands the driver what waits to be sent, at most one batch; answers the number of frames. */
  transmit(): number {
    const batch = this.#tx;
    if (batch === undefined) return 0;
    const { calls } = this.#engine;
    const ready = calls.if_tx_prepare(this.#index, this.#batch);
    if (ready <= 0) return 0;
    let sent = 0;
    try {
      sent = this.driver.start(batch.begin(ready));
    } catch (error) {
      this.#fail("start", error);
    }
    if (!(sent >= 0 && sent <= ready && sent >>> 0 === sent)) {
      this.#fail("start", `answered ${sent} of ${ready} frames`);
      sent = 0;
    }
    calls.if_txdone(this.#index, sent);
    return sent;
  }

  /** Waits in the device for at most `timeout_us` microseconds; true if a frame can be read. */
  poll(timeout_us: number): boolean {
    try {
      return this.#rx !== undefined && this.driver.poll!(timeout_us);
    } catch (error) {
      this.#fail("poll", error);
      return false;
    }
  }

  /** Has the device wake the stack when a frame can be read; false if it cannot. */
  watch(): boolean {
    try {
      return this.driver.watch?.() ?? false;
    } catch (error) {
      this.#fail("watch", error);
      return false;
    }
  }

  /** Takes the interface out of the engine and closes the device. */
  async detach(): Promise<void> {
    const index = this.#index;
    this.#rx = undefined;
    this.#tx = undefined;
    this.#index = 0;
    this.#ifnet = 0;
    this.#reason ??= "detached";
    if (index !== 0 && this.#engine.panic === undefined) this.#engine.calls.if_detach(index);
    await this.driver.detach();
  }

  #fail(call: string, error: unknown): void {
    const words = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    this.down(`${this.driver.name} driver, ${call}: ${words}`);
  }

  #attachEngine(caps: DriverCaps): void {
    const { calls, scratch } = this.#engine;
    const { IfConfig } = layout;
    const engine = this.#engine;
    const ethernet = caps.medium === "ethernet";
    if (ethernet) this.#hwaddr = Uint8Array.from(caps.hwaddr ?? this.#host.makeHwaddr());
    field.clear(engine, scratch, IfConfig.size);
    field.setName(engine, scratch, IfConfig.name0, this.name);
    field.setU32(engine, scratch, IfConfig.medium, ethernet ? Medium.ETHERNET : Medium.IP);
    field.setU32(engine, scratch, IfConfig.mtu, caps.mtu);
    field.setU32(engine, scratch, IfConfig.caps, capBits(caps));
    field.setU32(engine, scratch, IfConfig.flags, mediumFlags(caps));
    field.setHwaddr(engine, scratch, IfConfig.hwaddr_hi, this.#hwaddr);
    const index = calls.if_attach(scratch);
    if (index < 0) {
      throw new SocketError(-index, "if_attach", attachWords(-index, this.name, caps.mtu));
    }
    this.#bind(index);
  }

  /** Takes an interface over that a snapshot brought, and which had a driver of this kind. */
  #takeOver(caps: DriverCaps, index: number): void {
    const engine = this.#engine;
    const { Ifnet } = layout;
    const ifnet = engine.calls.if_ptr(index);
    const medium = caps.medium === "ethernet" ? Medium.ETHERNET : Medium.IP;
    const same = ifnet !== 0 && field.getU32(engine, ifnet, Ifnet.medium) === medium &&
      field.getU32(engine, ifnet, Ifnet.mtu) <= caps.mtu &&
      field.getU32(engine, ifnet, Ifnet.caps) === capBits(caps);
    if (!same) {
      const words =
        `the driver of ${this.name} has another medium, a smaller MTU or other capabilities than ` +
        "the snapshot";
      throw new SocketError(Errno.EINVAL, "if_attach", words);
    }
    const at = ifnet + Ifnet.hwaddr_hi;
    this.#hwaddr = engine.memory.slice(at, at + 6);
    this.#bind(index);
    if (this.#reason === undefined) this.#setUp(true);
  }

  /** Sets up the descriptors of interface `index`. */
  #bind(index: number): void {
    const engine = this.#engine;
    this.#index = index;
    const ifnet = engine.calls.if_ptr(index);
    this.#ifnet = ifnet;
    const { Ifnet } = layout;
    this.#batch = field.getU32(engine, ifnet, Ifnet.slot_count) || Limits.RING;
    this.#rx = new Descriptors(engine, field.getU32(engine, ifnet, Ifnet.rxdesc), true);
    this.#tx = new Descriptors(engine, field.getU32(engine, ifnet, Ifnet.txdesc), false);
    if (this.#reason !== undefined) {
      this.#rx = this.#tx = undefined;
      this.#setUp(false);
    }
  }

  /** Sets or clears IFF_UP; a dead engine has no interface left to take down. */
  #setUp(up: boolean): void {
    const engine = this.#engine;
    if (engine.panic !== undefined) return;
    const { calls, scratch } = engine;
    const { IfReq } = layout;
    field.clear(engine, scratch, IfReq.size);
    field.setU32(engine, scratch, IfReq.ifindex, this.#index);
    calls.if_ioctl(Sioc.GIFFLAGS, scratch, IfReq.size);
    const had = field.getU32(engine, scratch, IfReq.flags);
    const flags = up ? had | Iff.UP : had & ~Iff.UP;
    field.setU32(engine, scratch, IfReq.flags, flags);
    calls.if_ioctl(Sioc.SIFFLAGS, scratch, IfReq.size);
  }
}

/** Detaches all of them; throws the first error when all are done. */
export async function detachAll(attachments: readonly Attachment[]): Promise<void> {
  const ends = await Promise.allSettled(attachments.map((attachment) => attachment.detach()));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

function capBits(caps: DriverCaps): number {
  return (caps.rxChecksum ? IfCap.RXCSUM : 0) | (caps.txChecksum ? IfCap.TXCSUM : 0) |
    (caps.vnetHeader ? IfCap.VNET_HDR : 0);
}

function mediumFlags(caps: DriverCaps): number {
  const base = Iff.UP | Iff.RUNNING | Iff.SIMPLEX | Iff.MULTICAST;
  if (caps.pointToPoint || caps.medium === "ip") return base | Iff.POINTOPOINT | Iff.NOARP;
  return base | Iff.BROADCAST;
}

function attachWords(errno: number, name: string, mtu: number): string | undefined {
  if (errno === Errno.EINVAL) return `the MTU can be 65535 at most, not ${mtu}`;
  if (errno === Errno.EEXIST) return `there is an interface ${name} already`;
  if (errno === Errno.ENOBUFS) return "there are too many interfaces, or the memory is used up";
}
