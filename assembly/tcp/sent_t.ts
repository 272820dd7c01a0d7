/**
 * One segment in flight: the sequence numbers start <= x < end as they were sent, FIN included, and
 * what is known of them (RFC 8985 5.1).
 */
@unmanaged
@final
export class Sent {
  at: i64; // when it was last sent, microseconds (Segment.xmit_ts)
  next: Sent; // by sequence number
  prev: Sent;
  later: Sent; // by the time of sending
  earlier: Sent;
  start: u32;
  end: u32;
  flags: u32; // Sf
  sends: u32; // how often it was sent
}

/** Flags of a segment in flight. */
export const enum Sf {
  SACKED = 1, // the peer has reported it (RFC 2018)
  LOST = 2, // taken as lost
  RESENT = 4, // sent again, and not yet taken as lost once more
  EVER = 8, // was sent more than once (Karn)
}
