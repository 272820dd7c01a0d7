/**
 * A stack: an engine with its interfaces, sockets and loop.
 *
 * @module
 */

import { Errno } from "../assembly/abi/errno.ts";
import { Sioc } from "../assembly/abi/ifnet.ts";
import { RealClock, ShiftedClock } from "./clock.ts";
import type { Attachment } from "./device/attach.ts";
import type { NetDriver } from "./device/driver.ts";
import type { LinkOptions } from "./device/link.ts";
import { makeHwaddr } from "./device/naming.ts";
import { Engine } from "./engine.ts";
import { type Entropy, makeEntropy } from "./entropy.ts";
import { SocketError } from "./errors.ts";
import { Loop } from "./loop.ts";
import { DOMAINS } from "./domains.ts";
import { Drivers } from "./stack_drivers.ts";
import { Interfaces } from "./stack_interfaces.ts";
import type { AttachOptions, StackOptions } from "./stack_options.ts";
import { type Netstat, netstat } from "./netstat.ts";
import { Routes } from "./route.ts";
import { firstSettings, type Sysctl } from "./sysctl.ts";
import { optionParts, Protocols, type SavedProtocol } from "./protocol/loader.ts";
import { Ring } from "./protocol/ring.ts";
import type { DatagramConn } from "./socket/datagram.ts";
import { FdTable } from "./socket/fd_table.ts";
import { HostNames } from "./socket/host_names.ts";
import { changeAddress } from "./socket/ioctl.ts";
import type { UnixOptions } from "./socket/unix_conn.ts";
import * as network from "./socket/network.ts";
import type { SocketLayer } from "./socket/so.ts";
import { adoptSockets, endCalls, openFd, type SocketObject } from "./socket/restore.ts";
import { Syscalls } from "./socket/syscalls.ts";
import { closeSockets } from "./socket/teardown.ts";
import { Waits } from "./socket/waits.ts";
import { encodeSnapshot, readHeader, type SnapshotHeader } from "./snapshot.ts";

/** Stack's #resume, for createStack. */
let resume: (stack: Stack, header: SnapshotHeader, options: StackOptions) => Promise<void>;

/**
 * A host's network. The stack takes its turns by itself, unless its clock is moved by hand. It
 * keeps the process alive while somebody waits on it.
 */
export class Stack implements AsyncDisposable {
  static {
    resume = (stack, header, options) => stack.#resume(header, options);
  }

  /** The system calls. */
  readonly sys: Syscalls;
  /** The routing table. */
  readonly route: Routes;
  /** The settings. */
  readonly sysctl: Sysctl;
  /** The drivers: loads them, and puts one in the place of another. */
  readonly drivers: Drivers;
  /** The protocols that were loaded. */
  readonly protocols: Protocols;
  readonly #engine: Engine;
  readonly #entropy: Entropy;
  readonly #layer: SocketLayer;
  readonly #names: HostNames;
  readonly #loop: Loop;
  readonly #interfaces: Interfaces;
  #closing: Promise<void> | undefined = undefined;

