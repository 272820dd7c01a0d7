/**
 * What getsockopt TCP_INFO answers.
 *
 * @module
 */

import * as layout from "../wasm/layout.gen.ts";

/**
 * What TCP knows of a connection. Times are in the unit of their name, sizes in bytes; what is said
 * to count segments counts those. Counters wrap at 2^32.
 */
export interface TcpInfo {
  /** Bytes acknowledged since the connection began. */
  readonly snd_una_rel: number;
  /** Bytes sent. */
  readonly snd_nxt_rel: number;
  /** Bytes received in order. */
  readonly rcv_nxt_rel: number;
  /** A `TcpState`. */
  readonly state: number;
  /** In use: 1 timestamps, 2 SACK, 4 window scale, 8 ECN; seen: 16 ECN, 32 data in the SYN. */
  readonly options: number;
  /** Shift of the windows it announces. */
  readonly snd_wscale: number;
  /** Shift of the windows we announce. */
  readonly rcv_wscale: number;
  /** Retransmission timeout. */
  readonly rto_us: number;
  /** Smoothed round-trip time. */
  readonly srtt_us: number;
  /** Its variation. */
  readonly rttvar_us: number;
  /** Shortest round-trip time of the last minutes. */
  readonly rtt_min_us: number;
  /** Largest segment it takes. */
  readonly snd_mss: number;
  /** Largest segment it sends, as far as was seen. */
  readonly rcv_mss: number;
  /** Largest segment we take, as we announced it. */
  readonly advmss: number;
  /** Path MTU in use. */
  readonly pmtu: number;
  /** Its window. */
  readonly snd_wnd: number;
  /** Our window. */
  readonly rcv_wnd: number;
  /** Congestion window. */
  readonly snd_cwnd: number;
  /** Slow-start threshold; 0x7fffffff for none yet. */
  readonly snd_ssthresh: number;
  /** 0 open, 1 disorder, 2 reduced for a mark (ECN), 3 recovery, 4 loss. */
  readonly ca_state: number;
  /** Segments sent again. */
  readonly rexmt_segments: number;
  /** Timeouts since the connection began. */
  readonly rexmt_timeouts: number;
  /** Timeouts in a row without progress. */
  readonly retransmits: number;
  /** Window or keepalive probes without an answer. */
  readonly probes: number;
  /** Doublings of the RTO now. */
  readonly backoff: number;
  /** Segments that came out of order. */
  readonly out_of_order: number;
  /** Duplicate ACKs received. */
  readonly dupacks: number;
  /** Reports of duplicates received (RFC 2883). */
  readonly dsack_dups: number;
  /** Bytes on their way. */
  readonly unacked_bytes: number;
  /** Bytes that arrived out of order. */
  readonly sacked_bytes: number;
  /** Bytes held to be lost. */
  readonly lost_bytes: number;
  /** Segments on their way. */
  readonly unacked: number;
  /** Segments that arrived out of order. */
  readonly sacked: number;
  /** Segments held to be lost. */
  readonly lost: number;
  /** Segments sent again that are on their way once more. */
  readonly retrans: number;
  /** Segments the peer has. */
  readonly delivered: number;
  /** Of those, how many a router has marked (ECN). */
  readonly delivered_ce: number;
  /** By how many segments one may be overtaken before it counts as lost. */
  readonly reordering: number;
  /** 1 once segments were seen to overtake each other. */
  readonly reord_seen: number;
  /** Bytes sent, again or not. */
  readonly bytes_sent: number;
  /** Bytes sent again. */
  readonly bytes_retrans: number;
  /** Bytes acknowledged. */
  readonly bytes_acked: number;
  /** Bytes received in order. */
  readonly bytes_received: number;
  /** Segments received. */
  readonly segs_in: number;
  /** Segments sent. */
  readonly segs_out: number;
  /** Segments received that carried data. */
  readonly data_segs_in: number;
  /** Segments sent that carried data. */
  readonly data_segs_out: number;
  /** Bytes in the send buffer that were never sent. */
  readonly notsent_bytes: number;
  /** How long ago data left last. */
  readonly last_data_sent_ms: number;
  /** How long ago data came last. */
  readonly last_data_recv_ms: number;
  /** How long ago an ACK came last. */
  readonly last_ack_recv_ms: number;
  /** Round-trip time as the receiving side sees it. */
  readonly rcv_rtt_us: number;
  /** Bytes that the program reads in one round trip. */
  readonly rcv_space: number;
  /** Largest window offered. */
  readonly rcv_ssthresh: number;
  /** Time with data to send. */
  readonly busy_time_us: number;
  /** Of that, stopped by the peer's window. */
  readonly rwnd_limited_us: number;
  /** Of that, stopped by the send buffer. */
  readonly sndbuf_limited_us: number;
  /** Bytes a second; 0xffffffff if nothing is paced. */
  readonly pacing_rate: number;
  /** Number of the congestion-control algorithm. */
  readonly congestion: number;
  /** Error number of what ICMP or IP said last (RFC 9293 3.9.1.8); 0: nothing since progress. */
  readonly soft_error: number;
}

type Field = Exclude<keyof typeof layout.TcpInfo, "size">;

/** Where each field stands in the engine's struct, which has these and no others. */
export const TCP_INFO_FIELDS: [Field] extends [keyof TcpInfo] ? Record<keyof TcpInfo, number>
  : never = layout.TcpInfo;
