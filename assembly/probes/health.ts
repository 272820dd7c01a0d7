/**
 * Lets simulations check a whole engine in one call, after every turn: what is out of order is
 * answered as a Health, and `probe_health_at` then says where.
 */
import { TcpState } from "../abi/tcp";
import { Stat } from "../abi/stat";
import * as so_pool from "../socket/so_pool";
import * as sockbuf from "../socket/sockbuf";
import { Socket } from "../socket/socket_t";
import * as arena from "../sys/arena";
import * as mbuf from "../sys/mbuf";
import { Mbuf } from "../sys/mbuf_t";
import * as pool from "../sys/pool";
import * as stat from "../sys/stat";
import * as timer from "../sys/timer";
import { Timer } from "../sys/timer";
import * as seq from "../tcp/seq";
import { Sent, Sf } from "../tcp/sent_t";
import * as tcb from "../tcp/tcb";
import { Tcb, Tf } from "../tcp/tcb_t";
import { Inpcb } from "../inet/in_pcb_t";

/** What can be out of order; sim/health.ts has the words. */
const enum Health {
  FINE = 0,
  MBUFS = 1, // mbufs handed out, less those given back, are not those in use
  RCV_COUNT = 2, // so_rcv does not hold what it counts
  SND_COUNT = 3, // so_snd does not hold what it counts
  SND_ORDER = 4, // not SND.UNA <= SND.NXT (RFC 9293 3.3.1)
  SND_BEYOND = 5, // more in flight than so_snd holds and a FIN
  RCV_ORDER = 6, // not RCV.NXT <= the right edge advertised
  CWND = 7, // a congestion window of nothing
  NO_TIMER = 8, // unacknowledged data, and no timer will ever fire
  SEGQ_ORDER = 9, // segments out of order overlap, or lie below RCV.NXT
  SEGQ_COUNT = 10, // the reassembly queue does not hold what it counts
  TIMER_OWNER = 11, // a timer is on in memory that nobody owns
  TIMER_LINKS = 12, // the links of a timer are broken
  TIMER_COUNT = 13, // the wheel does not hold what it counts
  WATCHERS = 14, // not just one timer over what is in flight
  SENT_GAP = 15, // records of what is in flight leave a gap, or do not reach to SND.NXT
  SENT_FLAGS = 16, // a record says that its segment has arrived and was lost
  SENT_COUNT = 17, // what is reported, lost and sent again is not what the counters say
  SENT_TIMES = 18, // the list by time does not hold what may still be found lost, in order
}

/** State of the module. */
@unmanaged
@final
export class HealthState {
  fault: u32;
  at: usize;
  timers: u32; // seen on the wheel
}

const S: HealthState = changetype<HealthState>(memory.data(offsetof<HealthState>(), 16));

function fail(fault: u32, at: usize): void {
  if (S.fault) return;
  S.fault = fault;
  S.at = at;
}

/** Address of the struct that the last check found out of order. */
export function probe_health_at(): usize {
  return S.at;
}

/** Looks at everything; answers the first Health that is not fine. Call it between turns. */
export function probe_health(): u32 {
  S.fault = Health.FINE;
  S.at = 0;
  const out = stat.get(Stat.MBUF_ALLOCATED) - stat.get(Stat.MBUF_FREED);
  if (out != u64(mbuf.used())) fail(Health.MBUFS, 0);
  const sockets = so_pool.all();
  for (let i: u32 = 0; i < sockets.high; i++) {
    const so = so_pool.at(i);
    if (so) socket(so);
  }
  S.timers = 0;
  timer.each(onTimer.index);
  if (S.timers != timer.count()) fail(Health.TIMER_COUNT, 0);
  return S.fault;
}

function socket(so: Socket): void {
  const at = changetype<usize>(so);
  if (!sockbuf.consistent(so.rcv)) fail(Health.RCV_COUNT, at);
  if (!sockbuf.consistent(so.snd)) fail(Health.SND_COUNT, at);
  if (!so.pcb || !isTcp(so)) return;
  const tp = tcb.peek(changetype<Inpcb>(so.pcb));
  if (tp) connection(so, tp);
}

/** Whether a socket's protocol is TCP, so that its control block has a Tcb. */
function isTcp(so: Socket): bool {
  return so.proto.protocol == 6;
}

