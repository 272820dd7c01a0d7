/**
 * The device layer as the runtime sees it: a driver bound to an interface of the engine. A driver
 * that throws takes its interface down, with the reason; the stack lives on, and the interface may
 * get another driver.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { Limits } from "../../assembly/abi/limits.ts";
import type { Engine } from "../engine.ts";
import { SocketError } from "../errors.ts";
import * as field from "../layout.ts";
import * as layout from "../wasm/layout.gen.ts";
import { Descriptors } from "./batch.ts";
import { mustBeSameKind } from "./capability.ts";
import type { Ifnet, NetDriver } from "./driver.ts";
import { EmptyFrames } from "./empty_frames.ts";
import type { AttachHost } from "./host.ts";
import { attachInterface, exchangeDevice, mustBeAlike, setUp } from "./if_config.ts";
import { answeredWords, Link, type LinkOptions, wordsOf, yesOrNo } from "./link.ts";

export type { AttachHost } from "./host.ts";

/** Batches that a driver may still hand in when another takes its place. */
const LAST_BATCHES = 64;

/** A driver and its interface. */
export class Attachment implements Ifnet {
  /** Its name, such as `eth0`. */
  readonly name: string;
  /** The whole memory of the engine. */
  readonly memory: Uint8Array<ArrayBuffer>;
  readonly #host: AttachHost;
  readonly #engine: Engine;
  #index = 0;
  #ifnet = 0;
  #hwaddr: Uint8Array<ArrayBuffer> = new Uint8Array(6);
  #rx: EmptyFrames | undefined = undefined;
  #tx: Descriptors | undefined = undefined;
  #reason: string | undefined = undefined;
  #fault: string | undefined = undefined;
  /** The driver; `undefined` only while the first one's `attach` runs. */
  #link: Link | undefined = undefined;
  #swapping = false;
  /** The last batch was cut short for want of mbufs: frames may wait in the driver. */
  #starved = false;
  /** Frames in a whole batch: fewer when they may be large. */
  #batch: number = Limits.RING;
  readonly #failed = (call: string, error: unknown) => this.#fail(call, error);

  private constructor(host: AttachHost, name: string) {
    this.#host = host;
    this.#engine = host.engine;
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
    options: LinkOptions = {},
  ): Promise<Attachment> {
    const attachment = new Attachment(host, name);
    const link = await Link.open(attachment, driver, options);
    attachment.#link = link;
    try {
      if (index === undefined) attachment.#attachEngine(link);
      else attachment.#takeOver(link, index);
    } catch (error) {
      await attachment.detach().catch(() => {});
      throw error;
    }
    return attachment;
  }

  /** The driver. */
  get driver(): NetDriver {
    return this.#link!.driver;
  }

