/**
 * Messages from a routing socket.
 *
 * @module
 */

import { IfaMsg, IfMsg, Rta, Rtf, Rtm, RtMsg, RtmVersion } from "../../assembly/abi/route.ts";
import { Af } from "../../assembly/abi/socket.ts";
import { addressText, bitsOf, invalid } from "./text.ts";

/** An interface, as messages name it. */
export interface LinkAddress {
  /** Its index, from 1. */
  readonly index: number;
  /** Its name; empty if the message does not tell. */
  readonly name: string;
  /** Hardware address, `02:00:00:00:00:01`; empty if it has none. */
  readonly hwaddr: string;
}

/** A message about a route: an answer, or what has happened. */
export interface RouteMessage {
  /** Tells the kinds of messages apart. */
  readonly kind: "route";
  /** What was asked for, or has happened: `Rtm`. */
  readonly type: Rtm;
  /** Index of the interface. */
  readonly index: number;
  /** `Rtf` bits; `Rtf.DONE` if it is done. */
  readonly flags: number;
  /** Of who asked; 0 for what nobody asked for by a message. */
  readonly pid: number;
  /** Number of the request. */
  readonly seq: number;
  /** Why it was refused; 0 if it was not. */
  readonly errno: number;
  /** Network `10.0.0.0/8` or host `10.0.0.1`. */
  readonly destination?: string;
  /** Next hop, or the interface that the network is on. */
  readonly gateway?: string | LinkAddress;
  /** The interface, if that was asked for. */
  readonly interface?: LinkAddress;
  /** Source address of packets along it, if that was asked for. */
  readonly source?: string;
  /** Who sent a redirect. */
  readonly author?: string;
  /** Bytes of the largest packet along it. */
  readonly mtu: number;
  /** Lower is better. */
  readonly metric: number;
  /** Packets sent along it. */
  readonly use: number;
}

/** A message about an interface: it has come, has changed, or (with flags 0) is gone. */
export interface InterfaceMessage {
  /** Tells the kinds of messages apart. */
  readonly kind: "interface";
  /** What has happened. */
  readonly type: Rtm.IFINFO;
  /** Index of the interface. */
  readonly index: number;
  /** `Iff` bits. */
  readonly flags: number;
  /** Name and hardware address. */
  readonly interface?: LinkAddress;
  /** Bytes of the largest IP packet. */
  readonly mtu: number;
  /** Frames taken in; like the others counted to 2^32 and then from 0. */
  readonly ipackets: number;
  /** Frames sent. */
  readonly opackets: number;
  /** Bytes taken in. */
  readonly ibytes: number;
  /** Bytes sent. */
  readonly obytes: number;
}

/** A message about an address that an interface has got or lost. */
export interface AddressMessage {
  /** Tells the kinds of messages apart. */
  readonly kind: "address";
  /** What has happened. */
  readonly type: Rtm.NEWADDR | Rtm.DELADDR;
  /** Index of the interface. */
  readonly index: number;
  /** The interface. */
  readonly interface?: LinkAddress;
  /** The address with its prefix, `10.0.0.1/24`. */
  readonly address: string;
  /** Its broadcast address, or its peer. */
  readonly broadcast?: string;
}

/** What a routing socket hands out. */
export type Message = RouteMessage | InterfaceMessage | AddressMessage;

/** Addresses by their bit. */
type Addresses = ReadonlyMap<Rta, string | LinkAddress | undefined>;

const VERSION = RtMsg.VERSION;
const TYPE = RtMsg.TYPE;
const LENGTH = RtMsg.LENGTH;

/** Reads a message; `SocketError` EINVAL if its bytes make no sense. */
export function decodeMessage(bytes: Uint8Array): Message {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || view.getUint16(LENGTH, true) !== bytes.length) {
    throw invalid(`${bytes.length} bytes are not a message`);
  }
  if (bytes[VERSION] !== RtmVersion.NOW) throw invalid(`version ${bytes[VERSION]} is unknown`);
  const type: Rtm = bytes[TYPE];
  if (type === Rtm.IFINFO) return ofInterface(view);
  if (type === Rtm.NEWADDR || type === Rtm.DELADDR) return ofAddress(view, type);
  return ofRoute(view, type);
}

