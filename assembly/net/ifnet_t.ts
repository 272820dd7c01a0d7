import { Timer } from "../sys/timer";

/** An address of an interface. IPv4 addresses are in host order. */
@unmanaged
@final
export class Ifaddr {
  timer_0: i64; // timer of conflict detection, laid out as a Timer; see timer
  timer_1: i64;
  timer_2: i64;
  timer_3: i64;
  next: Ifaddr;
  ifp: Ifnet;
  addr: u32;
  mask: u32;
  broadcast: u32; // 0 if the medium has none
  dst: u32; // the peer of a point-to-point interface, else 0
  flags: u32; // IfaFlag
  conflicts: u32; // times another station claimed it (RFC 5227)
  conflict_at: i64; // when it was last defended
  step: u32; // probes and announcements sent so far; see arp_acd.ts
  pad: u32;

  /** The timer of conflict detection. */
  @inline
  get timer(): Timer {
    return changetype<Timer>(changetype<usize>(this) + offsetof<Ifaddr>("timer_0"));
  }
}

/** Flags of an address. */
export const enum IfaFlag {
  DUPLICATE = 1, // another station had it when it was probed (RFC 5227 2.1.1)
}

/** A group joined on an interface (RFC 1112, 2236). */
@unmanaged
@final
export class Ifmulti {
  timer_0: i64; // report timer, laid out as a Timer; pending in a delaying member
  timer_1: i64;
  timer_2: i64;
  timer_3: i64;
  next: Ifmulti;
  ifp: Ifnet;
  group: u32;
  refs: u32; // memberships of sockets
  members: usize; // the first of them; see in_mcast
  source: u32; // what the report that is due is about: one source, or all if 0
  last_reporter: u8; // 1 if we sent the last report (versions 1 and 2)
  exclude: u8; // 1 if the filter mode last told is EXCLUDE
  due: u8; // type of the record that is due: an Igmp3, or 0 for the state as it is
  repeats: u8; // how often the record that is due is sent after the next time
  pad2: u32;

  /** The report timer. */
  @inline
  get timer(): Timer {
    return changetype<Timer>(changetype<usize>(this) + offsetof<Ifmulti>("timer_0"));
  }
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
  slots: usize; // room for frames larger than an mbuf, 0: they never are; see if_slots.ts
  slot_count: u32; // how many there are each way, a power of two
  snd_bytes: u32; // bytes in the send queue
  snd_ready: u32; // how many frames from snd_head on are in their slots
  rxdesc: usize; // the same for empty frames lent to the driver
  rxmbuf: usize; // the mbufs behind rxdesc
  rx_ready: u32; // how many places of rxmbuf are in use; see if_rx.ts
  rx_spent: u32; // of those, how many at the front the driver has filled
  rx_lent: u32; // how many descriptors the driver may fill now
  blocked: usize; // first of the senders waiting for room in the send queue: Blocked
  blocked_tail: usize; // last of them
  output: u32; // function: output(ifp: usize, m: usize, nexthop: u32): i32
  name0: u64; // name, up to 15 bytes and a zero
  name1: u64;
  attached: u32; // number of the attachment, no two are alike; 0 while the index is free
  igmp_version: u32; // that was last spoken here, 0 before the first query (RFC 3376 7.2.1)
  igmp_v1_until: i64; // when routers of IGMP version 1 are gone
  igmp_v2_until: i64; // and those of version 2
  igmp_older_us: i64; // how long they count as present, 0 for the default
  rp_filter: u8; // settings of this interface (net.ipv4.conf.NAME): what NetSettings says for all
  proxy_arp: u8;
  send_redirects: u8;
  accept_redirects: u8;
  igmp_robustness: u32; // Robustness Variable of the querier (RFC 3376 8.1), 0 until told
}

/**
 * A sender that waits for room in an interface's send queue. `fn(arg)` is called once, when there
 * is some. It stands inside the sender, which fills in fn and arg.
 */
@unmanaged
@final
export class Blocked {
  next: Blocked;
  prev: Blocked;
  fn: u32; // function: fn(arg: usize): void
  arg: usize;
  ifindex: u32; // interface it waits for, 0 while it waits for none
}
