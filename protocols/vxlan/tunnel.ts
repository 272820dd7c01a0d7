/**
 * One VXLAN segment: the driver of its interface, and the end point of its tunnels (RFC 7348).
 *
 * ```
 *   outer Ethernet | IPv4 | UDP, port 4789 | VXLAN | inner Ethernet frame
 *                                            |I flag, 24 bits 0|VNI, 8 bits 0|
 * ```
 *
 * @module
 */

import { IpProto } from "../../assembly/abi/proto.ts";
import type { DriverCaps, FrameBatch, Ifnet, NetDriver } from "../../runtime/device/driver.ts";
import { formatIpv4, type Kernel, type Packet } from "../../runtime/protocol/public.ts";
import { BUSY, Carrier } from "../tunnel/carrier.ts";
import { receiveEcn } from "../tunnel/ecn.ts";
import { FlowPort } from "../tunnel/flow_port.ts";
import { addressIn, hwaddrIn, innerMtu } from "../tunnel/options.ts";
import { type ForwardingEntry, ForwardingTable, Learned } from "./forwarding.ts";
import { type Segment, VXLAN_OVERHEAD, type VxlanEntry } from "./options.ts";
import { newVxlanStats, type VxlanStats } from "./stats.ts";

const ETHERNET_BYTES = 14;
const VXLAN_BYTES = 8;
/** UDP and VXLAN headers. */
const FRONT_BYTES = 16;
/** The I flag: the VNI is valid; the other flags are reserved (RFC 7348 5). */
const FLAG_I = 0x08;
/** First bit of a hardware address, in its first 16 bits: the address of a group. */
const GROUP_BIT = 0x100;
const VLAN = 0x8100;
const SERVICE_VLAN = 0x88a8;

/** A segment. */
export class VxlanTunnel implements NetDriver {
  /** `vxlan` */
  readonly name = "vxlan";
  /** How it was made. */
  readonly segment: Segment;
  /** MTU, and hardware address if one was told. */
  readonly caps: DriverCaps;
  /** What went through, and what did not and why. */
  readonly stats: VxlanStats;
  readonly #kernel: Kernel;
  readonly #carrier: Carrier;
  readonly #port: number;
  readonly #table: ForwardingTable;
  readonly #flows: FlowPort;
  readonly #group: number;
  readonly #groupBy: number;
  /** End points that get what is for all. */
  readonly #remotes: number[];
  /** The same and those of fixed stations. */
  readonly #known = new Set<number>();
  #hi = 0;
  #lo = 0;