function ofRoute(view: DataView, type: Rtm): RouteMessage {
  const get = (at: number) => view.getUint32(at, true);
  const addresses = readAddresses(view, RtMsg.SIZE, RtMsg.ADDRS);
  const flags = get(RtMsg.FLAGS);
  return {
    kind: "route",
    type,
    index: view.getUint16(RtMsg.INDEX, true),
    flags,
    pid: get(RtMsg.PID),
    seq: get(RtMsg.SEQ),
    errno: get(RtMsg.ERRNO),
    destination: destinationOf(addresses, flags),
    gateway: addresses.get(Rta.GATEWAY),
    interface: linkOf(addresses),
    source: textOf(addresses, Rta.IFA),
    author: textOf(addresses, Rta.AUTHOR),
    mtu: get(RtMsg.MTU),
    metric: get(RtMsg.HOPCOUNT),
    use: get(RtMsg.USE),
  };
}

function destinationOf(addresses: Addresses, flags: number): string | undefined {
  const net = textOf(addresses, Rta.DST);
  const mask = textOf(addresses, Rta.NETMASK);
  return net === undefined || mask === undefined || flags & Rtf.HOST ? net : prefixOf(net, mask);
}

function prefixOf(net: string, mask: string): string {
  return `${net}/${bitsOf(Uint8Array.from(mask.split("."), Number)) ?? mask}`;
}

function ofInterface(view: DataView): InterfaceMessage {
  const addresses = readAddresses(view, IfMsg.SIZE, IfMsg.ADDRS);
  const get = (at: number) => view.getUint32(at, true);
  return {
    kind: "interface",
    type: Rtm.IFINFO,
    index: view.getUint16(IfMsg.INDEX, true),
    flags: get(IfMsg.FLAGS),
    interface: linkOf(addresses),
    mtu: get(IfMsg.MTU),
    ipackets: get(IfMsg.IPACKETS),
    opackets: get(IfMsg.OPACKETS),
    ibytes: get(IfMsg.IBYTES),
    obytes: get(IfMsg.OBYTES),
  };
}

function ofAddress(view: DataView, type: Rtm.NEWADDR | Rtm.DELADDR): AddressMessage {
  const addresses = readAddresses(view, IfaMsg.SIZE, IfaMsg.ADDRS);
  const address = textOf(addresses, Rta.IFA);
  if (address === undefined) throw invalid("the message names no address");
  return {
    kind: "address",
    type,
    index: view.getUint16(IfaMsg.INDEX, true),
    interface: linkOf(addresses),
    address: prefixOf(address, textOf(addresses, Rta.NETMASK) ?? "255.255.255.255"),
    broadcast: textOf(addresses, Rta.BRD),
  };
}

function textOf(addresses: Addresses, bit: Rta): string | undefined {
  const address = addresses.get(bit);
  return typeof address === "string" ? address : undefined;
}

function linkOf(addresses: Addresses): LinkAddress | undefined {
  const address = addresses.get(Rta.IFP);
  return typeof address === "object" ? address : undefined;
}

/** The addresses behind a header of `size` bytes, of which the word at `bitsAt` tells. */
function readAddresses(view: DataView, size: number, bitsAt: number): Addresses {
  if (view.byteLength < size) throw invalid(`a header of ${view.byteLength} bytes is cut short`);
  const bits = view.getUint32(bitsAt, true);
  const found = new Map<Rta, string | LinkAddress | undefined>();
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  let at = size;
  for (let bit = 1; bit <= Rta.BRD; bit <<= 1) {
    if ((bits & bit) === 0) continue;
    const length = bytes[at];
    if (at + 4 > bytes.length || at + length > bytes.length) {
      throw invalid(`address ${bit} goes beyond the end`);
    }
    found.set(bit, readAddress(bytes.subarray(at, at + length), bit === Rta.NETMASK));
    at += Math.max(4, Math.ceil(length / 4) * 4);
  }
  return found;
}

/** One address; undefined if its family is not read. Masks may end before their zeros. */
function readAddress(bytes: Uint8Array, mask: boolean): string | LinkAddress | undefined {
  if (mask) return addressText(Uint8Array.from({ length: 4 }, (_, i) => bytes[4 + i] ?? 0));
  if (bytes[1] === Af.LINK) return readLink(bytes);
  return bytes[1] === Af.INET && bytes.length >= 8 ? addressText(bytes.subarray(4, 8)) : undefined;
}

function readLink(bytes: Uint8Array): LinkAddress {
  const [names, hardware] = [bytes[5], bytes[6]];
  if (bytes.length < 8 || 8 + names + hardware > bytes.length) {
    throw invalid("an interface's address is cut short");
  }
  const hw = Array.from(bytes.subarray(8 + names, 8 + names + hardware));
  return {
    index: bytes[2] | bytes[3] << 8,
    name: new TextDecoder().decode(bytes.subarray(8, 8 + names)),
    hwaddr: hw.map((byte) => byte.toString(16).padStart(2, "0")).join(":"),
  };
}
