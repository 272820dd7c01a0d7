/** Route flags (4.4BSD route.h). */
export const enum Rtf {
  UP = 0x1,
  GATEWAY = 0x2,
  HOST = 0x4,
  REJECT = 0x8,
  DYNAMIC = 0x10,
  MODIFIED = 0x20,
  DONE = 0x40,
  LLINFO = 0x400,
  STATIC = 0x800,
  BLACKHOLE = 0x1000,
  LOCAL = 0x200000, // one of this host's own addresses
  BROADCAST = 0x400000, // a broadcast address of an interface
}

/** Types of routing messages (4.4BSD route.h, and from EXPIRE on AIX). */
export const enum Rtm {
  ADD = 1,
  DELETE = 2,
  CHANGE = 3,
  GET = 4,
  LOSING = 5,
  REDIRECT = 6,
  MISS = 7,
  LOCK = 8,
  NEWADDR = 12,
  DELADDR = 13,
  IFINFO = 14,
  GETNEXT = 17,
}

/** Which socket addresses follow the header of a routing message, in this order. */
export const enum Rta {
  DST = 0x1,
  GATEWAY = 0x2,
  NETMASK = 0x4,
  GENMASK = 0x8,
  IFP = 0x10,
  IFA = 0x20,
  AUTHOR = 0x40,
  BRD = 0x80,
}

/** Metrics of a route: bits of rtm_inits, and of RtMetrics.locks. */
export const enum Rtv {
  MTU = 0x1,
  HOPCOUNT = 0x2,
  EXPIRE = 0x4,
  RPIPE = 0x8,
  SPIPE = 0x10,
  SSTHRESH = 0x20,
  RTT = 0x40,
  RTTVAR = 0x80,
}
