/**
 * The path MTU found by probing (RFC 4821, RFC 8899), for paths that swallow what is too large and
 * do not tell. A search keeps two bounds, both sizes of IP packets: packets of mtu_low arrive, and
 * no segment is larger; mtu_high may be possible. A probe is one segment of new data of a size in
 * between (RFC 4821 10.1). If it arrives, mtu_low rises; if it alone is lost, that is no sign of
 * congestion (7.6.2), and after three of one size mtu_high falls (RFC 8899 5.1.2).
 *
 * T.mtu_probing says when connections search: 2 always, 1 after timeouts in a row that look like a
 * black hole (RFC 4821 7.7, RFC 8899 4.3); mtu_low is 0 on those that do not.
 */
import { Stat } from "../abi/stat";
import * as in_output from "../inet/in_output";
import * as ip_mtu from "../inet/ip_mtu";
import * as in_pcb from "../inet/in_pcb";
import * as sockaddr_ops from "../socket/sockaddr_ops";
import * as clock from "../sys/clock";
import * as stat from "../sys/stat";
import * as options from "./options";
import * as repair from "./repair";
import * as segment from "./segment";
import * as sent from "./sent";
import { Sf } from "./sent_t";
import * as seq from "./seq";
import { T } from "./settings";
import * as tcb from "./tcb";
import { Ca, Tcb, Tf } from "./tcb_t";

/** Probes of one size that must be lost before it counts as too large (MAX_PROBES). */
const PROBES_MAX: u8 = 3;
/** Segments behind a probe, so that its loss shows without a timeout (RFC 4821 7.4). */
const BEHIND: u32 = 4;
/** An IPv4 and a TCP header without options. */
const HEADERS: u32 = 40;
/** The option that every segment carries once timestamps are agreed. */
const TIMESTAMPS: u32 = 12;

/** Bytes of headers in every data segment. */
function headers(tp: Tcb): u32 {
  return HEADERS + (tp.flags & Tf.TS ? TIMESTAMPS : 0);
}

/** Payload of a packet of `size` bytes now, beside SACK blocks. */
function payload(tp: Tcb, size: u32): u32 {
  const blocks = tp.segq ? options.sackLength(tp) : 0;
  const over = headers(tp) + blocks;
  return size > over ? min<u32>(size - over, segment.MAX_PAYLOAD) : 0;
}

/** The largest packet that can be: what ICMP, the interface, the peer and the user allow. */
function bound(tp: Tcb): u32 {
  let most = min<u32>(in_output.mtu(tp.inp), u32(tp.peer_mss) + HEADERS);
  if (tp.user_mss) most = min<u32>(most, u32(tp.user_mss) + HEADERS);
  return min<u32>(most, segment.MAX_PAYLOAD + headers(tp));
}

/** The connection is established, or the user changed TCP_MTU_PROBE. */
export function start(tp: Tcb): void {
  const wanted = T.mtu_probing >= 2 || tp.mtu_search;
  if (wanted && tp.mtu_low == 0) search(tp, max<u32>(T.base_mss + headers(tp), arrived(tp)));
  else if (!wanted && tp.mtu_low) stop(tp);
}

/** Begins a search above packets of `low` bytes. */
function search(tp: Tcb, low: u32): void {
  const most = bound(tp);
  tp.mtu_low = u16(min<u32>(low, most));
  tp.mtu_high = u16(most);
  tp.mtu_probe = 0;
  tp.mtu_fails = 0;
  tp.mtu_probe_at = clock.now();
  tcb.setMss(tp);
}

function stop(tp: Tcb): void {
  tp.mtu_low = 0;
  tp.mtu_probe = 0;
  tcb.setMss(tp);
}

/** Size of the largest packet that has been acknowledged; 0: none. */
export function arrived(tp: Tcb): u32 {
  return tp.size_acked ? u32(tp.size_acked) + headers(tp) : 0;
}

/** True if the segment in flight at `s` is larger than a packet of `mtu` bytes. */
export function isLarger(tp: Tcb, s: u32, mtu: u32): bool {
  const r = sent.find(tp, s);
  return r && r.end - r.start + headers(tp) > mtu ? true : false;
}

/** The size to try next, 0 if the search has ended and rests. */
function next(tp: Tcb): u32 {
  const most = bound(tp);
  if (u32(tp.mtu_high) > most) tp.mtu_high = u16(most);
  const low: u32 = tp.mtu_low;
  const high: u32 = tp.mtu_high;
  if (low + T.probe_threshold <= high) {
    // the bound itself is the most likely MTU of all (RFC 4821 7.3)
    return high == most ? high : (low + high + 1) >> 1;
  }
  // RFC 8899 5.1.1 PMTU_RAISE_TIMER: the path may have become wider
  const rest = i64(T.probe_interval_s) * 1_000_000;
  if (clock.now() - tp.mtu_probe_at < rest || low + T.probe_threshold > most) return 0;
  tp.mtu_high = u16(most);
  tp.mtu_fails = 0;
  return most;
}

/**
 * Bytes that the next segment of new data should have, instead of `len`, when `have` bytes wait,
 * those at offset `off` next. 0: none now, so that the window empties for a probe.
 */
