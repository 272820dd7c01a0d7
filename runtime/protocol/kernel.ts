/**
 * The kernel as a protocol in TypeScript sees it: packets in and out, ports, types of frames,
 * interfaces, timers. What a protocol has taken here is given back when it is unloaded, whether it
 * thought of that or not.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { HostKind } from "../../assembly/abi/module.ts";
import { Af, Sock as SockType } from "../../assembly/abi/socket.ts";
import type { Attachment } from "../device/attach.ts";
import type { NetDriver } from "../device/driver.ts";
import type { Engine } from "../engine.ts";
import { SocketError } from "../errors.ts";
import * as field from "../layout.ts";
import { parseIpv4 } from "../socket/inet_addr.ts";
import { type SockAddrInit, writeSockAddr } from "../socket/sockaddr.ts";
import * as layout from "../wasm/layout.gen.ts";
import { type KernelCalls, kernelCalls } from "./kernel_calls.ts";
import { newPacket, type Packet, PacketLedger } from "./packet.ts";
import type { Receiver } from "./ring.ts";

/** How an IP packet is sent. */
export interface IpOptions {
  /** Address of the receiver, such as `10.0.0.2`, or a number in host order. */
  readonly destination: string | number;
  /** Protocol number. */
  readonly protocol: number;
  /** Our address; the route's unless told. */
  readonly source?: string | number;
  /** Time to live; the default of the stack unless told. */
  readonly ttl?: number;
  /** Type of service; 0 unless told. */
  readonly tos?: number;
  /** Whether it may not be cut into fragments; no unless told. */
  readonly df?: boolean;
}

/** How an interface of a protocol is set up. */
export interface InterfaceSetup {
  /** Its name; the driver's and a number unless told. */
  readonly name?: string;
  /** Its addresses with their prefix. */
  readonly addresses?: readonly string[];
}

/** A UDP port whose datagrams go to a protocol. */
export interface UdpPort {
  /** The port. */
  readonly port: number;
  /** Sends a datagram from the port; owns the packet. `SocketError` as for sendto. */
  send(packet: Packet, to: SockAddrInit): void;
  /** Gives the port back. */
  close(): void;
}

interface OpenPort extends UdpPort {
  /** Address of its struct Socket. */
  readonly so: number;
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
const DF = 1;
const DEFAULT_TTL = 64;

/** What a loaded protocol may ask of the stack. */
export class Kernel {
  readonly #host: KernelHost;
  readonly #calls: KernelCalls;
  readonly #place: number;
  readonly #ledger: PacketLedger;
  readonly #types = new Set<number>();
  readonly #ports = new Set<OpenPort>();
  readonly #interfaces = new Set<string>();
  readonly #idle: number[] = [];
  readonly #armed = new Map<number, () => void>();

  /** Made by the loader. */
  constructor(host: KernelHost) {
    this.#host = host;
    this.#calls = kernelCalls(host.engine);
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

  /** Sends a packet by IP, whose header is put in front; owns it. `SocketError` as for sendto. */
  sendIp(packet: Packet, options: IpOptions): void {
    const source = options.source === undefined ? 0 : addressOf(options.source);
    const result = this.#calls.ip_output_output(
      packet.take(),
      source,
      addressOf(options.destination),
      options.protocol,
      options.ttl ?? DEFAULT_TTL,
      options.tos ?? 0,
      options.df ? DF : 0,
      0,
    );
    this.#sent(result, "ip_output");
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
    const { engine } = this.#host;
    const { calls } = engine;
    const so = calls.so_create(Af.INET, SockType.DGRAM, 0);
    if (so < 0) throw new SocketError(-so, "socket");
    writeSockAddr(engine, this.#place, { address, port }, "bind");
    const bound = calls.so_bind(so, this.#place);
    if (bound < 0) {
      calls.so_close(so);
      throw new SocketError(-bound, "bind", `UDP port ${port}`);
    }
    this.#calls.udp_tunnel_set(so, this.#host.places.datagram);
    this.#host.receive(HostKind.DATAGRAM, so, receiver);
    const inp = field.getU32(engine, so, layout.Socket.pcb);
    const own: OpenPort = {
      so,
      port: field.getU16(engine, inp, layout.Inpcb.lport),
      send: (packet, to) => {
        if (!this.#ports.has(own)) throw new SocketError(Errno.EBADF, "sendto");
        writeSockAddr(engine, this.#place, to, "sendto");
        this.#sent(this.#calls.udp_output_output(inp, packet.take(), this.#place), "sendto");
      },
      close: () => {
        if (!this.#ports.delete(own)) return;
        this.#host.receive(HostKind.DATAGRAM, so, undefined);
        if (engine.panic === undefined) calls.so_close(so);
      },
    };
    this.#ports.add(own);
    return own;
  }

  /** Makes an interface of the stack, whose driver is the protocol. As `Stack.attach`. */
  async attach(driver: NetDriver, options: InterfaceSetup = {}): Promise<Attachment> {
    const attachment = await this.#host.attach(driver, options);
    this.#interfaces.add(attachment.name);
    return attachment;
  }

  /** Takes an interface away that {@link attach} made. */
  async detach(name: string): Promise<void> {
    if (!this.#interfaces.delete(name)) throw new SocketError(Errno.ENXIO, "if_detach");
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
    for (const name of [...this.#interfaces]) await this.detach(name).catch(() => {});
    return left;
  }
}

function addressOf(address: string | number): number {
  if (typeof address === "number") return address >>> 0;
  const value = parseIpv4(address);
  if (value !== undefined) return value >>> 0;
  throw new SocketError(Errno.EINVAL, "ip_output", `"${address}" is not an IPv4 address`);
}

function hex(type: number): string {
  return "0x" + type.toString(16).padStart(4, "0");
}
