/**
 * What is remembered of a destination from one connection to the next (RFC 9040): a table of
 * compact records by our and the peer's address. A connection that ends in order leaves what it
 * measured; one that begins takes hints from that. Of too many records the one goes that was not
 * used for longest.
 */
import { TcpState } from "../abi/tcp";
import * as in_pcb from "../inet/in_pcb";
import * as arena from "../sys/arena";
import * as clock from "../sys/clock";
import * as pool from "../sys/pool";
import { Pool } from "../sys/pool";
import * as rand from "../sys/rand";
import { Metric } from "./metrics_t";
import * as rtt from "./rtt";
import { T } from "./settings";
import { Ca, Tcb } from "./tcb_t";

/** State of the module. */
@unmanaged
@final
export class MetricsState {
  table: usize;
  mask: u32;
  oldest: Metric; // all records, by when they were last used
  newest: Metric;
}

const P: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));
const S: MetricsState = changetype<MetricsState>(memory.data(offsetof<MetricsState>(), 16));

/** Paths change: what is older than an hour is not believed (RFC 9040 3.2). */
const LIFE_US: i64 = 3600 * 1_000_000;

export function init(limit: u32): void {
  pool.init(P, offsetof<Metric>(), limit);
  let buckets: u32 = 64;
  while (buckets < limit) buckets <<= 1;
  S.table = arena.alloc(buckets << 2, 64);
  S.mask = buckets - 1;
}

function bucket(laddr: usize, faddr: usize): usize {
  const local = load<u64>(laddr) ^ load<u64>(laddr, 8);
  return S.table + ((u32(rand.hash3(local, load<u64>(faddr), load<u64>(faddr, 8))) & S.mask) << 2);
}

/** What is remembered of a destination, or nil. */
export function find(laddr: usize, faddr: usize): Metric {
  const b = bucket(laddr, faddr);
  for (let m = changetype<Metric>(load<usize>(b)); m; m = m.next) {
    const same = m.faddr_lo == load<u64>(faddr, 8) && m.laddr_lo == load<u64>(laddr, 8) &&
      m.faddr_hi == load<u64>(faddr) && m.laddr_hi == load<u64>(laddr);
    if (!same) continue;
    if (clock.now() - m.saved_at >= LIFE_US) {
      remove(m);
      return changetype<Metric>(0);
    }
    unlist(m);
    append(m);
    return m;
  }
  return changetype<Metric>(0);
}

/** The record of a destination, made if there is none. */
export function get(laddr: usize, faddr: usize): Metric {
  let m = find(laddr, faddr);
  if (m) return m;
  m = changetype<Metric>(pool.get(P));
  if (!m && S.oldest) {
    remove(S.oldest);
    m = changetype<Metric>(pool.get(P));
  }
  if (!m) return m;
  m.laddr_hi = load<u64>(laddr);
  m.laddr_lo = load<u64>(laddr, 8);
  m.faddr_hi = load<u64>(faddr);
  m.faddr_lo = load<u64>(faddr, 8);
  m.saved_at = clock.now();
  const b = bucket(laddr, faddr);
  m.next = changetype<Metric>(load<usize>(b));
  store<usize>(b, changetype<usize>(m));
  append(m);
  return m;
}

function append(m: Metric): void {
  m.newer = changetype<Metric>(0);
  m.older = S.newest;
  if (S.newest) S.newest.newer = m;
  else S.oldest = m;
  S.newest = m;
}

function unlist(m: Metric): void {
  if (m.older) m.older.newer = m.newer;
  else S.oldest = m.newer;
  if (m.newer) m.newer.older = m.older;
  else S.newest = m.older;
}

function remove(m: Metric): void {
  unlist(m);
  const b = bucket(m.laddr, m.faddr);
  let link = b;
  for (let p = changetype<Metric>(load<usize>(b)); p; p = p.next) {
    if (p == m) {
      store<usize>(link, changetype<usize>(m.next));
      break;
    }
    link = changetype<usize>(p) + offsetof<Metric>("next");
  }
  pool.put(P, changetype<usize>(m));
}

