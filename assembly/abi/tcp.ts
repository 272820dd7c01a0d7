/** States of a connection (RFC 9293 3.3.2); the order is BSD's and is used in comparisons. */
export const enum TcpState {
  CLOSED = 0,
  LISTEN = 1,
  SYN_SENT = 2,
  SYN_RECEIVED = 3,
  ESTABLISHED = 4,
  CLOSE_WAIT = 5,
  FIN_WAIT_1 = 6,
  CLOSING = 7,
  LAST_ACK = 8,
  FIN_WAIT_2 = 9,
  TIME_WAIT = 10,
}

/** Control bits of a segment (RFC 9293 3.1). */
export const enum Th {
  FIN = 0x01,
  SYN = 0x02,
  RST = 0x04,
  PUSH = 0x08,
  ACK = 0x10,
  URG = 0x20,
  ECE = 0x40,
  CWR = 0x80,
}

/** Congestion control algorithms; TCP_CONGESTION takes these. */
export const enum Cc {
  NEWRENO = 0,
  CUBIC = 1,
  COUNT = 2,
}
