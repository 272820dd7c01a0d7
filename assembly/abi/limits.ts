/** Fixed limits of the engine. Limits that boot chooses are fields of BootConfig. */
export const enum Limits {
  INTERFACES = 64, // interfaces of one stack
  RING = 64, // frames in one batch to or from a driver
  SLOTS = 16, // most frames in one batch if they can be larger than an mbuf; a power of two
  SLOT_BYTES = 65600, // room of each: a virtio_net_hdr, a link header and an IP packet
  IF_SNDQ = 1024, // frames waiting in an interface's send queue; a power of two
  ARP_HOLD = 1024, // packets held for an address being resolved
  FRAG_PER_DATAGRAM = 64, // fragments of one datagram
  SOMAXCONN = 1024, // largest listen backlog
  SB_MAX = 134217728, // largest socket buffer, bytes
  EVENT_BATCH = 256, // events taken by one call
  STAGING = 65536, // bytes of the area through which user data passes
}