  /** Where the driver was loaded from; `undefined` for one that was given as an object. */
  get module(): string | undefined {
    return this.#link!.module;
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

  /** What a driver did wrong that took nothing down: how it failed to let go of its device. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** True while another driver is being attached in place of this one. */
  get swapping(): boolean {
    return this.#swapping;
  }

  /** True if the device must be asked whether a frame has come. */
  get polled(): boolean {
    return this.#rx !== undefined && this.driver.poll !== undefined && !this.#starved;
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
    this.#unbind();
    if (this.#index !== 0) setUp(this.#engine, this.#index, false);
    this.#host.wake();
  }

  /** Takes in what the driver has, at most one batch; answers the number of frames. */
  receive(now_us: number): number {
    const empty = this.#rx;
    if (empty === undefined) return 0;
    const room = empty.room;
    this.#starved = room <= 0;
    if (this.#starved) return 0;
    const filled = empty.fill(this.driver, room);
    if (filled < 0) return 0;
    this.#starved = filled === room && room < this.#batch;
    if (filled > 0) this.#engine.calls.if_input(this.#index, filled, now_us);
    // What came in may have taken the interface down, or away.
    this.#rx?.lend(this.driver);
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
      this.#fail("start", answeredWords(sent, ready));
      sent = 0;
    }
    calls.if_txdone(this.#index, sent);
    return sent;
  }

  /** Waits in the device for at most `timeout_us` microseconds; true if a frame can be read. */
  poll(timeout_us: number): boolean {
    try {
      return this.#rx !== undefined && yesOrNo(this.driver.poll!(timeout_us));
    } catch (error) {
      this.#fail("poll", error);
      return false;
    }
  }

  /** Has the device wake the stack when a frame can be read; false if it cannot. */
  watch(): boolean {
    try {
      return yesOrNo(this.driver.watch?.() ?? false);
    } catch (error) {
      this.#fail("watch", error);
      return false;
    }
  }

  /**
   * Puts another driver in place of this one. Addresses, routes and connections stay; MTU, hardware
   * address and capabilities become those of the new device. An interface that a fault took down
   * comes up again. The old driver serves until the new one is attached, and stays if that fails.
   *
   * @throws what the driver throws; `RangeError` for impossible capabilities; `SocketError` EINVAL
   * for another kind of link, ENOBUFS without memory for large frames, EBUSY
   * while another takes its place already, ENXIO if the interface goes away meanwhile
   */
  async swap(driver: NetDriver, options: LinkOptions = {}): Promise<void> {
    this.#mustBeThere();
    if (this.#swapping) {
      const words = `another driver is taking its place on ${this.name} already`;
      throw new SocketError(Errno.EBUSY, "if_attach", words);
    }
    this.#swapping = true;
    let old: Link;
    try {
      const link = await Link.open(this, driver, options);
      try {
        old = this.#exchange(link);
      } catch (error) {
        await link.close().catch(() => {});
        throw error;
      }
    } finally {
      this.#swapping = false;
    }
    this.#host.wake();
    await old.close().catch((error) => this.#fault = `${old.label}, detach: ${wordsOf(error)}`);
  }

  /** Takes the interface out of the engine and closes the device. */
  async detach(): Promise<void> {
    const index = this.#index;
    this.#unbind();
    this.#index = 0;
    this.#ifnet = 0;
    this.#reason ??= "detached";
    if (index !== 0 && this.#engine.panic === undefined) this.#engine.calls.if_detach(index);
    await this.#link!.close();
  }

  #mustBeThere(): void {
    if (this.#engine.panic !== undefined) throw this.#engine.panic;
    if (this.#index !== 0) return;
    throw new SocketError(Errno.ENXIO, "if_attach", `the interface ${this.name} is gone`);
  }

  #fail(call: string, error: unknown): void {
    const words = typeof error === "string" ? error : wordsOf(error);
    this.down(`${this.#link!.label}, ${call}: ${words}`);
  }

  #attachEngine(link: Link): void {
    const { caps } = link;
    if (caps.medium === "ethernet") {
      this.#hwaddr = Uint8Array.from(caps.hwaddr ?? this.#host.makeHwaddr());
    }
    const index = attachInterface(this.#engine, { name: this.name, caps, hwaddr: this.#hwaddr });
    this.#reason ??= link.begin();
    this.#bind(index);
  }

  /** Takes an interface over that a snapshot brought, and which had a driver of this kind. */
  #takeOver(link: Link, index: number): void {
    const engine = this.#engine;
    const ifnet = engine.calls.if_ptr(index);
    mustBeAlike(engine, ifnet, this.name, link.caps);
    const at = ifnet + layout.Ifnet.hwaddr_hi;
    this.#hwaddr = engine.memory.slice(at, at + 6);
    this.#reason ??= link.begin();
    this.#bind(index);
    if (this.#reason === undefined) setUp(engine, index, true);
  }

  /** Lets `link` serve the interface; answers the one that did. All of it or nothing happens. */
  #exchange(link: Link): Link {
    this.#mustBeThere();
    this.#empty();
    // The old driver may have used its last calls to take the interface away.
    this.#mustBeThere();
    const old = this.#link!;
    const { caps } = link;
    mustBeSameKind(this.name, old.caps, caps);
    link.mustBeUp();
    const index = this.#index;
    const ethernet = caps.medium === "ethernet";
    const hwaddr = ethernet ? Uint8Array.from(caps.hwaddr ?? this.#hwaddr) : this.#hwaddr;
    const up = this.#reason !== undefined;
    exchangeDevice(this.#engine, { name: this.name, caps, hwaddr, index, up }, old.caps.mtu);
    old.silence();
    this.#link = link;
    this.#hwaddr = hwaddr;
    this.#starved = false;
    this.#fault = undefined;
    this.#reason = link.begin();
    this.#bind(index);
    return old;
  }

  /** Hands the driver what waits, as far as it takes it, and takes in what it still has. */
  #empty(): void {
    const now_us = this.#host.now_us();
    for (let i = 0; i < LAST_BATCHES && this.transmit() + this.receive(now_us) > 0; i++);
  }

  /** Nothing is handed to the driver any more, and nothing taken. */
  #unbind(): void {
    this.#rx?.takeBack();
    this.#rx = undefined;
    this.#tx = undefined;
  }

  /** Sets up the descriptors of interface `index`. */
  #bind(index: number): void {
    const engine = this.#engine;
    this.#unbind();
    this.#index = index;
    const ifnet = engine.calls.if_ptr(index);
    this.#ifnet = ifnet;
    const { Ifnet } = layout;
    const slots = field.getU32(engine, ifnet, Ifnet.slot_count);
    this.#batch = slots || Limits.RING;
    if (this.#reason !== undefined) return setUp(engine, index, false);
    // Frames that are gathered in slots are lent for a call only.
    const lends = slots === 0 && this.driver.lend !== undefined;
    const rx = new Descriptors(engine, field.getU32(engine, ifnet, Ifnet.rxdesc), true);
    this.#rx = new EmptyFrames(engine, index, this.#batch, rx, lends, this.#failed);
    this.#tx = new Descriptors(engine, field.getU32(engine, ifnet, Ifnet.txdesc), false);
  }
}
