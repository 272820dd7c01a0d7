/**
 * One GRE tunnel: the driver of its interface, which carries bare IP packets to one other host, or
 * whole Ethernet frames.
 *
 * @module
 */

import type { DriverCaps, FrameBatch, Ifnet, NetDriver } from "../../runtime/device/driver.ts";
import type { Kernel, Packet } from "../../runtime/protocol/public.ts";
import { BUSY, Carrier } from "../tunnel/carrier.ts";
import { IPV4_BYTES, receiveEcn } from "../tunnel/ecn.ts";
import { addressIn, hwaddrIn, innerMtu } from "../tunnel/options.ts";
import { CHECKSUM, headerBytes, KEY, keyAt, Payload, SEQUENCE, sequenceAt } from "./header.ts";
import type { Tunnel } from "./options.ts";
import { type GreStats, newGreStats } from "./stats.ts";

/** Protocol number of GRE (RFC 2784 3.1). */
export const GRE = 47;
const ETHERNET_BYTES = 14;

/** The numbers of a tunnel's packets. */
export interface GreNumbers {
  /** The next that is sent. */
  readonly next: number;
  /** The last that has come; -1 if none has. */
  readonly last: number;
}

/** A tunnel. */
export class GreTunnel implements NetDriver {
  /** `gre`, or `gretap` for Ethernet. */
  readonly name: string;
  /** How it was made. */
  readonly options: Tunnel;
  /** Medium and MTU. */
  readonly caps: DriverCaps;
  /** What went through, and what did not and why. */
  readonly stats: GreStats = newGreStats();
  /** The other end, in host order. */
  readonly remote: number;
  /** Our address; 0 for every one. */
  readonly local: number;
  /** The key; -1 without one. */
  readonly key: number;
  readonly #carrier: Carrier;
  readonly #flags: number;
  readonly #link: number;
  #next = 0;
  #last = -1;

  /** Sends nothing yet. `RangeError` if the way to the other end is too narrow. */
  constructor(kernel: Kernel, options: Tunnel) {
    const { remote, local, key, checksum, sequence, ethernet, hwaddr } = options;
    this.remote = addressIn("remote", remote);
    this.local = local === undefined ? 0 : addressIn("local", local);
    this.key = key ?? -1;
    this.name = ethernet ? "gretap" : "gre";
    this.#flags = (checksum ? CHECKSUM : 0) | (key === undefined ? 0 : KEY) |
      (sequence ? SEQUENCE : 0);
    this.#link = ethernet ? ETHERNET_BYTES : 0;
    const front = headerBytes(this.#flags);
    const mtu = options.mtu ?? innerMtu(kernel, this.remote, IPV4_BYTES + front + this.#link);
    this.options = { ...options, mtu };
    const own = hwaddr === undefined ? {} : { hwaddr: hwaddrIn("hwaddr", hwaddr) };
    this.caps = ethernet
      ? { mtu, medium: "ethernet", ...own }
      : { mtu, medium: "ip", pointToPoint: true };
    this.#carrier = new Carrier(kernel, {
      outer: options,
      protocol: GRE,
      local: this.local,
      front,
      link: this.#link,
      whole: false,
    }, this.stats);
  }

  /** Index of its interface; 0 while it has none. */
  get index(): number {
    return this.#carrier.index;
  }

  /** Name of its interface; empty while it has none. */
  get interface(): string {
    return this.#carrier.ifp?.name ?? "";
  }

