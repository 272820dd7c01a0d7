/**
 * TIME-WAIT in compact records (RFC 9293 3.3.2): what is left of a connection for twice the segment
 * lifetime (MUST-13). All stay equally long, so one list in order of their ends needs one timer.
 */
import { Th } from "../abi/tcp";
import * as arena from "../sys/arena";
import * as clock from "../sys/clock";
import * as pool from "../sys/pool";
import { Pool } from "../sys/pool";
import * as rand from "../sys/rand";
import * as timer from "../sys/timer";
import { Timer } from "../sys/timer";
import * as options from "./options_ts";
import * as respond from "./respond";
import { G } from "./seg";
import { Opt } from "./seg_t";
import * as seq from "./seq";
import { T } from "./settings";
import * as tcb from "./tcb";
import { Tcb, Tf } from "./tcb_t";

/** One connection in TIME-WAIT. */
@unmanaged
@final
export class Tw {
  laddr_hi: u64;
  laddr_lo: u64;
  faddr_hi: u64;
  faddr_lo: u64;
  until: i64; // when it ends, microseconds
  next: Tw; // chain of the table
  newer: Tw; // list in order of the ends
  older: Tw;
  snd_nxt: u32;
  rcv_nxt: u32;
  ts_recent: u32;
  ts_offset: u32;
  lport: u16;
  fport: u16;
  ts: u16; // 1 if timestamps are in force
  wnd: u16; // window field of the last ACK
  ttl: u8; // IP_TTL and IP_TOS of the socket
  tos: u8;
  bucket: u16; // where in the table it is
}

/** State of the module. */
@unmanaged
@final
export class TimewaitState {
  table: usize;
  mask: u32;
  oldest: Tw;
  newest: Tw;
}

/** Buckets for a record at the limit: most look-ups are for none, and then meet none. */
const BUCKETS_PER_RECORD: u32 = 4;
const BUCKETS_MAX: u32 = 65_536; // Tw.bucket has 16 bits

/** How far above the old numbers a reopened connection begins: beyond any unscaled window. */
const ISS_GAP: u32 = 65_537;

const P: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));
const S: TimewaitState = changetype<TimewaitState>(memory.data(offsetof<TimewaitState>(), 16));
const W: Timer = changetype<Timer>(memory.data(offsetof<Timer>(), 16));

export function init(limit: u32): void {
  pool.init(P, offsetof<Tw>(), limit);
  let buckets: u32 = 64;
  while (buckets < BUCKETS_MAX && buckets / BUCKETS_PER_RECORD < limit) buckets <<= 1;
  S.table = arena.alloc(buckets << 2, 64);
  S.mask = buckets - 1;
  timer.setup(W, fire.index, 0);
}

function bucket(lhi: u64, llo: u64, lport: u16, fhi: u64, flo: u64, fport: u16): u32 {
  return u32(rand.hash3(lhi ^ fhi ^ llo, flo, (u64(lport) << 16) | fport)) & S.mask;
}

/** Address of the word that begins the chain of bucket `i`. */
function chain(i: u32): usize {
  return S.table + (usize(i) << 2);
}

/** Leaves a record of `tp`. When there are too many the oldest makes room. */
export function add(tp: Tcb): void {
  let w = changetype<Tw>(pool.getDirty(P)); // every field is set here and in append
  if (!w && S.oldest) {
    remove(S.oldest);
    w = changetype<Tw>(pool.getDirty(P));
  }
  if (!w) return;
  const inp = tp.inp;
  w.laddr_hi = inp.laddr_hi;
  w.laddr_lo = inp.laddr_lo;
  w.faddr_hi = inp.faddr_hi;
  w.faddr_lo = inp.faddr_lo;
  w.lport = inp.lport;
  w.fport = inp.fport;
  w.snd_nxt = tp.snd_nxt;
  w.rcv_nxt = tp.rcv_nxt;
  w.ts_recent = tp.ts_recent;
  w.ts_offset = tp.ts_offset;
  w.ts = tp.flags & Tf.TS ? 1 : 0;
  w.ttl = inp.ttl;
  w.tos = inp.tos;
  w.wnd = u16(min<u32>((tp.rcv_adv - tp.rcv_nxt) >> u32(tp.rcv_scale), 0xffff));
  const i = bucket(w.laddr_hi, w.laddr_lo, w.lport, w.faddr_hi, w.faddr_lo, w.fport);
  w.bucket = u16(i);
  const b = chain(i);
  w.next = changetype<Tw>(load<usize>(b));
  store<usize>(b, changetype<usize>(w));
  append(w);
}

function append(w: Tw): void {
  w.until = clock.now() + 2 * i64(T.msl_us);
  w.newer = changetype<Tw>(0);
  w.older = S.newest;
  if (S.newest) S.newest.newer = w;
  else S.oldest = w;
  S.newest = w;
  if (!timer.pending(W)) timer.arm(W, w.until);
}

