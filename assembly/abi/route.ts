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

/** Types of routing messages (AIX and 4.4BSD). */
export const enum Rtm {
  ADD = 1,
  DELETE = 2,
  CHANGE = 3,
  GET = 4,
  REDIRECT = 6,
  MISS = 7,
  NEWADDR = 12,
  DELADDR = 13,
  IFINFO = 14,
}
