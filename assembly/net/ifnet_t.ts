import { Mbuf } from "../sys/mbuf_t";

/** An address of an interface. IPv4 addresses are in host order. */
@unmanaged
@final
export class Ifaddr {
  next: Ifaddr;
  ifp: Ifnet;
  addr: u32;
  mask: u32;
  broadcast: u32; // 0 if the medium has none
  dst: u32; // the peer of a point-to-point interface, else 0
  flags: u32;
  conflicts: u32; // times another station claimed it (RFC 5227)
  conflict_at: i64; // when last
}

/** A group joined on an interface (RFC 1112, 2236). */
@unmanaged
@final
export class Ifmulti {
  next: Ifmulti;
  group: u32;
  refs: u32; // memberships of sockets
  state: u32; // 0 idle member, 1 delaying member
  last_reporter: u32; // 1 if we sent the last report
  report_at: i64; // when the delayed report is due
}

/**
 * An interface: a driver as the protocols see it. Its send queue is a ring of packets ready to
 * leave, link header included, each one contiguous mbuf unless the device gathers.
 */
@unmanaged
@final
export class Ifnet {
  ipackets: u64; // frames taken in
  opackets: u64; // frames handed to the driver and sent
  ibytes: u64;
  obytes: u64;
  idrops: u64; // frames that fates 64.. dropped
  odrops: u64; // packets refused: send queue full
  ierrors: u64; // frames the driver reported bad
  oerrors: u64; // frames the driver could not send
  imcasts: u64;
  omcasts: u64;
  index: u32; // from 1
  flags: u32; // Iff
  medium: u32; // Medium
  mtu: u32; // bytes of an IP packet
  caps: u32; // IfCap
  hdrlen: u32; // bytes of link header: 14 or 0
  hwaddr_hi: u32; // the first four bytes of the hardware address, as they lie in memory
  hwaddr_lo: u32; // the last two
  addrs: Ifaddr;
  multis: Ifmulti;
  sndq: usize; // ring of Mbuf pointers, Limits.IF_SNDQ of them
  snd_head: u32; // next to hand to the driver; counts without wrapping
  snd_tail: u32; // next free place
  snd_lent: u32; // how many from snd_head on are with the driver
  txdesc: usize; // Limits.RING descriptors (address u32, length u32) for frames to send
  rxdesc: usize; // the same for empty frames lent to the driver
  rxmbuf: usize; // the mbufs behind rxdesc
  blocked: usize; // first of the senders waiting for room in the send queue (tcp)
  output: u32; // function: output(ifp: usize, m: usize, nexthop: u32): i32
  name0: u64; // name, up to 15 bytes and a zero
  name1: u64;
  attached: u32;
  pad: u32;
}
