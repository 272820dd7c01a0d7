import { Inpcb } from "../inet/in_pcb_t";
import { Blocked } from "../net/ifnet_t";
import { Mbuf } from "../sys/mbuf_t";
import { Timer } from "../sys/timer";
import { SackRange } from "./sack_t";

/**
 * Transmission control block: the state of one connection (RFC 9293 3.3.1). Sequence numbers are
 * raw 32-bit values, compared by seq.ts only.
 *
 * ```
 *   send:     snd_una <= snd_nxt <= snd_max          snd_nxt < snd_max while sending again
 *   receive:  rcv_nxt <= rcv_adv                     rcv_adv: right edge we advertised
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
  timer_0: i64; // the one wheel timer, laid out as a Timer; see timer()
  timer_1: i64;
  timer_2: i64;
  timer_3: i64;
  rtt_at: i64; // when the timed segment left, 0: none is timed
  sent_at: i64; // when anything last left
  rcvd_at: i64; // when anything last came
  progress_at: i64; // when snd_una last moved, or data went out with nothing in flight
  ts_recent_at: i64; // when ts_recent was taken
  inp: Inpcb;
  segq: Mbuf; // out-of-order segments by sequence number, linked by nextpkt; see reass.ts
  sacked: SackRange; // what the peer holds beyond snd_una, ascending; see sack.ts
  out_next: Tcb; // next on the list of blocks with output to do
  blk_next: usize; // laid out as a Blocked; see blocked()
  blk_fn: u32;
  blk_arg: usize;
  blk_ifindex: u32;
  snd_una: u32; // oldest not acknowledged
  snd_nxt: u32; // next to send
  snd_max: u32; // highest ever sent, plus one
  snd_wnd: u32; // window the peer offers, bytes
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
  recover: u32; // snd_max when recovery began (RFC 6582)
  high_rxt: u32; // highest sent again in this recovery, plus one (RFC 6675)
  sacked_bytes: u32; // bytes in the ranges of `sacked`
  sacked_count: u32; // ranges in `sacked`
  bytes_acked: u32; // acknowledged since cwnd last grew (RFC 3465)
  prior_cwnd: u32; // before the last reduction, for undoing
  prior_ssthresh: u32;
  cc_0: u64; // 32 bytes of the congestion controller
  cc_1: u64;
  cc_2: u64;
  cc_3: u64;
  rtt_seq: u32; // sequence number being timed
  srtt_us: u32; // smoothed round-trip time, 0 before the first sample
  rttvar_us: u32;
  rtt_min_us: u32;
  rto_us: u32; // retransmission timeout without backoff
  ts_recent: u32; // newest timestamp of the peer (RFC 7323 TS.Recent)
  ts_offset: u32; // added to the clock for our timestamps
  segq_bytes: u32; // payload bytes in segq
  segq_count: u32;
  sack_recent: u32; // sequence number in the block that changed last (RFC 2018 4)
  rexmt_segments: u32; // for TCP_INFO
  rexmt_timeouts: u32;
  ooo_segments: u32;
  dupacks_total: u32;
  user_timeout_ms: u32; // TCP_USER_TIMEOUT, 0 for none
  keep_idle_ms: u32; // TCP_KEEPIDLE
  keep_intvl_ms: u32; // TCP_KEEPINTVL
  flags: u32; // Tf
  snd_mss: u16; // largest payload we send, without options
  rcv_mss: u16; // MSS we advertised
  peer_mss: u16; // MSS the peer advertised
  user_mss: u16; // TCP_MAXSEG, 0 for none
  snd_scale: u8; // shift of the windows we receive
  rcv_scale: u8; // shift of the windows we send
  dupacks: u8; // duplicate ACKs in a row, at most 255
  backoff: u8; // doublings of the RTO or of the persist interval
  keep_probes: u8; // keepalive probes sent without an answer
  keep_cnt: u8; // TCP_KEEPCNT
  cc_algo: u8; // row of cc.ts
  oob_byte: u8; // urgent byte taken out of line
  oob_have: u8; // 1: oob_byte is there, 2: it was read
  out_listed: u8; // 1 while on the output list
  pad: u8;
  tries: u8; // timeouts in a row without progress
  state: i32; // TcpState
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
  RECOVERY = 0x800, // in fast recovery
  FORCE = 0x1000, // send one byte into a closed window
  NOOPT = 0x2000, // TCP_RFC1323 was switched off: no scaling, no timestamps
  NODELAYACK = 0x4000, // TCP_NODELAYACK: acknowledge at once
  STDURG = 0x8000, // urgent pointer as RFC 1122 had it (to the last byte); see urgent data
  RTO_RECOVERY = 0x10000, // sending again after a timeout, up to recover
  MORETOCOME = 0x20000, // the caller adds more at once: do not send a short segment
  FREED = 0x40000, // the block is gone; callers further up must stop
  BLOCKED = 0x80000, // waits for room in an interface's send queue
  CORK = 0x100000, // TCP_CORK: hold partial segments
  REXMT1 = 0x200000, // send the segment at snd_una again, whatever the window
}
