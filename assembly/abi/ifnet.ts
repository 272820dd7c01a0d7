/** Interface flags (AIX numbers). */
export const enum Iff {
  UP = 0x1,
  BROADCAST = 0x2,
  DEBUG = 0x4,
  LOOPBACK = 0x8,
  POINTOPOINT = 0x10,
  NOTRAILERS = 0x20,
  RUNNING = 0x40,
  NOARP = 0x80,
  PROMISC = 0x100,
  ALLMULTI = 0x200,
  OACTIVE = 0x400,
  SIMPLEX = 0x800,
  MULTICAST = 0x80000,
}

/** What an interface carries. */
export const enum Medium {
  ETHERNET = 1,
  IP = 2, // bare IP packets (TUN, tunnels, loopback)
}

/** Capabilities of a device, as bits of IfConfig.caps. */
export const enum IfCap {
  RXCSUM = 1, // every frame handed in has verified checksums
  TXCSUM = 2, // the device fills in transport checksums
  VNET_HDR = 4, // frames in both directions begin with a virtio_net_hdr, and may be super-frames
}

/** Requests of ioctl(2). Numbers are this stack's own; arguments are IfReq or RtReq records. */
export const enum Sioc {
  FIONREAD = 1, // bytes ready to read
  FIONBIO = 2, // set or clear non-blocking
  ATMARK = 3, // at the urgent mark?
  OUTQ = 4, // bytes queued and not acknowledged
  OUTQNSD = 5, // bytes queued and not sent
  GIFCONF = 10, // list interface indices
  GIFFLAGS = 11,
  SIFFLAGS = 12,
  GIFADDR = 13,
  AIFADDR = 14, // add an address
  DIFADDR = 15, // delete an address
  GIFMTU = 16,
  SIFMTU = 17,
  GIFHWADDR = 18,
  GIFSTATS = 19,
  ADDRT = 20, // add a route
  DELRT = 21, // delete a route
  GETRT = 22, // look a route up
  CHGRT = 23, // change a route
  SARP = 30, // set a static neighbour
  GARP = 31,
  DARP = 32,
}

/** Ethertypes (IANA ieee-802-numbers). */
export const enum EtherType {
  IP = 0x0800,
  ARP = 0x0806,
  VLAN = 0x8100,
  IPV6 = 0x86dd,
}
