/**
 * Conditions on addresses, ports and protocols that are given by number or name.
 *
 * @module
 */

import type { Id, Qualifier } from "./ast.ts";
import { and, type Cond, or } from "./cond.ts";
import {
  type Address4,
  address4,
  genDirection,
  type IdContext,
  prefixMask,
} from "./gen_context.ts";
import { genPort, genPortRange } from "./gen_port.ts";
import { isIp4Protocol, isIp6Protocol, isIpProtocol } from "./gen_proto.ts";
import { ip6Bytes } from "./lexer.ts";
import { Ethertype } from "./link.ts";
import { ETHERTYPES, IP_PROTOCOLS } from "./names.ts";

const HARDWARE_BYTES = 6;
const IP6_BITS = 128;

/** Offsets of the source and the destination address behind a network header's begin. */
const IP4_AT = { src: 12, dst: 16 };
const IP6_AT = { src: 8, dst: 24 };
/** Of the protocol addresses in ARP and RARP (RFC 826, for Ethernet and IPv4). */
const ARP_AT = { src: 14, dst: 24 };

/** The condition that an address, number or name means behind its words. */
export function genId(context: IdContext, qualifier: Qualifier, id: Id): Cond {
  switch (qualifier.type) {
    case "port":
      return genPort(context, qualifier, id);
    case "portrange":
      return genPortRange(context, qualifier, id);
    case "proto":
      return genProto(context, qualifier, id);
    default:
      return genAddress(context, qualifier, id);
  }
}

function genProto(context: IdContext, { protocol }: Qualifier, id: Id): Cond {
  const { link, fail } = context;
  const number = protocolNumber(context, protocol === "ether", id);
  switch (protocol) {
    case undefined:
      return isIpProtocol(link, number);
    case "ip":
      return isIp4Protocol(link, number);
    case "ip6":
      return isIp6Protocol(link, number);
    case "ether":
      return link.isType(number);
    default:
      throw fail(id, `${protocol} carries no protocols that have numbers`);
  }
}

function protocolNumber({ fail }: IdContext, ether: boolean, id: Id): number {
  if (id.kind === "number") return id.value;
  if (id.kind !== "name") throw fail(id, "expected the number or the name of a protocol");
  const table = ether ? ETHERTYPES : IP_PROTOCOLS;
  if (!Object.hasOwn(table, id.text)) throw fail(id, `no protocol of this name is known`);
  return table[id.text];
}

function genAddress(context: IdContext, qualifier: Qualifier, id: Id): Cond {
  const { fail } = context;
  switch (id.kind) {
    case "name":
      return genName(context, qualifier, id);
    case "mac":
      return genHardware(context, qualifier, id);
    case "ip6":
      return genIp6(context, qualifier, id, id.bytes, id.prefix);
    case "ip4":
      return genIp4(context, qualifier, id, masked4(context, qualifier, id));
    default: {
      // a network given by one number is as long as the number
      let bytes = [24, 16, 8, 0].map((shift) => id.value >>> shift & 255);
      if (qualifier.type === "net") {
        const first = bytes.findIndex((byte) => byte !== 0);
        bytes = first < 0 ? bytes : bytes.slice(first);
      }
      if (qualifier.protocol === "ether") throw fail(id, "expected a hardware address");
      return genIp4(context, qualifier, id, address4(bytes));
    }
  }
}

/** An IPv4 address with what stands behind it. */
function masked4({ fail }: IdContext, { type }: Qualifier, id: Id): Address4 {
  const own = address4(id.bytes);
  if (id.prefix === undefined && !id.mask) return own;
  if (id.prefix !== undefined && id.prefix > 32) throw fail(id, "a prefix has 32 bits at most");
  const mask = id.mask ? address4(id.mask).address : prefixMask(id.prefix!);
  if ((own.address & ~mask) !== 0) throw fail(id, "bits are set that are not of the network");
  if (type !== "net") throw fail(id, "only a net has a mask");
  return { address: own.address, mask };
}

