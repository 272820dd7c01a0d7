/** TCP_INFO: what a user may know of a connection. */
import { TcpState } from "../abi/tcp";
import * as in_output from "../inet/in_output";
import * as clock from "../sys/clock";
import * as chrono from "./chrono";
import { TcpInfo } from "./info_t";
import * as notsent from "./notsent";
import * as rtt from "./rtt";
import * as segment from "./segment";
import { Sf } from "./sent_t";
import { T } from "./settings";
import { Tcb, Tf } from "./tcb_t";
import * as window from "./window";

const I: TcpInfo = changetype<TcpInfo>(memory.data(offsetof<TcpInfo>(), 16));

/** ssthresh before anything has reduced it. */
const INFINITE: u32 = 0x3fffffff;

/** Writes as much of the record as `len` has room for at `ptr`; answers the bytes written. */
export function read(tp: Tcb, ptr: usize, len: i32): i32 {
  memory.fill(changetype<usize>(I), 0, offsetof<TcpInfo>());
  identity(tp);
  times(tp);
  windows(tp);
  flight(tp);
  counters(tp);
  const n = min<i32>(len, i32(offsetof<TcpInfo>()));
  memory.copy(ptr, changetype<usize>(I), n);
  return n;
}

function identity(tp: Tcb): void {
  const f = tp.flags;
  I.snd_una_rel = tp.snd_una - tp.iss;
  I.snd_nxt_rel = tp.snd_nxt - tp.iss;
  I.rcv_nxt_rel = tp.rcv_nxt - tp.irs;
  I.state = tp.state;
  I.options = (f & Tf.TS ? 1 : 0) | (f & Tf.SACK ? 2 : 0) | (f & Tf.SCALE ? 4 : 0) |
    (f & Tf.ECN ? 8 : 0) | (f & Tf.ECN_SEEN ? 16 : 0) | (f & Tf.SYN_DATA ? 32 : 0);
  I.snd_wscale = tp.snd_scale;
  I.rcv_wscale = tp.rcv_scale;
  I.ca_state = tp.ca_state;
  I.congestion = tp.cc_algo;
  I.soft_error = tp.soft_error;
}

function agoMs(at: i64): u32 {
  return at ? u32(min<i64>((clock.now() - at) / 1000, i64(u32.MAX_VALUE))) : 0;
}

function times(tp: Tcb): void {
  I.rto_us = u32(rtt.backedOff(tp));
  I.srtt_us = tp.srtt_us;
  I.rttvar_us = tp.rttvar_us;
  I.rtt_min_us = tp.rtt_min_us;
  I.last_data_sent_ms = agoMs(tp.sent_at);
  I.last_data_recv_ms = agoMs(tp.data_at);
  I.last_ack_recv_ms = agoMs(tp.ack_at);
  I.rcv_rtt_us = tp.rcv_rtt_us;
  chrono.read(tp);
  I.busy_time_us = u32(tp.busy_us);
  I.rwnd_limited_us = u32(tp.rwnd_limited_us);
  I.sndbuf_limited_us = u32(tp.sndbuf_limited_us);
}

function windows(tp: Tcb): void {
  I.snd_mss = min<u32>(tp.snd_mss, segment.MAX_PAYLOAD);
  I.rcv_mss = tp.rcv_mss_seen ? tp.rcv_mss_seen : tp.rcv_mss;
  I.advmss = tp.rcv_mss;
  I.pmtu = tp.state >= TcpState.SYN_SENT ? in_output.mtu(tp.inp) : 0;
  I.snd_wnd = tp.snd_wnd;
  I.rcv_wnd = window.offered(tp);
  I.snd_cwnd = tp.cwnd;
  I.snd_ssthresh = tp.ssthresh >= INFINITE ? 0x7fffffff : tp.ssthresh;
  I.rcv_space = tp.rcv_space;
  I.rcv_ssthresh = tp.max_rcvwnd;
  I.pacing_rate = tp.pacing_rate ? u32(min<u64>(tp.pacing_rate, 0xfffffffe)) : 0xffffffff;
}

function flight(tp: Tcb): void {
  I.unacked_bytes = tp.snd_nxt - tp.snd_una;
  I.notsent_bytes = tp.state >= TcpState.ESTABLISHED ? notsent.unsent(tp) : 0;
  I.sacked_bytes = tp.sacked_bytes;
  I.lost_bytes = tp.lost_bytes;
  I.unacked = tp.sent_count;
  I.sacked = tp.sacked_segments;
  for (let r = tp.sent_first; r; r = r.next) {
    if (r.flags & Sf.LOST) I.lost++;
    if (r.flags & Sf.RESENT) I.retrans++;
  }
}

function counters(tp: Tcb): void {
  I.rexmt_segments = tp.rexmt_segments;
  I.rexmt_timeouts = tp.rexmt_timeouts;
  I.retransmits = tp.tries;
  I.probes = tp.d_persist ? tp.backoff : tp.keep_probes;
  I.backoff = tp.backoff;
  I.out_of_order = tp.ooo_segments;
  I.dupacks = tp.dupacks_total;
  I.dsack_dups = tp.dsack_dups;
  I.delivered = tp.delivered;
  I.delivered_ce = tp.delivered_ce;
  I.reordering = tp.reordering ? max<u32>(tp.reord_degree, T.reordering) : T.reordering;
  I.reord_seen = tp.reordering;
  I.bytes_sent = u32(tp.bytes_sent);
  I.bytes_retrans = u32(tp.bytes_resent);
  I.bytes_acked = u32(tp.bytes_delivered);
  I.bytes_received = u32(tp.bytes_received);
  I.segs_in = tp.segs_in;
  I.segs_out = tp.segs_out;
  I.data_segs_in = tp.data_segs_in;
  I.data_segs_out = tp.data_segs_out;
}
