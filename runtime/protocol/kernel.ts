/**
 * The kernel as a protocol in TypeScript sees it: packets in and out, ports, types of frames,
 * interfaces, timers. What a protocol has taken here is given back when it is unloaded, whether it
 * thought of that or not.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { HostKind } from "../../assembly/abi/module.ts";
import type { Attachment } from "../device/attach.ts";
import type { NetDriver } from "../device/driver.ts";
import type { Engine } from "../engine.ts";
import { SocketError } from "../errors.ts";
import * as field from "../layout.ts";
import { ifIndexBy } from "../socket/ioctl.ts";
import * as layout from "../wasm/layout.gen.ts";
import { type IpOptions, type IpRoute, IpSender } from "./ip_sender.ts";
import { isEthernet, type KernelInterface, listInterfaces } from "./interfaces.ts";
import { type KernelCalls, kernelCalls } from "./kernel_calls.ts";
import type { Nesting } from "./nesting.ts";
import { newPacket, Packet } from "./packet.ts";
import { PacketLedger } from "./packet_ledger.ts";
import type { Receiver } from "./ring.ts";
import { OpenPort, type UdpPort } from "./udp_port.ts";

/** How an interface of a protocol is set up. */
export interface InterfaceSetup {
  /** Its name; the driver's and a number unless told. */
  readonly name?: string;
  /** Its addresses with their prefix. */
  readonly addresses?: readonly string[];
}

/** A timer that was set. */
export interface KernelTimer {
  /** Ends it, if it has not fired. */
  cancel(): void;
}

/** What the kernel needs of the stack and the module around it. */
export interface KernelHost {
  /** The engine. */
  readonly engine: Engine;
  /** Places in the function table of what the module has registered for packets and timers. */
  readonly places: { readonly frame: number; readonly datagram: number; readonly tick: number };
  /** Has packets of a kind and key handed to the module. */
  receive(kind: HostKind, key: number, receiver: Receiver | undefined): void;
  /** Interfaces of loaded protocols. */
  readonly nesting: Nesting;
  /** Memory of the module. */
  alloc(bytes: number): number;
  /** Time of the stack's clock. */
  now_us(): number;
  /** Takes a turn soon. */
  wake(): void;
  /** Makes an interface. */
  attach(driver: NetDriver, options: InterfaceSetup): Promise<Attachment>;
  /** Takes an interface away. */
  detach(name: string): Promise<void>;
}

/** Where the limit of the clusters stands among the figures of the pools. */
const CLUSTERS_AT = 24;
const TIMERS = 32;

/** What a loaded protocol may ask of the stack. */
export class Kernel {
  readonly #host: KernelHost;
  readonly #calls: KernelCalls;
  readonly #ip: IpSender;
  readonly #place: number;
  readonly #ledger: PacketLedger;
  readonly #types = new Set<number>();
  readonly #ports = new Set<OpenPort>();
  /** Index by name. */
  readonly #interfaces = new Map<string, number>();
  readonly #idle: number[] = [];
  readonly #armed = new Map<number, () => void>();

  /** Made by the loader. */
  constructor(host: KernelHost) {
    this.#host = host;
    this.#calls = kernelCalls(host.engine);
    this.#ip = new IpSender(host.engine, host.nesting);
    this.#place = host.alloc(layout.SockAddr.size);
    const { calls, view, scratch } = host.engine;
    calls.pool_stats(scratch);
    this.#ledger = new PacketLedger(view.getUint32(scratch + CLUSTERS_AT, true) >>> 2);
  }

  /** Time of the stack's clock, microseconds. */
  now_us(): number {
    return this.#host.now_us();
  }

