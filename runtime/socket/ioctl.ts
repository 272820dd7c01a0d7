/**
 * Requests about interfaces, their addresses, neighbours and routes: objects for programs on one
 * side, the engine's records on the other.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { Sioc } from "../../assembly/abi/ifnet.ts";
import type { Engine } from "../engine.ts";
import { SocketError } from "../errors.ts";
import * as field from "../layout.ts";
import * as layout from "../wasm/layout.gen.ts";
import { formatIpv4, parseIpv4, parsePrefix } from "./inet_addr.ts";

/** What a request about an interface, an address or a neighbour takes and gives (struct ifreq). */
export interface IfRequest {
  /** Name of the interface; or give `ifindex`. */
  ifname?: string;
  /** Index of the interface, from 1. */
  ifindex?: number;
  /** Which one, from 0, where a list is walked (GIFCONF, GIFADDR, GARP). */
  i?: number;
  /** Flags: `Iff` bits; of a neighbour, its state. */
  flags?: number;
  /** Bytes of the largest IP packet. */
  mtu?: number;
  /** Address, `10.0.0.1`. */
  addr?: string;
  /** Network mask, `255.255.255.0`. */
  mask?: string;
  /** Broadcast address; empty if there is none. */
  broadcast?: string;
  /** The peer of a point-to-point interface; empty if there is none. */
  dst?: string;
  /** Hardware address, 6 bytes. */
  hwaddr?: Uint8Array;
}

/** What a request about a route takes and gives. */
export interface RouteRequest {
  /** Network, `10.0.0.0`; for GETRT any address. */
  dst?: string;
  /** Mask of the network, `255.0.0.0`. */
  mask?: string;
  /** Next hop; empty if the network is on the link. */
  gateway?: string;
  /** Flags: `Rtf` bits. */
  flags?: number;
  /** Interface it leads out of; 0 lets the stack find it from the gateway. */
  ifindex?: number;
  /** Bytes of the largest packet along it; 0: what the interface says. */
  mtu?: number;
  /** Bytes of the largest TCP segment to ask for along it; 0: what the MTU says. */
  mss?: number;
  /** Only packets from this network take it, `10.1.0.0`; empty for packets from anywhere. */
  from?: string;
  /** Mask of that network. */
  fromMask?: string;
  /** Lower is better. */
  metric?: number;
  /** Given: packets sent along it. */
  use?: number;
  /** Given: the source address that packets along it get; for GETRT, that of the packet. */
  src?: string;
  /** Which one, from 0, to walk the table with GETRT. */
  i?: number;
}

/** What an interface is and has counted. */
export interface IfStatistics {
  /** Its name. */
  readonly name: string;
  /** Its index, from 1. */
  readonly index: number;
  /** `Iff` bits. */
  readonly flags: number;
  /** Bytes of the largest IP packet. */
  readonly mtu: number;
  /** `Medium`. */
  readonly medium: number;
  /** Frames taken in. */
  readonly ipackets: number;
  /** Frames sent. */
  readonly opackets: number;
  /** Bytes taken in. */
  readonly ibytes: number;
  /** Bytes sent. */
  readonly obytes: number;
  /** Frames dropped on input. */
  readonly idrops: number;
  /** Packets refused because a queue was full. */
  readonly odrops: number;
  /** Frames that the driver reported bad. */
  readonly ierrors: number;
  /** Packets that could not be made into a frame. */
  readonly oerrors: number;
  /** Group and broadcast frames taken in. */
  readonly imcasts: number;
  /** Group and broadcast frames sent. */
  readonly omcasts: number;
  /** Frames that wait to be sent. */
  readonly queued: number;
}

/** A request that does not walk a list. */
const NO_WALK = 0xffffffff;

