/** What if_attach is told about a new interface. */
@unmanaged
@final
export class IfConfig {
  name0: u64; // name, up to 15 bytes and a zero
  name1: u64;
  medium: u32; // Medium
  mtu: u32; // bytes of an IP packet, 68 to 65535
  caps: u32; // IfCap
  flags: u32; // Iff: BROADCAST, POINTOPOINT, LOOPBACK, NOARP, MULTICAST
  hwaddr_hi: u32; // first four bytes of the hardware address, as they lie in memory
  hwaddr_lo: u32; // last two
  ifindex: u32; // the interface that gets another device; 0 makes a new one
  pad: u32;
}

/** Argument of interface ioctls (Sioc 10 to 19, 30 to 32); each uses the fields it needs. */
@unmanaged
@final
export class IfReq {
  hwaddr_hi: u32;
  hwaddr_lo: u32;
  ifindex: u32;
  flags: u32; // Iff
  mtu: u32;
  addr: u32; // host order
  mask: u32;
  broadcast: u32;
  dst: u32;
  i: u32; // which one, for walking lists
}

/** Argument of routing ioctls (Sioc.ADDRT to CHGRT). IPv4 addresses in host order. */
@unmanaged
@final
export class RtReq {
  use: u64; // packets sent along it, out of the kernel
  dst: u32;
  mask: u32;
  gateway: u32;
  flags: u32; // Rtf
  ifindex: u32; // out of the kernel too; 0 on ADDRT: found from the gateway
  mtu: u32;
  metric: u32;
  mss: u32; // largest TCP segment to ask for, 0: what the MTU says
  from: u32; // only for packets from this network
  from_mask: u32; // 0: from anywhere
  src: u32; // source address it would give, out of the kernel; into GETRT: the packet's, or 0
  i: u32; // for walking the table: the i-th entry when not 0xffffffff
}

/** Argument of Sioc.GIFSTATS: what an interface is and has counted. */
@unmanaged
@final
export class IfStats {
  name0: u64; // name, up to 15 bytes and a zero
  name1: u64;
  ipackets: u64; // frames taken in
  opackets: u64; // frames sent
  ibytes: u64;
  obytes: u64;
  idrops: u64; // frames dropped on input
  odrops: u64; // packets refused because the send queue, or the queue of a neighbour, was full
  ierrors: u64; // frames that the driver reported with an impossible length
  oerrors: u64; // packets that could not be made into a frame
  imcasts: u64; // group and broadcast frames taken in
  omcasts: u64; // group and broadcast frames queued
  ifindex: u32; // in
  flags: u32; // Iff
  mtu: u32;
  medium: u32; // Medium
  queued: u32; // frames in the send queue
  pad: u32;
}