  /** Sends nothing yet. `RangeError` if the way to the peers is too narrow. */
  constructor(kernel: Kernel, segment: Segment, local: number, port: number) {
    const { remotes, group, hwaddr, entries } = segment;
    this.#kernel = kernel;
    this.#port = port;
    this.#remotes = remotes.map((remote) => addressIn("remotes", remote));
    this.#group = group === undefined ? 0 : addressIn("group", group);
    this.#groupBy = kernel.interfaceIndex(segment.groupInterface);
    const [peer = this.#group || undefined] = this.#remotes;
    const mtu = segment.mtu ?? innerMtu(kernel, peer, VXLAN_OVERHEAD);
    this.segment = { ...segment, mtu };
    const own = hwaddr === undefined ? {} : { hwaddr: hwaddrIn("hwaddr", hwaddr) };
    this.caps = { mtu, medium: "ethernet", ...own };
    this.stats = newVxlanStats();
    this.#carrier = new Carrier(kernel, {
      outer: segment,
      protocol: IpProto.UDP,
      local,
      front: FRONT_BYTES,
      link: ETHERNET_BYTES,
      whole: true,
    }, this.stats);
    this.#table = new ForwardingTable(segment.limit, segment.ageing_s * 1e6);
    this.#flows = new FlowPort(local ^ segment.vni);
    for (const entry of entries) this.fix(entry);
    this.#knowRemotes();
  }

  /** Index of its interface; 0 while it has none. */
  get index(): number {
    return this.#carrier.index;
  }

  /** The other end points. */
  get remotes(): string[] {
    return this.#remotes.map(formatIpv4);
  }

  /** Gives another end point what is for all; nothing changes if it gets that already. */
  addRemote(remote: string): void {
    const address = addressIn("remote", remote);
    if (!this.#remotes.includes(address)) this.#remotes.push(address);
    this.#knowRemotes();
  }

  /** Ends that, and forgets the stations behind it; false if it was not there. */
  removeRemote(remote: string): boolean {
    const address = addressIn("remote", remote);
    const at = this.#remotes.indexOf(address);
    if (at < 0) return false;
    this.#remotes.splice(at, 1);
    this.#table.flush(address);
    this.#knowRemotes();
    return true;
  }

  /** Tells where a station is, for good. */
  fix({ hwaddr, remote }: VxlanEntry): void {
    const [hi, lo] = halves(hwaddrIn("hwaddr", hwaddr));
    this.#table.fix(hi, lo, addressIn("remote", remote));
    this.#knowRemotes();
  }

  /** Forgets where a station is, fixed or learned; false if that was not known. */
  forget(hwaddr: string): boolean {
    const [hi, lo] = halves(hwaddrIn("hwaddr", hwaddr));
    const was = this.#table.remove(hi, lo);
    this.#knowRemotes();
    return was;
  }

  /** Forgets all stations that were learned. */
  flush(): void {
    this.#table.flush();
  }

  /** Where stations are. */
  entries(): (VxlanEntry & { readonly fixed: boolean })[] {
    return this.table().map(({ hi, lo, remote, seen_us }) => ({
      hwaddr: hwaddrText(hi, lo),
      remote: formatIpv4(remote),
      fixed: seen_us === Infinity,
    }));
  }

  /** The forwarding table. */
  table(): ForwardingEntry[] {
    return [...this.#table.entries(this.#kernel.now_us())];
  }

  /** Puts an entry of a snapshot back. */
  restore(entry: ForwardingEntry): void {
    this.#table.restore(entry);
    this.#knowRemotes();
  }

  #knowRemotes(): void {
    this.#known.clear();
    for (const remote of this.#remotes) this.#known.add(remote);
    for (const { remote, seen_us } of this.#table.entries(0)) {
      if (seen_us === Infinity) this.#known.add(remote);
    }
  }

  /** Binds it to its interface. */
  attach(ifp: Ifnet): void {
    this.#carrier.attach(ifp);
  }

  /** Notes the hardware address that the interface got. */
  begin(hwaddr: Uint8Array): void {
    [this.#hi, this.#lo] = halves(hwaddr);
  }

  /** Lets go of the interface. */
  detach(): void {
    this.#carrier.detach();
  }

  /** What "too big" messages wait for the interface. */
  rx(free: FrameBatch): number {
    return this.#carrier.rx(free);
  }

  /** Sends frames to the end points of their receivers. */
  start(tx: FrameBatch): number {
    const now_us = this.#kernel.now_us();
    for (let i = 0; i < tx.count; i++) {
      if (this.#one(tx, i, now_us) !== BUSY) continue;
      this.#carrier.wait();
      return i;
    }
    return tx.count;
  }

  #one(tx: FrameBatch, i: number, now_us: number): number {
    const carrier = this.#carrier;
    carrier.look(tx, i);
    const { view, at, end } = carrier;
    if (isTagged(view.getUint16(at + 12)) && !this.segment.vlan) {
      this.stats.txVlan++;
      return 0;
    }
    const port = this.#flows.of(view, at, end - at);
    const hi = view.getUint16(at);
    const remote = hi & GROUP_BIT ? 0 : this.#table.lookup(hi, view.getUint32(at + 2), now_us);
    if (remote !== 0) return this.#send(tx, i, port, remote);
    this.#flood(tx, i, port);
    return 0;
  }

  /** A copy for every end point; one for which there is no room is lost, as on any segment. */
  #flood(tx: FrameBatch, i: number, port: number): void {
    const remotes = this.#remotes;
    if (remotes.length === 0 && this.#group === 0) {
      this.stats.txNobody++;
      return;
    }
    this.stats.txFlooded++;
    let lost = 0;
    if (this.#group !== 0 && this.#send(tx, i, port, this.#group) === BUSY) lost++;
    for (let n = 0; n < remotes.length; n++) {
      if (this.#send(tx, i, port, remotes[n]) === BUSY) lost++;
    }
    this.stats.txNoBuffers += lost;
  }

  #send(tx: FrameBatch, i: number, port: number, remote: number): number {
    const carrier = this.#carrier;
    if (!carrier.make(tx, i)) return BUSY;
    const { packet } = carrier;
    const { length } = packet;
    packet.setU32(0, port << 16 | this.#port);
    // RFC 7348 5: the UDP checksum SHOULD be zero
    packet.setU32(4, length << 16);
    packet.setU32(8, FLAG_I << 24);
    packet.setU32(12, this.segment.vni << 8);
    if (this.segment.udpChecksum) this.#sum(packet, remote);
    if (remote === this.#group) return carrier.send(remote, this.segment.groupTtl, this.#groupBy);
    return carrier.send(remote, this.segment.ttl, 0);
  }

  /** RFC 768: over a pseudo-header too; a sum of zero is written as its other form. */
  #sum(packet: Packet, remote: number): void {
    const source = this.#carrier.sourceTo(remote);
    const pseudo = (source >>> 16) + (source & 0xffff) + (remote >>> 16) + (remote & 0xffff) +
      IpProto.UDP + packet.length;
    packet.setU16(6, packet.checksum(0, pseudo) || 0xffff);
  }

  /**
   * Takes a datagram's VXLAN header off and decides about the frame inside; true if it is to be
   * handed to the interface. The header has been checked.
   */
  accept(packet: Packet, now_us: number): boolean {
    const { stats, segment } = this;
    const { source, tos, length } = packet;
    if (!segment.strangers && !this.#known.has(source)) {
      stats.rxStrangers++;
      return false;
    }
    if (isTagged(packet.u16(VXLAN_BYTES + 12)) && !segment.vlan) {
      stats.rxVlan++;
      return false;
    }
    const hi = packet.u16(VXLAN_BYTES + 6);
    const lo = packet.u32(VXLAN_BYTES + 8);
    if (!this.#fromStation(hi, lo) || !this.#learn(hi, lo, source, now_us)) return false;
    const ip = packet.u16(VXLAN_BYTES + 12) === 0x0800;
    if (ip && !receiveEcn(packet, VXLAN_BYTES + ETHERNET_BYTES, tos)) {
      stats.rxEcn++;
      return false;
    }
    packet.trimFront(VXLAN_BYTES);
    stats.rxFrames++;
    stats.rxBytes += length - VXLAN_BYTES;
    return true;
  }

  #fromStation(hi: number, lo: number): boolean {
    const { stats } = this;
    if (hi & GROUP_BIT || (hi | lo) === 0) stats.rxSource++;
    else if (hi === this.#hi && lo === this.#lo) stats.rxLoops++;
    else return true;
    return false;
  }

  #learn(hi: number, lo: number, remote: number, now_us: number): boolean {
    if (!this.segment.learning) return true;
    const { stats } = this;
    switch (this.#table.learn(hi, lo, remote, now_us)) {
      case Learned.NEW:
        stats.learned++;
        break;
      case Learned.MOVED:
        stats.moved++;
        break;
      case Learned.FULL:
        stats.full++;
        break;
      case Learned.FIXED:
        stats.rxFixed++;
        return false;
    }
    return true;
  }
}

/** True for a frame with a VLAN tag (IEEE 802.1Q). */
function isTagged(type: number): boolean {
  return type === VLAN || type === SERVICE_VLAN;
}

/** A hardware address as its first 16 bits and the other 32. */
function halves(bytes: Uint8Array): [number, number] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 6);
  return [view.getUint16(0), view.getUint32(2)];
}

function hwaddrText(hi: number, lo: number): string {
  const digits = hi.toString(16).padStart(4, "0") + lo.toString(16).padStart(8, "0");
  return digits.replace(/(..)(?=.)/g, "$1:");
}