/** Carries out a request about an interface; throws `SocketError`. */
export function ifIoctl(engine: Engine, cmd: number, request: IfRequest): IfRequest {
  const { IfReq: R } = layout;
  const { calls, scratch: at } = engine;
  const ifindex = request.ifname === undefined
    ? request.ifindex ?? 0
    : ifIndexOf(engine, request.ifname);
  const address = (offset: number, text: string | undefined) =>
    field.setU32(engine, at, offset, addressOf(text));
  field.clear(engine, at, R.size);
  address(R.addr, request.addr);
  address(R.mask, request.mask);
  address(R.broadcast, request.broadcast);
  address(R.dst, request.dst);
  field.setU32(engine, at, R.ifindex, ifindex);
  field.setU32(engine, at, R.flags, request.flags ?? 0);
  field.setU32(engine, at, R.mtu, request.mtu ?? 0);
  field.setU32(engine, at, R.i, request.i ?? 0);
  if (request.hwaddr !== undefined) field.setHwaddr(engine, at, R.hwaddr_hi, request.hwaddr);
  const result = calls.if_ioctl(cmd, at, R.size);
  if (result < 0) throw new SocketError(-result, "ioctl");
  return readIfReq(engine, at);
}

/**
 * Gives an interface an address, or takes it away; `prefix` is such as `10.0.0.1/24`. Throws
 * `SocketError` ENXIO, EINVAL, EEXIST, EADDRNOTAVAIL.
 */
export function changeAddress(
  engine: Engine,
  cmd: Sioc.AIFADDR | Sioc.DIFADDR,
  ifname: string,
  prefix: string,
): void {
  const parsed = parsePrefix(prefix);
  if (parsed === undefined) {
    throw new SocketError(Errno.EINVAL, "ioctl", `"${prefix}" is no address with a prefix`);
  }
  const [addr, mask] = [formatIpv4(parsed.address), formatIpv4(parsed.mask)];
  ifIoctl(engine, cmd, { ifname, addr, mask });
}

/** Reads the struct IfReq at `at`. */
export function readIfReq(engine: Engine, at: number): IfRequest {
  const { IfReq: R } = layout;
  const ifindex = field.getU32(engine, at, R.ifindex);
  const ifnet = engine.calls.if_ptr(ifindex);
  return {
    ifname: ifnet === 0 ? "" : field.getName(engine, ifnet, layout.Ifnet.name0),
    ifindex,
    i: field.getU32(engine, at, R.i),
    flags: field.getU32(engine, at, R.flags),
    mtu: field.getU32(engine, at, R.mtu),
    addr: textOf(field.getU32(engine, at, R.addr)),
    mask: textOf(field.getU32(engine, at, R.mask)),
    broadcast: textOf(field.getU32(engine, at, R.broadcast)),
    dst: textOf(field.getU32(engine, at, R.dst)),
    hwaddr: field.getHwaddr(engine, at, R.hwaddr_hi),
  };
}

/** Carries out a request about a route; throws `SocketError`. */
export function routeIoctl(engine: Engine, cmd: number, request: RouteRequest): RouteRequest {
  const { RtReq: R } = layout;
  const { calls, scratch: at } = engine;
  field.clear(engine, at, R.size);
  field.setU32(engine, at, R.dst, addressOf(request.dst));
  field.setU32(engine, at, R.mask, addressOf(request.mask));
  field.setU32(engine, at, R.gateway, addressOf(request.gateway));
  field.setU32(engine, at, R.flags, request.flags ?? 0);
  field.setU32(engine, at, R.ifindex, request.ifindex ?? 0);
  field.setU32(engine, at, R.metric, request.metric ?? 0);
  field.setU32(engine, at, R.mtu, request.mtu ?? 0);
  field.setU32(engine, at, R.mss, request.mss ?? 0);
  field.setU32(engine, at, R.from, addressOf(request.from));
  field.setU32(engine, at, R.from_mask, addressOf(request.fromMask));
  field.setU32(engine, at, R.src, addressOf(request.src));
  field.setU32(engine, at, R.i, request.i ?? NO_WALK);
  const result = calls.if_ioctl(cmd, at, R.size);
  if (result < 0) throw new SocketError(-result, "ioctl");
  return {
    // The default route is 0.0.0.0 with a mask of 0.0.0.0: these two are never empty.
    dst: formatIpv4(field.getU32(engine, at, R.dst)),
    mask: formatIpv4(field.getU32(engine, at, R.mask)),
    gateway: textOf(field.getU32(engine, at, R.gateway)),
    flags: field.getU32(engine, at, R.flags),
    ifindex: field.getU32(engine, at, R.ifindex),
    mtu: field.getU32(engine, at, R.mtu),
    metric: field.getU32(engine, at, R.metric),
    mss: field.getU32(engine, at, R.mss),
    from: textOf(field.getU32(engine, at, R.from)),
    fromMask: textOf(field.getU32(engine, at, R.from_mask)),
    use: field.getU64(engine, at, R.use),
    src: textOf(field.getU32(engine, at, R.src)),
    i: field.getU32(engine, at, R.i),
  };
}

