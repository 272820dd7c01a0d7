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
}

/** Where the fields of a message about a route are (rt_msghdr, rt_metrics), in bytes. */
export const enum RtMsg {
  LENGTH = 0, // of the whole message, u16
  VERSION = 2, // u8
  TYPE = 3, // Rtm, u8
  INDEX = 4, // interface, u16
  FLAGS = 8, // Rtf, and from here on 32 bits each
  ADDRS = 12, // Rta
  PID = 16,
  SEQ = 20,
  ERRNO = 24,
  USE = 28,
  INITS = 32, // Rtv: which metrics are given
  LOCKS = 36,
  MTU = 40,
  HOPCOUNT = 44,
  EXPIRE = 48,
  RECVPIPE = 52,
  SENDPIPE = 56,
  SSTHRESH = 60,
  RTT = 64,
  RTTVAR = 68,
  PKSENT = 72,
  SIZE = 76, // of the header: the addresses begin here
}

/** The same of a message about an interface (if_msghdr, if_data). */
export const enum IfMsg {
  ADDRS = 4, // Rta, and from here on 32 bits each but for what is told
  FLAGS = 8, // Iff
  INDEX = 12, // u16
  IFTYPE = 16, // Ift, u8
  ADDRLEN = 17, // u8
  HDRLEN = 18, // u8
  MTU = 20,
  METRIC = 24,
  BAUDRATE = 28,
  IPACKETS = 32,
  IERRORS = 36,
  OPACKETS = 40,
  OERRORS = 44,
  COLLISIONS = 48,
  IBYTES = 52,
  OBYTES = 56,
  IMCASTS = 60,
  OMCASTS = 64,
  IQDROPS = 68,
  NOPROTO = 72,
  LASTCHANGE = 76, // 8 bytes
  SIZE = 84,
}

/** The same of a message about an address of an interface (ifa_msghdr). */
export const enum IfaMsg {
  ADDRS = 4,
  FLAGS = 8,
  INDEX = 12, // u16
  METRIC = 16,
  SIZE = 20,
}

/** Kinds of interfaces in messages (IANA ifType). */
export const enum Ift {
  OTHER = 1,
  ETHER = 6,
  PPP = 23,
  LOOP = 24,
}

/** Version of the messages (4.4BSD's RTM_VERSION). */
export const enum RtmVersion {
  NOW = 3,
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