  /** A packet with these bytes, or of so many with anything in them. `SocketError` ENOBUFS. */
  packet(content: Uint8Array | number): Packet {
    this.#ledger.check();
    const length = typeof content === "number" ? content : content.length;
    const packet = newPacket(this.#host.engine, length).enter(this.#ledger);
    if (typeof content !== "number") packet.write(content);
    return packet;
  }

  /**
   * Keeps a packet beyond the call that brought it: a packet of its own, to be sent, delivered or
   * freed later. `SocketError` ENOBUFS if the protocol holds too many.
   */
  keep(packet: Packet): Packet {
    this.#ledger.check();
    return packet.move().enter(this.#ledger);
  }

  /** A packet object that stands for nothing yet, to be made again and again. */
  blank(): Packet {
    const packet = new Packet(this.#host.engine);
    this.#ledger.blanks.push(packet);
    return packet;
  }

  /** Sends a packet by IP, whose header is put in front; owns it. `SocketError` as for sendto. */
  sendIp(packet: Packet, options: IpOptions): void {
    this.#sent(this.#ip.send(packet, options), "ip_output");
  }

  /** {@link sendIp} for the way of many packets: answers 0 or -Errno instead of throwing. */
  trySendIp(packet: Packet, options: IpOptions): number {
    this.#host.wake();
    return this.#ip.send(packet, options);
  }

  /** Writes the way to an address, in host order, into `into`; false if no route leads there. */
  route(destination: number, into: IpRoute): boolean {
    return this.#ip.route(destination >>> 0, into);
  }

  /**
   * Notes that the path to an address, in host order, takes packets of at most `mtu` bytes, but not
   * less than what the setting `net.pmtu_min` says. To be called for a `Prc.MSGSIZE` about a packet
   * that the protocol has sent (RFC 1191, RFC 5927 7).
   */
  lowerMtu(destination: number, mtu: number): void {
    const { engine } = this.#host;
    const least = field.getU32(engine, engine.calls.net_settings(), layout.NetSettings.pmtu_min);
    this.#calls.ip_mtu_lower(destination, Math.max(mtu, least));
  }

  /** What there is of interfaces just now. */
  interfaces(): KernelInterface[] {
    return listInterfaces(this.#host.engine);
  }

  /** True if interface `index` carries Ethernet frames: then its frames have a `sourceHwaddr`. */
  isEthernet(index: number): boolean {
    return isEthernet(this.#host.engine, index);
  }

  /** Index of the interface with a name, an address or an index. `SocketError` ENXIO. */
  interfaceIndex(which: string | number): number {
    return ifIndexBy(this.#host.engine, which);
  }

  /**
   * Takes in a frame that another packet has carried, as if interface `index` had received it: from
   * its link header on, or from its IP header on a medium without. Owns the packet. `more` says
   * that the next call, at once, is for the same interface: segments of a connection are then put
   * together.
   *
   * @returns false, and the packet is freed, if there is no such interface
   */
  input(packet: Packet, index: number, more = false): boolean {
    this.#host.wake();
    return this.#calls.if_carried(index, packet.take(), more ? 1 : 0) === 0;
  }

  /**
   * Sends a whole frame by an interface, link header and all; owns it. `SocketError` ENXIO: no such
   * interface; ENETDOWN; ENOBUFS: its queue is full.
   */
  sendFrame(packet: Packet, index: number): void {
    const ifp = this.#host.engine.calls.if_ptr(index);
    const m = packet.take();
    if (ifp === 0) {
      this.#calls.mbuf_freem(m);
      throw new SocketError(Errno.ENXIO, "if_output", `no interface ${index}`);
    }
    this.#sent(this.#calls.if_queue_enqueue(ifp, m), "if_output");
  }

  #sent(result: number, call: string): void {
    this.#host.wake();
    if (result < 0) throw new SocketError(-result, call);
  }

  /** Takes the frames of an ethertype (add_input_type). `SocketError` EEXIST, EINVAL. */
  addInputType(type: number, receiver: Receiver): void {
    const result = this.#calls.input_type_add(type, this.#host.places.frame);
    if (result < 0) {
      const words = result === -Errno.EEXIST ? `frames of type ${hex(type)} are taken` : undefined;
      throw new SocketError(-result, "add_input_type", words);
    }
    this.#types.add(type);
    this.#host.receive(HostKind.FRAME, type, receiver);
  }

  /** Leaves an ethertype alone again. `SocketError` ENOENT if the protocol does not have it. */
  delInputType(type: number): void {
    if (!this.#types.delete(type)) throw new SocketError(Errno.ENOENT, "del_input_type");
    this.#calls.input_type_del(type);
    this.#host.receive(HostKind.FRAME, type, undefined);
  }

  /**
   * Takes the datagrams of a UDP port: of all our addresses, or of `address`. Port 0 lets the stack
   * choose. `SocketError` EADDRINUSE, EADDRNOTAVAIL, ...
   */
  addUdpPort(port: number, receiver: Receiver, address?: string): UdpPort {
    const { engine, places, receive } = this.#host;
    const own = new OpenPort(
      {
        engine,
        place: this.#place,
        receiver: places.datagram,
        sent: (result, call) => this.#sent(result, call),
        closed: (it) => {
          this.#ports.delete(it);
          receive(HostKind.DATAGRAM, it.so, undefined);
        },
      },
      port,
      address,
    );
    receive(HostKind.DATAGRAM, own.so, receiver);
    this.#ports.add(own);
    return own;
  }

  /** Makes an interface of the stack, whose driver is the protocol. As `Stack.attach`. */
  async attach(driver: NetDriver, options: InterfaceSetup = {}): Promise<Attachment> {
    const attachment = await this.#host.attach(driver, options);
    this.#interfaces.set(attachment.name, attachment.index);
    this.#host.nesting.add(attachment.index);
    return attachment;
  }

  /** Takes an interface away that {@link attach} made. */
  async detach(name: string): Promise<void> {
    const index = this.#interfaces.get(name);
    if (index === undefined) throw new SocketError(Errno.ENXIO, "if_detach");
    this.#interfaces.delete(name);
    this.#host.nesting.remove(index);
    await this.#host.detach(name);
  }

  /** Calls a function once, `delay_us` from now, on the clock of the stack. */
  after(delay_us: number, call: () => void): KernelTimer {
    if (!(delay_us >= 0)) throw new RangeError(`a delay is 0 or more, not ${delay_us}`);
    const { engine, places } = this.#host;
    const timer = this.#idle.pop() ?? this.#moreTimers();
    field.setU32(engine, timer, layout.Timer.fn, places.tick);
    field.setU32(engine, timer, layout.Timer.arg, timer);
    this.#armed.set(timer, call);
    this.#calls.timer_arm(timer, BigInt(Math.ceil(this.#host.now_us() + delay_us)));
    this.#host.wake();
    return {
      cancel: () => {
        if (this.#armed.get(timer) !== call) return;
        this.#calls.timer_cancel(timer);
        this.#done(timer);
      },
    };
  }

  /** A timer has fired: for the entry in the function table. */
  tick(timer: number): void {
    const call = this.#armed.get(timer);
    this.#done(timer);
    call?.();
  }

  #done(timer: number): void {
    this.#armed.delete(timer);
    this.#idle.push(timer);
  }

  #moreTimers(): number {
    const { size } = layout.Timer;
    const first = this.#host.alloc(TIMERS * size);
    for (let i = 1; i < TIMERS; i++) this.#idle.push(first + i * size);
    return first;
  }

  /** Sockets of its UDP ports, for a snapshot. */
  get sockets(): number[] {
    return [...this.#ports].map(({ so }) => so);
  }

  /** Gives back what is left: the protocol is unloaded. Answers how many things that were. */
  async release(): Promise<number> {
    const taken = this.#types.size + this.#ports.size + this.#interfaces.size + this.#armed.size;
    const left = taken + this.#ledger.release();
    for (const timer of [...this.#armed.keys()]) {
      this.#calls.timer_cancel(timer);
      this.#done(timer);
    }
    for (const type of [...this.#types]) this.delInputType(type);
    for (const port of [...this.#ports]) port.close();
    for (const name of [...this.#interfaces.keys()]) await this.detach(name).catch(() => {});
    return left;
  }
}

function hex(type: number): string {
  return "0x" + type.toString(16).padStart(4, "0");
}
