/** Types of mbuf (4.4BSD mbuf.h); they serve accounting. */
export const enum Mt {
  FREE = 0,
  DATA = 1,
  HEADER = 2,
  SOCKET = 3,
  PCB = 4,
  RTABLE = 5,
  SONAME = 8,
  SOOPTS = 10,
  FTABLE = 11,
  RIGHTS = 12,
  IFADDR = 13,
  CONTROL = 14,
  OOBDATA = 15,
}

/** Flags of an mbuf. */
export const enum Mf {
  EXT = 0x1, // holds a cluster
  PKTHDR = 0x2, // first mbuf of a packet
  EOR = 0x4, // last mbuf of a record
  BCAST = 0x100, // came in as, or goes out to, a link-level broadcast
  MCAST = 0x200, // the same for multicast
  LOOP = 0x400, // crossed the loopback interface
  CSUM_IP_OK = 0x1000, // the device verified the IP header
  CSUM_PARTIAL = 0x4000, // the transport checksum field holds the sum of the pseudo-header alone
  CSUM_L4_OK = 0x2000, // the device, or this memory, vouches for the transport checksum
  MERGED = 0x8000, // TCP segments put together: each mbuf is one, its own headers before its data
}

/** Sizes in bytes. */
export const enum MbufSize {
  HEADER = 64, // struct Mbuf
  MLEN = 192, // data bytes of a small mbuf
  MCLBYTES = 2048, // data bytes of a cluster mbuf
  MSIZE = 256, // a small mbuf with its header
  MCLSIZE = 2112, // a cluster mbuf with its header
  MAX_LINKHDR = 16, // room kept for a link header
  MAX_HDR = 144, // room kept for link, network and transport headers with options
}
