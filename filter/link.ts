/**
 * Where the headers of a packet are, by link type.
 *
 * @module
 */

import { type Cond, type Conds, FALSE, not, or } from "./cond.ts";
import { Op, type Value } from "./value.ts";

/** Link types that filters can be compiled for, by their numbers in capture files. */
export const FilterLinktype = {
  /** BSD loopback: a 4-byte address family in the byte order of the capturing machine. */
  NULL: 0,
  /** Ethernet. */
  ETHERNET: 1,
  /** IPv4 or IPv6 packets without a link header, as some systems number it. */
  RAW_BSD: 12,
  /** IPv4 or IPv6 packets without a link header. */
  RAW: 101,
} as const;

/** Ethertypes that conditions ask for. */
export const Ethertype = { IP: 0x0800, ARP: 0x0806, RARP: 0x8035, IP6: 0x86dd } as const;

/** Tag protocol identifiers: IEEE 802.1Q, IEEE 802.1ad, and one from before the latter. */
const VLAN_TPIDS = [0x8100, 0x88a8, 0x9100] as const;
const VLAN_ID_MAX = 4095;
/** Largest value of the type field that is a length (IEEE 802.3). */
const LENGTH_MAX = 1500;
const ETHERNET_BYTES = 14;
const TYPE_AT = 12;
const TAG_BYTES = 4;
const FAMILY_BYTES = 4;
const AF_INET = 2;
/** AF_INET6 of NetBSD and OpenBSD, of FreeBSD, and of macOS. */
const AF_INET6 = [24, 28, 30] as const;

/** Finds headers. VLAN tags move them, for all that is asked afterwards. */
export class Link {
  readonly conds: Conds;
  /** True if frames have Ethernet addresses. */
  readonly ethernet: boolean;
  readonly #linktype: number;
  readonly #littleEndian: boolean;
  #tags = 0;

  /** `RangeError` for a link type that is not in `FilterLinktype`. */
  constructor(conds: Conds, linktype: number, littleEndian: boolean) {
    if (!(Object.values(FilterLinktype) as number[]).includes(linktype)) {
      throw new RangeError(`filters cannot be compiled for link type ${linktype}`);
    }
    this.conds = conds;
    this.#linktype = linktype;
    this.#littleEndian = littleEndian;
    this.ethernet = linktype === FilterLinktype.ETHERNET;
  }

  /** Offset of the network header. */
  get payloadAt(): number {
    if (this.ethernet) return ETHERNET_BYTES + TAG_BYTES * this.#tags;
    return this.#linktype === FilterLinktype.NULL ? FAMILY_BYTES : 0;
  }

  /** Bytes of the link header. */
  header(at: number, bytes: 1 | 2 | 4): Value {
    return this.conds.values.load(bytes, at);
  }

  /** Bytes of the network header. */
  payload(at: number, bytes: 1 | 2 | 4): Value {
    return this.conds.values.load(bytes, this.payloadAt + at);
  }

  /** Bytes behind an IPv4 header, at a constant place. */
  transport(at: number, bytes: 1 | 2 | 4): Value {
    const { values } = this.conds;
    return values.load(bytes, this.payloadAt + at, values.header(this.payloadAt));
  }

  /** Bytes behind an IPv4 header, at any place. */
  transportAt(index: Value, bytes: 1 | 2 | 4): Value {
    if (index.kind === "constant" && index.k < 0x10000) return this.transport(index.k, bytes);
    const { values } = this.conds;
    const x = values.operation(Op.ADD, index, values.header(this.payloadAt));
    return values.load(bytes, this.payloadAt, x);
  }

  /** Whether the packet is of a protocol, given by its ethertype or its LLC address. */
  isType(type: number): Cond {
    const { conds } = this;
    if (this.#linktype === FilterLinktype.NULL) return this.#isFamily(type);
    if (!this.ethernet) {
      // the version of the IP header
      if (type === Ethertype.IP) return conds.masked(this.payload(0, 1), 0xf0, 0x40);
      return type === Ethertype.IP6 ? conds.masked(this.payload(0, 1), 0xf0, 0x60) : FALSE;
    }
    const field = this.header(TYPE_AT + TAG_BYTES * this.#tags, 2);
    if (type > LENGTH_MAX) return conds.eq(field, type);
    const service = conds.eq(this.payload(0, 1), type);
    return { kind: "and", parts: [not(conds.gt(field, LENGTH_MAX)), service] };
  }

  #isFamily(type: number): Cond {
    if (type === Ethertype.IP) return this.#family(AF_INET);
    return type === Ethertype.IP6 ? or(...AF_INET6.map((family) => this.#family(family))) : FALSE;
  }

  #family(family: number): Cond {
    const word = this.#littleEndian ? family << 24 >>> 0 : family;
    return this.conds.eq(this.header(0, 4), word);
  }

  /** Whether the frame has a tag, of this number if one is given; looks behind it from now on. */
  vlan(id: number | undefined): Cond {
    const tagged = or(...VLAN_TPIDS.map((tpid) => this.isType(tpid)));
    const parts = [tagged];
    if (id !== undefined) parts.push(this.conds.masked(this.payload(0, 2), VLAN_ID_MAX, id));
    this.#tags++;
    return { kind: "and", parts };
  }
}
