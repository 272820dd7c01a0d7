import { Inpcb } from "../inet/in_pcb_t";
import { Blocked } from "../net/ifnet_t";
import { Mbuf } from "../sys/mbuf_t";
import { Timer } from "../sys/timer";
import { FoQueue } from "./fastopen_t";
import { Sent } from "./sent_t";

/**
 * Transmission control block: the state of one connection (RFC 9293 3.3.1). Sequence numbers are
 * raw 32-bit values, compared by seq.ts only.
 *
 * ```
 *   send:     snd_una <= snd_nxt        what lies between is in flight: records of sent.ts
 *   receive:  rcv_nxt <= rcv_adv        rcv_adv: right edge we advertised
 * ```
 */
@unmanaged
@final
export class Tcb {
  d_rexmt: i64; // deadlines, microseconds, 0 when off; rows of timers.ts in its order
  d_persist: i64;
  d_keep: i64;
  d_2msl: i64;
  d_delack: i64;
  d_probe: i64;
  d_reorder: i64;
  d_pace: i64;
  d_cork: i64;
  timer_0: i64; // the one wheel timer, laid out as a Timer; see timer()
  timer_1: i64;
  timer_2: i64;
  timer_3: i64;
  rtt_at: i64; // when the SYN left that is timed, 0: none is
  sent_at: i64; // when anything last left
  rcvd_at: i64; // when anything last came
  progress_at: i64; // when snd_una last moved, or data went out with nothing in flight
  ts_recent_at: i64; // when ts_recent was taken
  rack_at: i64; // when the segment left that was sent last of those delivered (RACK.xmit_ts)
  pace_at: i64; // when what was sent would have left at the pace, nanoseconds
  pacing_rate: u64; // bytes a second, 0: not paced
  max_pacing_rate: u64; // SO_MAX_PACING_RATE, 0: no limit
  busy_at: i64; // when the present kind of waiting began; see chrono.ts
  busy_us: i64; // time with data to send
  rwnd_limited_us: i64; // of that, stopped by the peer's window
  sndbuf_limited_us: i64; // of that, stopped by the send buffer
  mtu_probe_at: i64; // when the last probe of the path MTU ended
  blackhole_at: i64; // when timeouts of full segments began, 0: none
  rcv_space_at: i64; // start of the present measurement of what the user reads
  rcv_rtt_at: i64; // start of the present measurement of the receiver's round trip
  invalid_at: i64; // when an invalid segment was last answered; see challenge.ts
  ack_at: i64; // when the last ACK came
  data_at: i64; // when the last data came
  min_rtt_at: i64; // when rtt_min_us was taken
  undo_at: i64; // when the first retransmission of this recovery left, 0: none (RFC 3522)
  bytes_sent: u64; // payload sent, also again
  bytes_resent: u64;
  bytes_delivered: u64; // payload the peer has acknowledged in order
  bytes_received: u64; // payload taken in order
  inp: Inpcb;
  segq: Mbuf; // out-of-order data in runs by sequence number; see reass_list.ts
  sent_first: Sent; // segments in flight by sequence number; see sent.ts
  sent_last: Sent;
  sent_hint: Sent; // where the last SACK block was found
  lost_hint: Sent; // no segment before this one waits to be sent again
  rack_first: Sent; // the same segments by the time of their last sending
  rack_last: Sent;
  fo_queue: FoQueue; // Fast Open of the listener, or of the one that counts this connection
  out_next: Tcb; // next on the list of blocks with output to do
  out_prev: Tcb;
  live_next: Tcb; // all blocks that have a connection, by when they were last looked at; see tcb.ts
  live_prev: Tcb;
  blk_next: usize; // laid out as a Blocked; see blocked()
  blk_prev: usize;
  blk_fn: u32;
  blk_arg: usize;
  blk_ifindex: u32;
  snd_una: u32; // oldest not acknowledged
  snd_nxt: u32; // next to send; never goes back, except to iss while a SYN is due
  snd_wnd: u32; // window the peer offers, bytes (REC-1)
  snd_wl1: u32; // SEG.SEQ of the last window update
  snd_wl2: u32; // SEG.ACK of the last window update
  snd_up: u32; // send urgent pointer
  iss: u32; // initial send sequence number
  rcv_nxt: u32; // next expected
  rcv_adv: u32; // right edge advertised
  rcv_up: u32; // receive urgent pointer
  irs: u32; // initial receive sequence number
  last_ack_sent: u32; // ACK field of the last segment sent
  max_sndwnd: u32; // largest window the peer has offered
  max_rcvwnd: u32; // largest window we have offered
  cwnd: u32; // congestion window, bytes
  ssthresh: u32; // slow-start threshold, bytes
  recover: u32; // snd_nxt when ca_state changed last (RFC 6582)
  sacked_bytes: u32; // bytes in flight that the peer has reported; without SACK: see reno.ts
  bytes_acked: u32; // acknowledged since cwnd last grew (RFC 3465)
  prior_cwnd: u32; // before the last reduction, for undoing
  prior_ssthresh: u32;
  cc_0: u64; // 96 bytes of the congestion controller; a view of them is the algorithm's own
  cc_1: u64;
  cc_2: u64;
  cc_3: u64;
  cc_4: u64;
  cc_5: u64;
  cc_6: u64;
  cc_7: u64;
  cc_8: u64;
  cc_9: u64;
  cc_10: u64;
  cc_11: u64;
  lost_bytes: u32; // bytes in flight taken as lost, sent again or not
  lost_todo: u32; // of those, not sent again yet
  sack_seen_0: u32; // blocks of the last ACK with SACK: left and right edges; see sack.ts
  sack_seen_1: u32;
  sack_seen_2: u32;
  sack_seen_3: u32;
  sack_seen_4: u32;
  sack_seen_5: u32;
  sack_seen_6: u32;
  sack_seen_7: u32;
  resent_bytes: u32; // bytes sent again that are in flight once more
  sent_count: u32; // segments in flight
  sacked_segments: u32; // of those, reported by SACK
  prr_delivered: u32; // bytes delivered in this reduction (RFC 6937bis)
  prr_out: u32; // bytes sent in it
  prr_flight: u32; // RecoverFS
  undo_una: u32; // snd_una when the last reduction began
  undo_resent: i32; // retransmissions since that no DSACK has reported; see undo.ts
  rack_end: u32; // end of the segment of rack_at (RACK.end_seq)
  rack_rtt_us: u32; // its round trip
  rack_fack: u32; // highest end delivered
  rack_round: u32; // snd_nxt when the reordering window last grew (RACK.dsack_round)
  tlp_end: u32; // snd_nxt when the last loss probe left (TLP.end_seq)
  limited_seq: u32; // snd_nxt when `max_out` was begun
  max_out: u32; // most bytes in flight in this window
  delivered: u32; // segments delivered, for TCP_INFO
  delivered_ce: u32; // of those, marked CE on their way
  dsack_dups: u32; // DSACKs received
  segs_in: u32;
  segs_out: u32;
  data_segs_in: u32;
  data_segs_out: u32;
  mdev_us: u32; // mean deviation of the round trip
  mdev_max_us: u32; // largest of this round trip
  rtt_round: u32; // snd_nxt when this round trip of measurements began
  rcv_rtt_us: u32; // round trip as the receiver sees it
  rcv_rtt_seq: u32; // rcv_nxt that ends its measurement; with timestamps, the last echo
  rcv_space: u32; // bytes the user reads in a round trip
  rcv_space_seq: u32; // what the user had read when the measurement began
  rcv_mss_seen: u32; // largest payload received lately
  ato_us: u32; // delayed-ACK timeout now
  dsack_start: u32; // block to report next as received twice (RFC 2883); none if equal to dsack_end
  dsack_end: u32;
  notsent_lowat: u32; // TCP_NOTSENT_LOWAT, bytes; see notsent.ts
  window_clamp: u32; // TCP_WINDOW_CLAMP, 0 for none
  icmp_seq: u32; // segment that a message about the path MTU is about; see icmp_mtu
  mtu_probe_start: u32; // the probe of the path MTU in flight; none if equal to mtu_probe_end
  mtu_probe_end: u32;
  push_0: u32; // marks of PSH beyond snd_una, ascending; see push.ts
  push_1: u32;
  push_2: u32;
  push_3: u32;
  push_4: u32;
  push_5: u32;
  push_6: u32;
  push_7: u32;
  pushed: u32; // the last mark
  push_chunk: u32; // where the chunk begins that is being filled; see push.ts
  snd_small: u32; // end of the last short segment sent; see nagle.ts
  tfo: u32; // Tfo: where Fast Open stands; see fastopen.ts
  syn_data: u32; // bytes that the SYN carried (RFC 7413)
  srtt_us: u32; // smoothed round-trip time, 0 before the first sample
  rttvar_us: u32;
  rtt_last_us: u32; // the last sample
  rtt_min_us: u32; // the least of a while (T.min_rtt_window_s)
  rto_us: u32; // retransmission timeout without backoff
  ts_recent: u32; // newest timestamp of the peer (RFC 7323 TS.Recent)
  ts_offset: u32; // added to the clock for our timestamps
  segq_bytes: u32; // payload bytes in segq
  segq_count: u32; // runs in segq
  segq_mbcnt: u32; // bytes of mbuf storage that it holds
  sack_recent: u32; // a sequence number in the block that changed last (RFC 2018 4),
  sack_recent_1: u32; // and of those that were reported first before it; see reass_list.ts
  sack_recent_2: u32;
  sack_recent_3: u32;
  sack_recent_4: u32;
  sack_recent_5: u32;
  rexmt_segments: u32; // for TCP_INFO
  rexmt_timeouts: u32;
  ooo_segments: u32;
  dupacks_total: u32;
  user_timeout_ms: u32; // TCP_USER_TIMEOUT, 0 for none
  keep_idle_ms: u32; // TCP_KEEPIDLE
  keep_intvl_ms: u32; // TCP_KEEPINTVL
  keep_init_ms: u32; // TCP_KEEPINIT, 0 for none
  flags: u32; // Tf
  snd_mss: u16; // largest payload we send, without options
  rcv_mss: u16; // MSS we advertised
  peer_mss: u16; // MSS the peer advertised
  user_mss: u16; // TCP_MAXSEG, 0 for none
  mtu_low: u16; // largest path MTU known to work (RFC 8899: PLPMTU)
  mtu_high: u16; // smallest known, or thought, not to
  size_acked: u16; // payload of the largest segment acknowledged
  icmp_mtu: u16; // path MTU of a message that is not believed yet (RFC 5927 7.2), 0: none
  mtu_probe: u16; // size of the probe in flight, 0 for none
  linger2_s: u16; // TCP_LINGER2, seconds in FIN-WAIT-2 or LINGER2_NONE; 0: as the stack says
  rcv_seg_last: u16; // size of the last segment, if it was smaller than rcv_mss_seen, else 0
  snd_scale: u8; // shift of the windows we receive
  rcv_scale: u8; // shift of the windows we send
  req_scale: u8; // the same as our SYN offers it, in force or not
  dupacks: u8; // duplicate ACKs in a row, at most 255
  backoff: u8; // doublings of the RTO or of the persist interval
  keep_probes: u8; // keepalive probes sent without an answer
  keep_cnt: u8; // TCP_KEEPCNT
  cc_algo: u8; // row of cc.ts
  oob_byte: u8; // urgent byte taken out of line
  oob_have: u8; // 1: oob_byte is there, 2: it was read
  out_listed: u8; // 1 while on the output list
  rack_mult: u8; // RACK.reo_wnd_mult
  rack_persist: u8; // RACK.reo_wnd_persist
  reordering: u8; // 1: reordering was seen
  reord_degree: u8; // TCP_INFO: segments by which one was overtaken
  undo: u8; // Undo: whether the last reduction may still prove spurious
  rack_in_round: u8; // 1: the reordering window grew in this round already
  cwnd_limited: u8; // 1: cwnd stopped the sender in this window
  quick: u8; // ACKs that are still sent at once
  pingpong: u8; // the connection answers: ACKs may wait for data
  ack_pushed: u8; // ends of writes in what is not acknowledged: none, one, more
  syn_retries: u8; // TCP_SYNCNT, 0: as the stack says
  tfo_option: u8; // TCP_FASTOPEN_CONNECT and TCP_FASTOPEN_NO_COOKIE
  ecn: u8; // Ecn; see ecn.ts
  push_count: u8; // marks in push_0..
  mtu_fails: u8; // probes of this size lost
  chrono: u8; // what busy_at measures; see chrono.ts
  defer: u8; // TCP_DEFER_ACCEPT
  mtu_search: u8; // TCP_MTU_PROBE
  tries: u8; // timeouts in a row without progress
  state: i32; // TcpState
  ca_state: i32; // Ca
  frto: i32; // 1: after a timeout, still finding out whether it was spurious (RFC 5682)
  tlp: i32; // 0: no loss probe in flight, 1: it was new data, 2: it was sent again
  soft_error: i32; // reported if the connection then times out (RFC 9293 3.9.2.2)

