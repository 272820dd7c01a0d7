/**
 * Conditions on the protocol of a packet.
 *
 * @module
 */

import { and, type Cond, not, or } from "./cond.ts";
import { Ethertype, type Link } from "./link.ts";
import { IP_PROTOCOLS, type ProtocolWord } from "./names.ts";

/** Offset of the protocol in an IPv4 header (RFC 791 section 3.1). */
const PROTOCOL_AT = 9;
/** Offset of flags and fragment offset in an IPv4 header, and the bits of the latter. */
const FRAGMENT_AT = 6;
const FRAGMENT_MASK = 0x1fff;
/** Offset of the next header in an IPv6 header (RFC 8200 section 3), and the header's length. */
const NEXT_HEADER_AT = 6;
const IP6_HEADER_BYTES = 40;
/** The fragment header of IPv6 (RFC 8200 section 4.5), which begins with its next header. */
const FRAGMENT_HEADER = 44;

/** Protocols over IP whose words are not in `IP_PROTOCOLS`. */
const IGRP = 9;

/** Whether the packet is of a protocol that has a word; not for `ether`. */
export function isProtocol(link: Link, protocol: Exclude<ProtocolWord, "ether">): Cond {
  switch (protocol) {
    case "ip":
      return link.isType(Ethertype.IP);
    case "ip6":
      return link.isType(Ethertype.IP6);
    case "arp":
      return link.isType(Ethertype.ARP);
    case "rarp":
      return link.isType(Ethertype.RARP);
    case "icmp":
    case "igmp":
    case "vrrp":
      return isIp4Protocol(link, IP_PROTOCOLS[protocol]);
    case "igrp":
      return isIp4Protocol(link, IGRP);
    case "icmp6":
      return isIp6Protocol(link, IP_PROTOCOLS.icmp6);
    default:
      return isIpProtocol(link, IP_PROTOCOLS[protocol]);
  }
}

/** Whether a packet of either IP carries a protocol. */
export function isIpProtocol(link: Link, number: number): Cond {
  return or(isIp4Protocol(link, number), isIp6Protocol(link, number));
}

/** Whether an IPv4 packet carries a protocol. */
export function isIp4Protocol(link: Link, number: number): Cond {
  return and(link.isType(Ethertype.IP), ip4Carries(link, number));
}

/** Whether an IPv6 packet carries a protocol, perhaps behind a fragment header. */
export function isIp6Protocol(link: Link, number: number): Cond {
  const { conds } = link;
  const fragment = and(
    conds.eq(link.payload(NEXT_HEADER_AT, 1), FRAGMENT_HEADER),
    conds.eq(link.payload(IP6_HEADER_BYTES, 1), number),
  );
  return and(link.isType(Ethertype.IP6), or(ip6Carries(link, number), fragment));
}

/** Whether what is known to be an IPv4 packet carries a protocol. */
export function ip4Carries(link: Link, number: number): Cond {
  return link.conds.eq(link.payload(PROTOCOL_AT, 1), number);
}

/** Whether what is known to be an IPv6 packet carries a protocol right behind its header. */
export function ip6Carries(link: Link, number: number): Cond {
  return link.conds.eq(link.payload(NEXT_HEADER_AT, 1), number);
}

/** Whether what is known to be an IPv4 packet has the header of what it carries. */
export function isUnfragmented(link: Link): Cond {
  return not(link.conds.set(link.payload(FRAGMENT_AT, 2), FRAGMENT_MASK));
}