  /** Made by {@link createStack}. */
  constructor(engine: Engine, entropy: Entropy, options: StackOptions) {
    this.#engine = engine;
    this.#entropy = entropy;
    const table = new FdTable(options.descriptors);
    const waits = new Waits(engine, (ptr) => table.byPtr(ptr));
    this.#layer = { engine, waits, table, demand: (family) => this.protocols.demand(family) };
    table.begin(this.#layer);
    const now_us = () => this.now_us;
    const wake = () => this.#loop.kick();
    const hwaddr = () => makeHwaddr(entropy);
    this.#interfaces = new Interfaces({ engine, now_us, wake, makeHwaddr: hwaddr });
    this.drivers = new Drivers({
      engine,
      interfaces: this.#interfaces,
      mustBeOpen: () => this.#mustBeOpen(),
      attach: (driver, given) => this.#attach(driver, given),
      detach: (name) => this.detach(name),
    });
    const ring = new Ring(engine);
    const attach = (driver: NetDriver, given: AttachOptions) => this.#attachLoaded(driver, given);
    const host = { now_us, wake, attach, detach: (name: string) => this.detach(name) };
    this.protocols = new Protocols(engine, ring, host, options.domains ?? DOMAINS);
    this.#loop = new Loop({
      engine,
      waits,
      ring,
      clock: options.clock ?? new RealClock(),
      blocking: options.blocking ?? false,
      attachments: this.#interfaces.list,
      died: (panic) => this.#died(panic),
    });
    waits.begin(this.#loop);
    this.#names = new HostNames(options.hostname ?? "godwit", entropy.next32());
    this.sys = new Syscalls(this.#layer, this.#names);
    this.route = new Routes(engine, wake);
    this.sysctl = firstSettings(engine, options);
  }

  /** The engine, for tools that look into it. */
  get engine(): Engine {
    return this.#engine;
  }

  /**
   * Whether packets for other hosts are sent on along the routing table, with their TTL lowered
   * (RFC 1812 5.2), instead of dropped as IP_NOT_OURS.
   */
  get forwarding(): boolean {
    return this.sysctl.get("net.ipv4.ip_forward") === 1;
  }

  /** Begins or ends to send on packets for other hosts. */
  set forwarding(on: boolean) {
    this.sysctl.set("net.ipv4.ip_forward", on);
  }

  /** Time of the stack's clock, in microseconds. */
  get now_us(): number {
    return this.#loop.now_us();
  }

  /** Interfaces with a driver, in the order they were attached. */
  get interfaces(): readonly Attachment[] {
    return this.#interfaces.list;
  }

  /** True if a turn was asked for; on a clock moved by hand, somebody must take it. */
  get wanted(): boolean {
    return this.#loop.wanted;
  }

  /**
   * Binds a driver to a new interface and gives it addresses. If anything fails, nothing is left
   * behind.
   *
   * @throws SocketError EEXIST for a name or address in use, EINVAL for an impossible address,
   * ENETUNREACH for a gateway on no network of ours, ENETDOWN if the stack is closed, also
   * meanwhile, and what the driver throws
   */
  attach(driver: NetDriver, options: AttachOptions = {}): Promise<Attachment> {
    return this.#attach(driver, options);
  }

  async #attach(driver: NetDriver, options: AttachOptions & LinkOptions): Promise<Attachment> {
    this.#mustBeOpen();
    const attachment = await this.#interfaces.attach(driver, options);
    const { name } = attachment;
    try {
      this.#mustBeOpen();
      for (const address of options.addresses ?? []) this.addAddress(name, address);
      if (options.gateway !== undefined) this.route.add("default", { gateway: options.gateway });
    } catch (error) {
      await this.detach(name).catch(() => {});
      throw error;
    }
    this.#loop.kick();
    return attachment;
  }