/** Forgets everything. */
export function flush(): void {
  while (S.oldest) remove(S.oldest);
}

/** The `i`-th record, the newest first; nil when there are no more. */
export function at(i: u32): Metric {
  let m = S.newest;
  while (m && i > 0) {
    m = m.older;
    i--;
  }
  return m;
}

/**
 * `tp` begins: the threshold of slow start, and the RTO. The round trips of a handshake are of
 * small segments: a longer one that data has seen before is believed, for the RTO alone (RFC 9040
 * 3.2; the estimate itself begins with this connection's own samples, RFC 6298 2.2).
 */
export function use(tp: Tcb): void {
  const m = find(in_pcb.laddrOf(tp.inp), in_pcb.faddrOf(tp.inp));
  if (!m) return;
  if (m.ssthresh && !T.no_ssthresh_save) tp.ssthresh = max<u32>(m.ssthresh, 2 * u32(tp.snd_mss));
  if (m.reordering) tp.reord_degree = u8(m.reordering);
  if (m.srtt_us <= tp.srtt_us) return;
  const hint = rtt.clampRto(m.srtt_us + max<u32>(2 * m.srtt_us, T.rto_min_us));
  tp.rto_us = max<u32>(tp.rto_us, hint);
}

/** `tp` ends in order: keeps what it has measured. */
export function save(tp: Tcb): void {
  if (T.no_metrics_save) return;
  const laddr = in_pcb.laddrOf(tp.inp);
  const faddr = in_pcb.faddrOf(tp.inp);
  if (tp.backoff || tp.srtt_us == 0) {
    // it ended without a round trip: what was known of the path is not true now
    const known = find(laddr, faddr);
    if (known) known.srtt_us = 0;
    return;
  }
  const m = get(laddr, faddr);
  if (!m) return;
  m.saved_at = clock.now();
  saveRtt(m, tp);
  saveWindow(m, tp);
  if (tp.reord_degree > m.reordering) m.reordering = tp.reord_degree;
}

/** A longer round trip is taken at once, a shorter one by an eighth; the variance likewise. */
function saveRtt(m: Metric, tp: Tcb): void {
  const delta = i32(m.srtt_us - tp.srtt_us);
  if (delta <= 0) m.srtt_us = tp.srtt_us;
  else m.srtt_us -= u32(delta) >> 3;
  const off = max<u32>(u32(delta < 0 ? -delta : delta) >> 1, tp.rttvar_us);
  if (off >= m.rttvar_us) m.rttvar_us = off;
  else m.rttvar_us -= (m.rttvar_us - off) >> 2;
}

/** What the windows said of the path, as far as they were limited by it. */
function saveWindow(m: Metric, tp: Tcb): void {
  const infinite = tp.ssthresh >= SSTHRESH_INFINITE;
  if (infinite) {
    // no loss yet: what was reached was free
    if (m.ssthresh && tp.cwnd >> 1 > m.ssthresh) m.ssthresh = tp.cwnd >> 1;
    if (tp.cwnd > m.cwnd) m.cwnd = tp.cwnd;
  } else if (tp.cwnd >= tp.ssthresh && tp.ca_state == Ca.OPEN) {
    // congestion avoidance: the window is what the path takes
    m.ssthresh = max<u32>(tp.cwnd >> 1, tp.ssthresh);
    m.cwnd = m.cwnd ? (m.cwnd >> 1) + (tp.cwnd >> 1) : tp.cwnd;
  } else {
    // slow start was not over: only the threshold means something
    m.cwnd = m.cwnd ? (m.cwnd >> 1) + (tp.ssthresh >> 1) : tp.ssthresh;
    if (tp.ssthresh > m.ssthresh) m.ssthresh = tp.ssthresh;
  }
}

/** tcb.create's first threshold: arbitrarily high (RFC 5681 3.1). */
const SSTHRESH_INFINITE: u32 = 0x3fffffff;

/** True if the end of `tp` in its present state is one in order: both FINs are exchanged. */
export function endsWell(tp: Tcb): bool {
  return tp.state == TcpState.LAST_ACK || tp.state == TcpState.TIME_WAIT;
}