export function plan(tp: Tcb, off: u32, have: u32, len: u32): u32 {
  // RFC 4821 7.4: no probe while one is out or anything seems lost
  if (tp.mtu_probe || tp.ca_state != Ca.OPEN || tp.flags & Tf.FORCE || tp.sacked_bytes) return len;
  const behind = BEHIND * u32(tp.snd_mss);
  if (have < u32(tp.snd_mss) + behind) return len;
  const size = payload(tp, next(tp));
  const need = size + behind;
  const peer = tcb.windowBeyond(tp, off);
  if (size <= u32(tp.snd_mss) || have < need || peer < need || tp.cwnd < need) return len;
  const pipe = sent.pipe(tp);
  if (pipe + size <= tp.cwnd) return size;
  return pipe > 0 ? 0 : len;
}

/** New data start <= x < end has left; a segment that is larger than the MSS is a probe. */
export function dataSent(tp: Tcb, start: u32, end: u32): void {
  if (tp.mtu_low == 0 || end - start <= u32(tp.snd_mss)) return;
  const blocks = tp.segq ? options.sackLength(tp) : 0;
  tp.mtu_probe = u16(end - start + headers(tp) + blocks);
  tp.mtu_probe_start = start;
  tp.mtu_probe_end = end;
  stat.inc(Stat.TCP_MTU_PROBES);
}

/** A segment with `len` bytes has been acknowledged. */
export function delivered(tp: Tcb, len: u32): void {
  if (len > u32(tp.size_acked)) tp.size_acked = u16(min<u32>(len, 0xffff));
}

/** SND.UNA has moved. */
export function acked(tp: Tcb): void {
  tp.blackhole_at = 0;
  if (tp.icmp_mtu && seq.gt(tp.snd_una, tp.icmp_seq)) tp.icmp_mtu = 0; // RFC 5927 7.2: not true
  if (tp.mtu_probe == 0 || seq.lt(tp.snd_una, tp.mtu_probe_end)) return;
  stat.inc(Stat.TCP_MTU_PROBE_SUCCESS);
  if (tp.mtu_probe > tp.mtu_low) tp.mtu_low = tp.mtu_probe;
  if (tp.mtu_high < tp.mtu_low) tp.mtu_high = tp.mtu_low;
  ended(tp);
  tp.mtu_fails = 0;
  tcb.setMss(tp);
}

function ended(tp: Tcb): void {
  tp.mtu_probe = 0;
  tp.mtu_probe_at = clock.now();
}

/**
 * Something in flight is lost. True if it is the probe alone: its data is to be sent again in
 * segments of the usual size, and the window stays as it is (RFC 4821 7.6.2).
 */
export function isLost(tp: Tcb): bool {
  if (tp.mtu_probe == 0) return false;
  let lost: u32 = 0;
  for (let r = sent.find(tp, tp.mtu_probe_start); r; r = r.next) {
    if (seq.ge(r.start, tp.mtu_probe_end)) break;
    if (r.flags & Sf.LOST) lost += r.end - r.start;
  }
  if (lost == 0 || lost != tp.lost_bytes) return false;
  failed(tp);
  repair.quietly(tp);
  return true;
}

/** A probe was lost. */
function failed(tp: Tcb): void {
  if (++tp.mtu_fails >= PROBES_MAX) {
    tp.mtu_high = max<u16>(tp.mtu_probe - 1, tp.mtu_low);
    tp.mtu_fails = 0;
  }
  ended(tp);
}

/**
 * The retransmission timer has fired, before anything is sent again. After R1 timeouts (RFC 9293
 * 3.8.3) with a large segment first, the path may be a black hole: segments become smaller.
 */
export function timeout(tp: Tcb): void {
  if (tp.mtu_probe) {
    // RFC 4821 7.6.3, 7.6.4: it counts only if it was the first to be missing
    if (tp.snd_una == tp.mtu_probe_start) failed(tp);
    else ended(tp);
  }
  if (tp.icmp_mtu && seq.le(tp.snd_una, tp.icmp_seq)) {
    narrower(tp, tp.icmp_mtu); // RFC 5927 7.2: no progress, so the message was true
    return;
  }
  const r = tp.sent_first;
  if ((!T.mtu_probing && tp.mtu_low == 0) || u32(tp.tries) < T.data_retries_soft || !r) return;
  if (r.end - r.start > T.mtu_probe_floor) shrink(tp);
}

/** Base MSS first; then half as much each time, down to the floor. */
function shrink(tp: Tcb): void {
  const over = headers(tp);
  let mss = T.base_mss;
  if (tp.mtu_low || u32(tp.snd_mss) <= mss) mss = min<u32>(mss, u32(tp.snd_mss) >> 1);
  mss = max<u32>(mss, T.mtu_probe_floor);
  if (mss >= u32(tp.snd_mss)) return;
  if (tp.blackhole_at == 0) {
    stat.inc(Stat.TCP_MTU_BLACK_HOLES);
    tp.blackhole_at = clock.now();
  }
  search(tp, mss + over);
  repair.simpleRetransmit(tp);
}

/** The path takes packets of `mtu` bytes at most: what is in flight is sent again in those. */
export function narrower(tp: Tcb, mtu: u32): void {
  ip_mtu.lower(sockaddr_ops.get4(in_pcb.faddrOf(tp.inp)), mtu);
  tp.icmp_mtu = 0;
  if (u32(tp.mtu_low) > mtu) tp.mtu_low = u16(mtu);
  if (u32(tp.mtu_probe) > mtu) ended(tp);
  const before = tp.snd_mss;
  tcb.setMss(tp);
  if (tp.snd_mss < before) repair.simpleRetransmit(tp);
}