  /** Makes an interface whose driver is a loaded protocol; after a snapshot it is there already. */
  async #attachLoaded(driver: NetDriver, options: AttachOptions): Promise<Attachment> {
    const resumed = await this.#interfaces.resumeLoaded(driver, options.name);
    return resumed ?? this.#interfaces.ofProtocol(await this.attach(driver, options));
  }

  /** Goes on from a snapshot, whose memory the engine has: sockets, names, interfaces. */
  async #resume(header: SnapshotHeader, options: StackOptions): Promise<void> {
    adoptSockets(this.#layer, header.aliases);
    Object.assign(this.#names, header.host);
    await this.#interfaces.resume(header.interfaces, options.interfaces ?? []);
    const saved = (header.protocols ?? []) as readonly SavedProtocol[];
    await this.protocols.restore(saved, options.protocols ?? []);
    endCalls(this.#layer, header.ofCalls);
  }

  /** Takes an interface away and closes its device. `SocketError` ENXIO. */
  async detach(name: string): Promise<void> {
    this.#loop.kick();
    await this.#interfaces.detach(name);
  }

  /** Gives an interface one more address, such as `10.0.0.1/24`. `SocketError` EEXIST, EINVAL. */
  addAddress(name: string, address: string): void {
    changeAddress(this.#engine, Sioc.AIFADDR, name, address);
    this.#loop.kick();
  }

  /** Takes an address away. `SocketError` EADDRNOTAVAIL if the interface has no such address. */
  removeAddress(name: string, address: string): void {
    changeAddress(this.#engine, Sioc.DIFADDR, name, address);
    this.#loop.kick();
  }

  /** Opens a listening socket: TCP or local. `SocketError` EADDRINUSE, EADDRNOTAVAIL and others. */
  listen<O extends network.ListenOptions | UnixOptions>(options: O): network.ListenerOf<O> {
    this.#mustLive();
    return network.listen(this.#layer, options);
  }

  /** Opens a TCP connection. `SocketError` ECONNREFUSED, ETIMEDOUT, ...; or the signal's reason. */
  async connect<O extends network.ConnectOptions | UnixOptions>(
    options: O,
  ): Promise<network.ConnOf<O>> {
    this.#mustLive();
    return await network.connect(this.#layer, options);
  }

  /** Opens a UDP socket. `SocketError` EADDRINUSE, EADDRNOTAVAIL and others. */
  listenDatagram(options: network.DatagramOptions): DatagramConn {
    this.#mustLive();
    return network.listenDatagram(this.#layer, options);
  }

  /** Looks at everything: interfaces, routes, neighbours, sockets, counters. */
  netstat(): Netstat {
    return netstat(this.#engine, this.#interfaces.list, this.route);
  }

  /**
   * The whole stack as bytes: connections with what is unread and unacknowledged, listeners,
   * timers, routes, neighbours. `createStack({ snapshot })` goes on from there, in this process or
   * another; this stack should then not go on too. Calls that wait here are not part of it.
   *
   * @throws EnginePanic if the engine has stopped
   */
  snapshot(): Uint8Array<ArrayBuffer> {
    this.#mustLive();
    const { hostname, domainname, hostid } = this.#names;
    return encodeSnapshot({
      engine: this.#engine.identity,
      memory_bytes: this.#engine.memory.length,
      now_us: this.#loop.now_us(),
      host: { hostname, domainname, hostid },
      interfaces: this.#interfaces.save(),
      ...this.#layer.table.save(),
      protocols: this.protocols.save(),
    }, this.#engine.memory);
  }

  /**
   * The object for a descriptor, for those who go on from a snapshot: what `listen`, `connect`,
   * `accept` or `listenDatagram` had given.
   *
   * @throws SocketError EBADF, or EOPNOTSUPP if it is another kind
   */
  openFd(fd: number): SocketObject {
    this.#mustLive();
    return openFd(this.#layer, fd);
  }

  /**
   * Takes one turn: frames in, timers, frames out, events. For stacks on a clock moved by hand;
   * others take their turns by themselves. Answers how much work there was; throws an
   * `EnginePanic` if the engine stops.
   */
  turn(): number {
    return this.#loop.turn();
  }

  /** When the next turn is wanted, in microseconds of the stack's clock; `Infinity` if never. */
  nextDeadline(): number {
    return this.#loop.nextDeadline();
  }

  /**
   * Ends the stack: closes all sockets in order, unloads the protocols, sends what can be sent at
   * once, ends all waits (EBADF) and closes the devices. Data that the peer has no room for is
   * lost; a program that cares reads to the end of the stream first. Again does nothing.
   */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /** Closes. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const turn = () => this.#loop.turn();
    this.#layer.table.close();
    try {
      if (this.#engine.panic === undefined) closeSockets(this.#layer, turn);
    } finally {
      await this.protocols.close(turn).finally(() => {
        this.#layer.waits.end();
        this.#loop.close();
        return this.#interfaces.detachAll();
      });
    }
  }

  /** The engine has stopped: everybody who waits is told why. */
  #died(panic: unknown): void {
    const { table, waits } = this.#layer;
    waits.fail(panic);
    for (const so of table.used()) waits.fail(panic, so);
  }

  #mustLive(): void {
    if (this.#engine.panic !== undefined) throw this.#engine.panic;
  }

  #mustBeOpen(): void {
    this.#mustLive();
    if (this.#closing !== undefined) {
      throw new SocketError(Errno.ENETDOWN, "if_attach", "the stack is closed");
    }
  }
}

/**
 * Makes a stack: an engine, its loopback interface `lo0` with 127.0.0.1/8, and the interfaces asked
 * for.
 *
 * @throws RangeError for impossible sizes or profiles, SnapshotError for a snapshot that cannot be
 * used, SocketError ENOMEM if the memory is too small for the tables, ENODEV if an interface of the
 * snapshot is given no driver, and what {@link Stack.attach} and {@link Sysctl.set} throw
 */
export async function createStack(options: StackOptions = {}): Promise<Stack> {
  const entropy = options.entropy ?? makeEntropy(options.seed);
  const { engine: module, memory, snapshot, interfaces = [] } = options;
  const engine = await Engine.create({ engine: module, memory, entropy, snapshot });
  const header = snapshot && readHeader(snapshot);
  const clock = header && new ShiftedClock(options.clock ?? new RealClock(), header.now_us);
  const stack = new Stack(engine, entropy, clock ? { ...options, clock } : options);
  try {
    if (header) return await resume(stack, header, options).then(() => stack);
    if (options.forwarding !== undefined) stack.forwarding = options.forwarding;
    for (const { driver, ...rest } of interfaces) await stack.attach(driver, rest);
    for (const option of options.protocols ?? []) {
      const { module, config } = optionParts(option);
      await stack.protocols.load(module, config);
    }
  } catch (error) {
    await stack.close().catch(() => {});
    throw error;
  }
  return stack;
}
