import { Ifnet } from "../net/ifnet_t";

/**
 * The packet being input, as ip_input found it, for the protocol that takes it. One stands at a
 * fixed place, `PKT`; it is valid only during the call of a row's input. The transport's data is
 * `len` bytes at offset `hlen` of the mbuf, and at least the first min(hlen + 64, hlen + len) bytes
 * of the packet are contiguous. Trailing bytes of the frame are cut off already.
 */
@unmanaged
@final
export class Pkt {
  src_hi: u64; // source, 16 bytes, IPv4 as ::ffff:a.b.c.d; see src
  src_lo: u64;
  dst_hi: u64; // destination; see dst
  dst_lo: u64;
  ifp: Ifnet; // interface it came in by
  src4: u32; // the addresses once more, in host order
  dst4: u32;
  hlen: u32; // bytes of the IP header
  len: u32; // bytes of the transport's data
  ttl: u32;
  tos: u32;
  protocol: u32;
  flags: u32; // PktFlag; 0 for a packet to one host

  /** Address of the 16 bytes of the source. */
  @inline
  get src(): usize {
    return changetype<usize>(this) + offsetof<Pkt>("src_hi");
  }
  /** Address of the 16 bytes of the destination. */
  @inline
  get dst(): usize {
    return changetype<usize>(this) + offsetof<Pkt>("dst_hi");
  }
}

/** Flags of a Pkt. */
export const enum PktFlag {
  BCAST = 1, // addressed to a broadcast address
  MCAST = 2, // addressed to a group
}

/** The packet being input. */
export const PKT: Pkt = changetype<Pkt>(memory.data(offsetof<Pkt>(), 16));

/**
 * What a control message says of the packet it is about, from our side: laddr and lport are ours.
 * Valid during the call of a row's ctlinput.
 */
@unmanaged
@final
export class CtlQuote {
  laddr_hi: u64; // our address, 16 bytes
  laddr_lo: u64;
  faddr_hi: u64; // the other host's
  faddr_lo: u64;
  seq: u32; // for TCP: sequence number of the quoted segment
  mtu: u32; // for Prc.MSGSIZE: largest packet the path takes
  lport: u16; // host order; for protocols without ports the first bytes of their header
  fport: u16;
  protocol: u8; // IpProto
  type: u8; // of the ICMP message; 3 and 1 if this host itself found the neighbour dead
  code: u8;
  pad: u8;

  /** Address of the 16 bytes of our address. */
  @inline
  get laddr(): usize {
    return changetype<usize>(this) + offsetof<CtlQuote>("laddr_hi");
  }
  /** Address of the 16 bytes of the other host's address. */
  @inline
  get faddr(): usize {
    return changetype<usize>(this) + offsetof<CtlQuote>("faddr_hi");
  }
}

/** Hooks of the internet layer. */
@unmanaged
@final
export class InetHooks {
  raw: u32; // rawHook(m: usize): Fate; see HOOKS
  pad: u32;
}

/**
 * `HOOKS.raw` is set while there are raw sockets, and called for every packet to this host; for
 * ICMP and IGMP by their rows, once the message is known to be valid. m.data is the IP header
 * and PKT describes it; the caller keeps m. The function gives each interested socket a copy,
 * counts no fate, and answers one: NONE if no socket wants it, RAW_DELIVERED if one took it,
 * else what became of it at the last that wants it: RAW_BUFFER_FULL or RAW_FILTERED.
 */
export const HOOKS: InetHooks = changetype<InetHooks>(memory.data(offsetof<InetHooks>(), 16));

/** Flags of ip_output.output. An interface index for multicast stands in the upper 16 bits. */
export const enum IpOut {
  DF = 0x1, // do not fragment
  BROADCAST = 0x2, // broadcast is allowed (SO_BROADCAST)
  DONTROUTE = 0x4, // only to hosts on a link of ours (SO_DONTROUTE)
  HDRINCL = 0x8, // m begins with the IP header that the user made
  MCAST_LOOP = 0x10, // members on this host get a copy of a multicast (IP_MULTICAST_LOOP)
  ECT = 0x20, // routers may mark the packet: ECT(0) in its ECN field (RFC 3168 5)
  PROBE = 0x40, // what is known of the path's MTU does not count (IP_PMTUDISC_PROBE)
  IFINDEX_SHIFT = 16,
}
