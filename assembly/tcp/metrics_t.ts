/** What is remembered of one destination; see metrics.ts. Zero means not known. */
@unmanaged
@final
export class Metric {
  laddr_hi: u64; // our address, 16 bytes
  laddr_lo: u64;
  faddr_hi: u64; // the peer's
  faddr_lo: u64;
  saved_at: i64; // when a connection last left something, microseconds
  next: Metric; // chain of the table
  newer: Metric; // list in order of use
  older: Metric;
  srtt_us: u32;
  rttvar_us: u32;
  ssthresh: u32; // bytes
  cwnd: u32; // bytes
  reordering: u32; // segments by which one was overtaken

  /** Address of the 16 bytes of our address. */
  @inline
  get laddr(): usize {
    return changetype<usize>(this) + offsetof<Metric>("laddr_hi");
  }
  /** Address of the 16 bytes of the peer's address. */
  @inline
  get faddr(): usize {
    return changetype<usize>(this) + offsetof<Metric>("faddr_hi");
  }
}
