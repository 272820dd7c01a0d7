/** Bits of the setting T.fastopen. */
export const enum Fo {
  CLIENT = 0x1, // SYNs may carry data
  SERVER = 0x2, // listeners may take the data of a SYN
  CLIENT_NO_COOKIE = 0x4, // SYNs carry data without a cookie
  SERVER_NO_COOKIE = 0x200, // listeners take data without a cookie
  ALL_LISTENERS = 0x400, // listeners need not ask for it
}

/** Bits of Tcb.tfo: where a connection's Fast Open stands. */
export const enum Tfo {
  DEFERRED = 0x1, // connect has chosen the peer; the SYN leaves with the first data
  OPTION = 0x2, // the next SYN or SYN-ACK carries the option
  ASKED = 0x4, // our SYN carried the option
  EXP = 0x8, // in the form of its experiment
  DATA = 0x10, // our SYN carried data
  PENDING = 0x20, // we took data from a SYN, and our SYN-ACK is not acknowledged yet
  CHECK = 0x40, // Fast Open rested and is tried again: if it works, the rest is forgotten
}

/** Bits of Tcb.tfo_option. */
export const enum Tfop {
  CONNECT = 0x1, // TCP_FASTOPEN_CONNECT
  NO_COOKIE = 0x2, // TCP_FASTOPEN_NO_COOKIE
}

/** Spans of time in which a listener counts the Fast Opens that were reset. */
export const RESET_SLOTS: u32 = 16;

/** What a listener has for Fast Open; also held by the connections that it counts. */
@unmanaged
@final
export class FoQueue {
  key_0: u64; // its own keys, two of 16 bytes
  key_1: u64;
  key_2: u64;
  key_3: u64;
  resets_0: u64; // resets in each of the last spans, 16 bits each, as a ring
  resets_1: u64;
  resets_2: u64;
  resets_3: u64;
  keys: u32; // how many of its own; 0: those of the stack
  limit: u32; // connections that may be pending, TCP_FASTOPEN; 0: no Fast Open
  pending: u32; // those whose SYN-ACK is not acknowledged
  resets: u32; // all in the ring
  slot: u32; // the newest span in the ring, counted from time 0
  refs: u32; // the listener and its pending connections
}