  /** The wheel timer. */
  @inline
  get timer(): Timer {
    return changetype<Timer>(changetype<usize>(this) + offsetof<Tcb>("timer_0"));
  }
  /** The record with which it waits for room in an interface's send queue. */
  @inline
  get blocked(): Blocked {
    return changetype<Blocked>(changetype<usize>(this) + offsetof<Tcb>("blk_next"));
  }
}

/** Flags of a Tcb. */
export const enum Tf {
  ACKNOW = 0x1, // send an ACK at once
  DELACK = 0x2, // an ACK is owed
  NODELAY = 0x4, // TCP_NODELAY
  SENTFIN = 0x8, // a FIN has been sent
  GOTFIN = 0x10, // the peer's FIN has been taken
  REQ_SCALE = 0x20, // we ask for, or answer with, window scaling
  SCALE = 0x40, // window scaling is in force
  REQ_TS = 0x80, // we ask for timestamps
  TS = 0x100, // timestamps are in force
  REQ_SACK = 0x200, // we ask for SACK
  SACK = 0x400, // the peer permits SACK
  FORCE = 0x1000, // send one byte into a closed window
  NODELAYACK = 0x4000, // TCP_NODELAYACK: acknowledge at once
  STDURG = 0x8000, // urgent pointer as RFC 1122 had it (to the last byte); see urgent data
  MORETOCOME = 0x20000, // the caller adds more at once: do not send a short segment
  FREED = 0x40000, // the block is gone; callers further up must stop
  BLOCKED = 0x80000, // waits for room in an interface's send queue
  CORK = 0x100000, // TCP_CORK: hold partial segments
  REQ_ECN = 0x400000, // we ask for ECN (RFC 3168)
  ECN = 0x800000, // ECN is in force
  ECE = 0x1000000, // CE was seen: every ACK says so until the peer answers with CWR
  CWR = 0x2000000, // our window was reduced: the next new data says so
  ECN_SEEN = 0x4000000, // a segment with ECT has come
  SYN_DATA = 0x8000000, // the peer took the data of our SYN
}

/** TCP_LINGER2 below 0: a closed socket does not stay in FIN-WAIT-2. */
export const LINGER2_NONE: u16 = 0xffff;

/** What the sender believes of the network (the states of TCP_INFO). */
export const enum Ca {
  OPEN = 0,
  DISORDER = 1, // duplicate ACKs or SACKs came, no loss is established
  CWR = 2, // the window is being reduced without a loss: ECN
  RECOVERY = 3, // fast recovery
  LOSS = 4, // after a retransmission timeout
}
