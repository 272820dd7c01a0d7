/**
 * What getsockopt TCP_INFO answers. Times in the unit of their name; sizes in bytes; what is said
 * to count segments counts those, as the TCP_INFO of Linux does. Counters wrap at 2^32.
 *
 * This is also how a user who wants to know learns of soft errors (MUST-47, SHLD-20):
 * `soft_error` says what ICMP reported (SHLD-25), `retransmits` how many timeouts there were
 * without progress (SHLD-9). Urgent data is an event of the socket.
 */
@unmanaged
@final
export class TcpInfo {
  snd_una_rel: u32; // bytes acknowledged since the connection began, modulo 2^32
  snd_nxt_rel: u32; // bytes sent, the same way
  rcv_nxt_rel: u32; // bytes received in order, the same way
  state: u32; // TcpState
  options: u32; // 1 timestamps, 2 SACK, 4 window scale, 8 ECN, 16 ECN seen, 32 SYN data taken
  snd_wscale: u32;
  rcv_wscale: u32;
  rto_us: u32;
  srtt_us: u32;
  rttvar_us: u32;
  rtt_min_us: u32; // the least of the last minutes
  snd_mss: u32;
  rcv_mss: u32; // largest segment the peer sends, as far as was seen
  advmss: u32; // MSS we advertised
  pmtu: u32; // path MTU in use
  snd_wnd: u32;
  rcv_wnd: u32;
  snd_cwnd: u32;
  snd_ssthresh: u32; // 0x7fffffff: none yet
  ca_state: u32; // Ca: 0 open, 1 disorder, 2 CWR, 3 recovery, 4 loss
  rexmt_segments: u32; // segments sent again
  rexmt_timeouts: u32; // timeouts since the connection began
  retransmits: u32; // timeouts in a row without progress
  probes: u32; // window or keepalive probes without an answer
  backoff: u32; // doublings of the RTO now
  out_of_order: u32; // segments that came out of order
  dupacks: u32; // duplicate ACKs received
  dsack_dups: u32; // reports of duplicates received
  unacked_bytes: u32;
  sacked_bytes: u32;
  lost_bytes: u32;
  unacked: u32; // segments in flight
  sacked: u32; // of those, reported by SACK, or inferred from duplicate ACKs
  lost: u32; // of those, taken as lost
  retrans: u32; // of those, sent again and not yet taken as lost once more
  delivered: u32; // segments the peer has
  delivered_ce: u32; // of those, marked CE
  reordering: u32; // by how many segments data was overtaken; DupThresh before that was seen
  reord_seen: u32; // 1: reordering was seen
  bytes_sent: u32; // payload, also sent again
  bytes_retrans: u32;
  bytes_acked: u32;
  bytes_received: u32;
  segs_in: u32;
  segs_out: u32;
  data_segs_in: u32;
  data_segs_out: u32;
  notsent_bytes: u32; // in the send buffer and never sent
  last_data_sent_ms: u32; // how long ago
  last_data_recv_ms: u32;
  last_ack_recv_ms: u32;
  rcv_rtt_us: u32; // round trip as the receiver sees it
  rcv_space: u32; // bytes the user reads in one
  rcv_ssthresh: u32; // largest window offered
  busy_time_us: u32; // time with data to send
  rwnd_limited_us: u32; // of that, stopped by the peer's window
  sndbuf_limited_us: u32; // of that, stopped by the send buffer
  pacing_rate: u32; // bytes a second, 0xffffffff: not paced
  congestion: u32; // Cc
  soft_error: u32; // Errno of what ICMP or IP said last, 0: nothing since the last progress
}
