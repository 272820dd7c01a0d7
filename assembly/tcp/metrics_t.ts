/** What is remembered of one destination; see metrics.ts. Zero means not known. */
@unmanaged
@final
export class Metric {
  laddr_hi: u64; // our address, 16 bytes
  laddr_lo: u64;
  faddr_hi: u64; // the peer's
  faddr_lo: u64;
  saved_at: i64; // when a connection last left something, microseconds
  cookie_0: u64; // Fast Open cookie, 16 bytes (RFC 7413 4.1.3)
  cookie_1: u64;
  failed_at: i64; // when Fast Open last failed
  next: Metric; // chain of the table
  newer: Metric; // list in order of use
  older: Metric;
  srtt_us: u32;
  rttvar_us: u32;
  ssthresh: u32; // bytes
  cwnd: u32; // bytes
  reordering: u32; // segments by which one was overtaken
  mss: u16; // MSS of the peer, for the data of a SYN
  cookie_len: u8; // bytes of the cookie
  cookie_exp: u8; // 1: it came in the experimental form
  try_exp: u8; // 1: the peer did not answer RFC 7413's option, 2: nor the experimental one
  failures: u8; // Fast Opens in a row that failed

  /** Address of the 16 bytes of our address. */
  @inline
  get laddr(): usize {
    return changetype<usize>(this) + offsetof<Metric>("laddr_hi");
  }
  /** Address of the cookie. */
  @inline
  get cookie(): usize {
    return changetype<usize>(this) + offsetof<Metric>("cookie_0");
  }
  /** Address of the 16 bytes of the peer's address. */
  @inline
  get faddr(): usize {
    return changetype<usize>(this) + offsetof<Metric>("faddr_hi");
  }
}