function unlist(w: Tw): void {
  if (w.older) w.older.newer = w.newer;
  else S.oldest = w.newer;
  if (w.newer) w.newer.older = w.older;
  else S.newest = w.older;
}

function remove(w: Tw): void {
  unlist(w);
  let link = chain(w.bucket);
  for (let p = changetype<Tw>(load<usize>(link)); p; p = p.next) {
    if (p == w) {
      store<usize>(link, changetype<usize>(w.next));
      break;
    }
    link = changetype<usize>(p) + offsetof<Tw>("next");
  }
  pool.put(P, changetype<usize>(w));
}

function fire(_arg: usize): void {
  const now = clock.now();
  while (S.oldest && S.oldest.until <= now) remove(S.oldest);
  if (S.oldest) timer.arm(W, S.oldest.until);
}

/** The record of a connection, or nil. */
export function find(laddr: usize, lport: u16, faddr: usize, fport: u16): Tw {
  if (!S.oldest) return changetype<Tw>(0);
  const lhi = load<u64>(laddr);
  const llo = load<u64>(laddr, 8);
  const fhi = load<u64>(faddr);
  const flo = load<u64>(faddr, 8);
  const b = chain(bucket(lhi, llo, lport, fhi, flo, fport));
  for (let w = changetype<Tw>(load<usize>(b)); w; w = w.next) {
    if (
      w.fport == fport && w.lport == lport && w.faddr_lo == flo && w.laddr_lo == llo &&
      w.faddr_hi == fhi && w.laddr_hi == lhi
    ) {
      return w;
    }
  }
  return changetype<Tw>(0);
}

/**
 * Processes the segment in G if it belongs to a connection in TIME-WAIT.
 *
 * @returns false if it does not, or if it is a SYN that may open the connection anew: then
 * G.reopen is set and a listener is next, which says with {@link reopened} that it took it.
 */
export function input(laddr: usize, lport: u16, faddr: usize, fport: u16): bool {
  const w = find(laddr, lport, faddr, fport);
  if (!w) return false;
  if (G.flags & Th.RST) return true; // RFC 1337 3, fix F1: ignore RST in TIME-WAIT
  if (G.flags & Th.SYN && !(G.flags & Th.ACK) && isNewer(w)) {
    G.reopen = w.snd_nxt + ISS_GAP;
    return false;
  }
  // an ACK as the peer would send it needs none: two ends in TIME-WAIT would never stop
  const plain = (G.flags & (Th.SYN | Th.FIN | Th.ACK)) == Th.ACK && G.len == 0;
  if (plain && G.seq == w.rcv_nxt && G.ack == w.snd_nxt) return true;
  const old = w.ts && G.opts & Opt.TS && seq.lt(G.ts_val, w.ts_recent);
  if (G.flags & Th.FIN && !old && G.seq + G.len + 1 == w.rcv_nxt) {
    unlist(w); // RFC 9293 3.10.7.4: a repeated FIN restarts the 2 MSL wait
    append(w);
  }
  acknowledge(w, laddr, faddr);
  return true;
}

/** A listener has taken the SYN that input has let pass: the record goes. */
export function reopened(laddr: usize, lport: u16, faddr: usize, fport: u16): void {
  const w = find(laddr, lport, faddr, fport);
  if (w) remove(w);
}

/** Nobody listens where the SYN could have opened the connection anew: it is acknowledged. */
export function refused(laddr: usize, lport: u16, faddr: usize, fport: u16): void {
  const w = find(laddr, lport, faddr, fport);
  if (w) acknowledge(w, laddr, faddr);
}

/**
 * May `tp` connect between the same addresses and ports? With timestamps, once they have moved on:
 * then nothing old can be mistaken for new (RFC 6191 2). The record goes, and the sequence numbers
 * start above what it had sent.
 */
export function reuse(w: Tw, tp: Tcb): bool {
  if (!T.tw_reuse || !w.ts || w.until - clock.now() > 2 * i64(T.msl_us) - 1_000_000) return false;
  tp.iss = w.snd_nxt + ISS_GAP;
  remove(w);
  return true;
}

/** RFC 6191 2 and RFC 9293 3.6.1, SHLD-4: may this SYN reuse the addresses and ports? */
function isNewer(w: Tw): bool {
  if (w.ts && G.opts & Opt.TS && G.ts_val != w.ts_recent) return seq.gt(G.ts_val, w.ts_recent);
  return seq.gt(G.seq, w.rcv_nxt);
}

function acknowledge(w: Tw, laddr: usize, faddr: usize): void {
  const len = w.ts ? options.write(tcb.tsNow(w.ts_offset), w.ts_recent) : 0;
  respond.segment(
    laddr,
    w.lport,
    faddr,
    w.fport,
    w.snd_nxt,
    w.rcv_nxt,
    Th.ACK,
    w.wnd,
    options.BUFFER,
    len,
    w.ttl,
    w.tos,
  );
}

/** Connections in TIME-WAIT. */
export function count(): u32 {
  return P.used;
}