  /** The numbers of its packets. */
  get numbers(): GreNumbers {
    return { next: this.#next, last: this.#last };
  }

  /** Goes on with other numbers: those of a snapshot, or `last: -1` if the other end began anew. */
  set numbers({ next, last }: GreNumbers) {
    this.#next = next >>> 0;
    this.#last = last < 0 ? -1 : last >>> 0;
  }

  /** Binds it to its interface. */
  attach(ifp: Ifnet): void {
    this.#carrier.attach(ifp);
  }

  /** Lets go of the interface. */
  detach(): void {
    this.#carrier.detach();
  }

  /** What "too big" messages wait for the interface. */
  rx(free: FrameBatch): number {
    return this.#carrier.rx(free);
  }

  /** Sends frames to the other end. */
  start(tx: FrameBatch): number {
    for (let i = 0; i < tx.count; i++) {
      if (this.#one(tx, i) !== BUSY) continue;
      this.#carrier.wait();
      return i;
    }
    return tx.count;
  }

  #one(tx: FrameBatch, i: number): number {
    const carrier = this.#carrier;
    carrier.look(tx, i);
    if (!carrier.make(tx, i)) return BUSY;
    const { packet, view, at } = carrier;
    const flags = this.#flags;
    const type = this.#link !== 0
      ? Payload.ETHERNET
      : view.getUint8(at) >>> 4 === 6
      ? Payload.IPV6
      : Payload.IPV4;
    packet.setU32(0, flags << 16 | type);
    if (flags & KEY) packet.setU32(keyAt(flags), this.key);
    if (flags & SEQUENCE) packet.setU32(sequenceAt(flags), this.#next);
    if (flags & CHECKSUM) {
      packet.setU32(4, 0);
      packet.setU16(4, packet.checksum());
    }
    if (carrier.send(this.remote, this.options.ttl, 0) === BUSY) return BUSY;
    if (flags & SEQUENCE) this.#next = (this.#next + 1) >>> 0;
    return 0;
  }

  /** True if packets from this address to this one, with this key, type and medium are its own. */
  matches(source: number, destination: number, key: number, ethernet: boolean): boolean {
    return source === this.remote && key === this.key && ethernet === (this.#link !== 0) &&
      (this.local === 0 || this.local === destination) && this.index !== 0;
  }

  /**
   * Takes the header off a packet that is its own and decides about what is inside; true if it is
   * to be handed to the interface. The header is known to be there.
   */
  accept(packet: Packet, flags: number, type: number): boolean {
    const { stats } = this;
    const { source, tos } = packet;
    if (!this.#verify(packet, flags)) return false;
    const bytes = headerBytes(flags);
    const inner = bytes + this.#link;
    if (packet.length <= inner) {
      stats.rxShort++;
      return false;
    }
    if (this.#link === 0 ? !this.#isSound(packet, bytes, type, source) : false) return false;
    const ipv4 = this.#link === 0 ? type === Payload.IPV4 : packet.u16(inner - 2) === Payload.IPV4;
    if (ipv4 && !receiveEcn(packet, inner, tos)) {
      stats.rxEcn++;
      return false;
    }
    // only what was decapsulated counts for the order (RFC 2890 2.2)
    if (this.options.sequence) this.#last = packet.u32(sequenceAt(flags));
    packet.trimFront(bytes);
    stats.rxFrames++;
    stats.rxBytes += packet.length;
    return true;
  }

  /** Checksum and sequence number. */
  #verify(packet: Packet, flags: number): boolean {
    const { stats } = this;
    if (this.#flags & ~flags) stats.rxMissing++;
    // RFC 2784 2.2: over the header and the payload
    else if (flags & CHECKSUM && packet.checksum() !== 0) stats.rxChecksum++;
    else if (this.options.sequence && this.#isOld(packet.u32(sequenceAt(flags)))) stats.rxOrder++;
    else return true;
    return false;
  }

  /** RFC 2890 2.2: numbers are compared modulo 2^32. */
  #isOld(sequence: number): boolean {
    return this.#last >= 0 && (sequence - this.#last | 0) <= 0;
  }

  /** An IP packet of the version that the type says, and not for the other end itself. */
  #isSound(packet: Packet, at: number, type: number, source: number): boolean {
    const version = packet.u8(at) >>> 4;
    if (type === Payload.IPV4 ? version !== 4 : version !== 6) {
      this.stats.rxPayload++;
      return false;
    }
    const whole = type === Payload.IPV4 && packet.length >= at + IPV4_BYTES;
    // RFC 2784 5.2: forwarded, it would come back here without end
    if (whole && packet.u32(at + 16) === source) {
      this.stats.rxLoops++;
      return false;
    }
    return true;
  }
}