function genName(context: IdContext, qualifier: Qualifier, id: Id): Cond {
  const { hosts, fail } = context;
  if (qualifier.type === "net") throw fail(id, "networks are given by their numbers");
  if (qualifier.protocol === "ether") throw fail(id, "expected a hardware address");
  const known = Object.hasOwn(hosts, id.text) ? hosts[id.text] : [];
  const addresses = typeof known === "string" ? [known] : known;
  if (addresses.length === 0) throw fail(id, "no host of this name is known");
  const conds = addresses.map((address) => {
    const bytes6 = ip6Bytes(address);
    if (bytes6) return genIp6(context, qualifier, id, bytes6, undefined);
    const bytes = address.split(".").map(Number);
    const whole = bytes.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255);
    if (bytes.length !== 4 || !whole) throw fail(id, `its address ${address} is none`);
    return genIp4(context, qualifier, id, address4(bytes));
  });
  return or(...conds);
}

function genIp4({ link, fail }: IdContext, qualifier: Qualifier, id: Id, host: Address4): Cond {
  const { protocol, direction } = qualifier;
  const within = (type: number, offsets: { src: number; dst: number }) =>
    genDirection(direction, (which) => {
      const word = link.payload(offsets[which], 4);
      return and(link.isType(type), link.conds.masked(word, host.mask, host.address));
    });
  switch (protocol) {
    case undefined:
      return or(
        within(Ethertype.IP, IP4_AT),
        within(Ethertype.ARP, ARP_AT),
        within(Ethertype.RARP, ARP_AT),
      );
    case "ip":
      return within(Ethertype.IP, IP4_AT);
    case "arp":
      return within(Ethertype.ARP, ARP_AT);
    case "rarp":
      return within(Ethertype.RARP, ARP_AT);
    case "ether":
      throw fail(id, "expected a hardware address");
    default:
      throw fail(id, `${protocol} has no IPv4 addresses`);
  }
}

function genIp6(
  { link, fail }: IdContext,
  { protocol, direction, type }: Qualifier,
  id: Id,
  bytes: readonly number[],
  prefix: number | undefined,
): Cond {
  if (protocol !== undefined && protocol !== "ip6") {
    throw fail(
      id,
      protocol === "ether" ? "expected a hardware address" : `${protocol} has no IPv6 addresses`,
    );
  }
  const bits = prefix ?? IP6_BITS;
  if (bits > IP6_BITS) throw fail(id, "a prefix has 128 bits at most");
  if (bits < IP6_BITS && type !== "net") throw fail(id, "only a net has a prefix");
  const words = [0, 4, 8, 12].map((at) => ({
    at,
    address: address4(bytes.slice(at, at + 4)).address,
    mask: prefixMask(Math.max(0, Math.min(32, bits - 8 * at))),
  }));
  if (words.some(({ address, mask }) => (address & ~mask) !== 0)) {
    throw fail(id, "bits are set that are not of the network");
  }
  return genDirection(direction, (which) =>
    and(
      link.isType(Ethertype.IP6),
      ...words.map(({ at, address, mask }) =>
        link.conds.masked(link.payload(IP6_AT[which] + at, 4), mask, address)
      ),
    ));
}

function genHardware({ link, fail }: IdContext, qualifier: Qualifier, id: Id): Cond {
  const { protocol, type, direction } = qualifier;
  if (protocol !== "ether") throw fail(id, "a hardware address needs ether before it");
  if (type === "net") throw fail(id, "a hardware address is no network");
  if (!link.ethernet) throw fail(id, "this link has no hardware addresses");
  const high = id.bytes[0] * 256 + id.bytes[1];
  const low = address4(id.bytes.slice(2)).address;
  // the last bytes first: they differ more often
  return genDirection(direction, (which) => {
    const at = which === "dst" ? 0 : HARDWARE_BYTES;
    return and(
      link.conds.eq(link.header(at + 2, 4), low),
      link.conds.eq(link.header(at, 2), high),
    );
  });
}