/** Statistics of interface `ifindex`; throws `SocketError` ENXIO. */
export function ifStatistics(engine: Engine, ifindex: number): IfStatistics {
  const { IfStats: R } = layout;
  const { calls, scratch: at } = engine;
  field.clear(engine, at, R.size);
  field.setU32(engine, at, R.ifindex, ifindex);
  const result = calls.if_ioctl(Sioc.GIFSTATS, at, R.size);
  if (result < 0) throw new SocketError(-result, "ioctl");
  return {
    name: field.getName(engine, at, R.name0),
    index: field.getU32(engine, at, R.ifindex),
    flags: field.getU32(engine, at, R.flags),
    mtu: field.getU32(engine, at, R.mtu),
    medium: field.getU32(engine, at, R.medium),
    ipackets: field.getU64(engine, at, R.ipackets),
    opackets: field.getU64(engine, at, R.opackets),
    ibytes: field.getU64(engine, at, R.ibytes),
    obytes: field.getU64(engine, at, R.obytes),
    idrops: field.getU64(engine, at, R.idrops),
    odrops: field.getU64(engine, at, R.odrops),
    ierrors: field.getU64(engine, at, R.ierrors),
    oerrors: field.getU64(engine, at, R.oerrors),
    imcasts: field.getU64(engine, at, R.imcasts),
    omcasts: field.getU64(engine, at, R.omcasts),
    queued: field.getU32(engine, at, R.queued),
  };
}

/** Indices of all interfaces. */
export function ifIndices(engine: Engine): number[] {
  const { IfReq: R } = layout;
  const { calls, scratch: at } = engine;
  const indices: number[] = [];
  for (;;) {
    field.clear(engine, at, R.size);
    field.setU32(engine, at, R.i, indices.length);
    if (calls.if_ioctl(Sioc.GIFCONF, at, R.size) < 0) return indices;
    indices.push(field.getU32(engine, at, R.ifindex));
  }
}

/** Index of the interface with a name; throws `SocketError` ENXIO. */
export function ifIndexOf(engine: Engine, name: string): number {
  for (const index of ifIndices(engine)) {
    const ifnet = engine.calls.if_ptr(index);
    if (field.getName(engine, ifnet, layout.Ifnet.name0) === name) return index;
  }
  throw new SocketError(Errno.ENXIO, "ioctl", `no interface ${name}`);
}

/** Index of the interface with an index, an address or a name; 0 stays 0. Throws ENXIO. */
export function ifIndexBy(engine: Engine, which: string | number): number {
  if (typeof which === "number") return which;
  const address = parseIpv4(which);
  if (address === undefined) return ifIndexOf(engine, which);
  if (address === 0) return 0;
  const { Ifnet, Ifaddr } = layout;
  for (const index of ifIndices(engine)) {
    let ifa = field.getU32(engine, engine.calls.if_ptr(index), Ifnet.addrs);
    for (; ifa !== 0; ifa = field.getU32(engine, ifa, Ifaddr.next)) {
      if (field.getU32(engine, ifa, Ifaddr.addr) === address) return index;
    }
  }
  throw new SocketError(Errno.ENXIO, "setsockopt", `no interface has the address ${which}`);
}

function addressOf(text: string | undefined): number {
  if (text === undefined || text === "") return 0;
  const address = parseIpv4(text);
  if (address !== undefined) return address;
  throw new SocketError(Errno.EINVAL, "ioctl", `"${text}" is not an IPv4 address`);
}

function textOf(address: number): string {
  return address === 0 ? "" : formatIpv4(address);
}
