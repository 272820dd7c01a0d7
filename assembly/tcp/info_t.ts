/** What getsockopt TCP_INFO answers. Times in microseconds; sizes in bytes, unless named. */
@unmanaged
@final
export class TcpInfo {
  snd_una_rel: u32; // bytes acknowledged since the connection began, modulo 2^32
  snd_nxt_rel: u32; // bytes sent, the same way
  rcv_nxt_rel: u32; // bytes received in order, the same way
  state: u32; // TcpState
  options: u32; // 1 timestamps, 2 SACK, 4 window scale, 8 ECN, 16 ECN seen
  snd_wscale: u32;
  rcv_wscale: u32;
  rto_us: u32;
  srtt_us: u32;
  rttvar_us: u32;
  rtt_min_us: u32;
  snd_mss: u32;
  rcv_mss: u32;
  snd_wnd: u32;
  rcv_wnd: u32;
  snd_cwnd: u32;
  snd_ssthresh: u32;
  ca_state: u32; // 0 open, 1 disorder, 3 recovery, 4 loss
  rexmt_segments: u32; // segments sent again
  rexmt_timeouts: u32; // timeouts since the connection began
  backoff: u32; // doublings of the RTO now
  out_of_order: u32; // segments that came out of order
  dupacks: u32; // duplicate ACKs received
  unacked_bytes: u32;
  sacked_bytes: u32;
  lost_bytes: u32;
}