function connection(so: Socket, tp: Tcb): void {
  const at = changetype<usize>(tp);
  if (!seq.le(tp.snd_una, tp.snd_nxt)) fail(Health.SND_ORDER, at);
  if (tp.state < TcpState.ESTABLISHED) return;
  const inFlight = tp.snd_nxt - tp.snd_una;
  if (inFlight > so.snd.cc + 1) fail(Health.SND_BEYOND, at);
  // a FIN behind data that fills the window is taken with it
  const fin: u32 = tp.flags & Tf.GOTFIN ? 1 : 0;
  if (!seq.le(tp.rcv_nxt, tp.rcv_adv + fin)) fail(Health.RCV_ORDER, at);
  if (tp.cwnd == 0) fail(Health.CWND, at);
  const waits = tp.flags & Tf.BLOCKED;
  if (inFlight && !waits && !timer.pending(tp.timer)) fail(Health.NO_TIMER, at);
  if (!waits && watchers(tp) != (inFlight && !tp.d_persist ? 1 : 0)) fail(Health.WATCHERS, at);
  reassembly(tp, at);
  records(tp, at);
}

/**
 * Timers over what is in flight. One when nothing is may be that of a refused segment, which is
 * tried again.
 */
function watchers(tp: Tcb): i32 {
  const rexmt = tp.d_rexmt && (tp.sent_count || tp.d_persist) ? 1 : 0;
  return rexmt + (tp.d_probe ? 1 : 0) + (tp.d_reorder ? 1 : 0);
}

/** The runs of data out of order: ascending, apart, above RCV.NXT, and counted. */
function reassembly(tp: Tcb, at: usize): void {
  let end = tp.rcv_nxt;
  let bytes: u32 = 0;
  let count: u32 = 0;
  for (let m: Mbuf = tp.segq; m; m = m.nextpkt) {
    if (!seq.lt(end, m.aux)) fail(Health.SEGQ_ORDER, at);
    end = m.aux + m.pktlen;
    bytes += m.pktlen;
    count += 1;
  }
  if (bytes != tp.segq_bytes || count != tp.segq_count) fail(Health.SEGQ_COUNT, at);
}

/** What is in flight: one record after the other from SND.UNA to SND.NXT, and counted. */
function records(tp: Tcb, at: usize): void {
  let end = tp.snd_una;
  let prev = changetype<Sent>(0);
  let count: u32 = 0;
  let timed: u32 = 0;
  let sacked: u32 = 0;
  let lost: u32 = 0;
  let todo: u32 = 0;
  let resent: u32 = 0;
  for (let r: Sent = tp.sent_first; r; r = r.next) {
    if (r.start != end || !seq.lt(r.start, r.end) || r.prev != prev) fail(Health.SENT_GAP, at);
    const length = r.end - r.start;
    const f = r.flags & (Sf.SACKED | Sf.LOST | Sf.RESENT);
    if (f & Sf.SACKED && f != Sf.SACKED) fail(Health.SENT_FLAGS, at);
    count += 1;
    if (f & Sf.SACKED) sacked += length;
    if (f & Sf.LOST) lost += length;
    if (f & Sf.RESENT) resent += length;
    if ((f & (Sf.LOST | Sf.RESENT)) == Sf.LOST) todo += length;
    else if (!(f & Sf.SACKED)) timed += 1;
    end = r.end;
    prev = r;
  }
  if (end != tp.snd_nxt || tp.sent_last != prev) fail(Health.SENT_GAP, at);
  if (count != tp.sent_count || lost != tp.lost_bytes) fail(Health.SENT_COUNT, at);
  if (todo != tp.lost_todo || resent != tp.resent_bytes) fail(Health.SENT_COUNT, at);
  // without SACK that counter says what duplicate ACKs let us infer
  if (tp.flags & Tf.SACK && sacked != tp.sacked_bytes) fail(Health.SENT_COUNT, at);
  byTime(tp, at, timed);
}

/** The records by the time of sending: those that may still be found lost, the oldest first. */
function byTime(tp: Tcb, at: usize, expected: u32): void {
  let when: i64 = i64.MIN_VALUE;
  let count: u32 = 0;
  for (let r: Sent = tp.rack_first; r; r = r.later) {
    const waits = (r.flags & (Sf.LOST | Sf.RESENT)) == Sf.LOST;
    if (r.at < when || r.flags & Sf.SACKED || waits) fail(Health.SENT_TIMES, at);
    when = r.at;
    count += 1;
  }
  if (count != expected) fail(Health.SENT_TIMES, at);
}

function onTimer(p: usize): void {
  S.timers++;
  const t = changetype<Timer>(p);
  if (t.next.prev != t || t.prev.next != t) fail(Health.TIMER_LINKS, p);
  for (let owner = pool.first(); owner; owner = owner.next) {
    if (p < owner.base || p >= owner.base + usize(owner.item) * owner.high) continue;
    const i = u32((p - owner.base) / owner.item);
    if (!pool.isOut(owner, i)) fail(Health.TIMER_OWNER, p);
    return;
  }
  // Timers of tables stand in static data or were laid out once, in the arena.
  if (p >= arena.top()) fail(Health.TIMER_OWNER, p);
}
