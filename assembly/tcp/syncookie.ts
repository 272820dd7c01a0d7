/**
 * SYN cookies (RFC 4987 3.6): when there is no room for another half-open connection, what its
 * record would hold goes into our initial sequence number, and comes back with the peer's ACK.
 *
 * ```
 *   ISN    | 28 bits of a keyed hash                                | MSS index (3) | count (1) |
 *   TSval  | 26 bits of the timestamp clock     | ECN (1) | SACK permitted (1) | window scale (4) |
 * ```
 *
 * The hash covers addresses, ports, the peer's ISN, a counter of 64 seconds, and all that the other
 * bits say, so that nothing of it can be changed. The low four bits of the ISN are hidden by a mask
 * of the connection. Without timestamps there is no room for scale, SACK and ECN: they are not
 * agreed.
 */
import { Stat } from "../abi/stat";
import * as clock from "../sys/clock";
import * as rand from "../sys/rand";
import * as stat from "../sys/stat";
import { G } from "./seg";
import { Opt } from "./seg_t";
import { T } from "./settings";
import * as syncache from "./syncache";
import { Half } from "./syncache_t";
import * as tcb from "./tcb";
import { Tf } from "./tcb_t";

/** State of the module. */
@unmanaged
@final
export class SyncookieState {
  sent_at: i64; // when the last cookie left, 0: none ever
}

const S: SyncookieState = changetype<SyncookieState>(memory.data(offsetof<SyncookieState>(), 16));

/** A cookie is good in the count in which it was made and in the next one. */
const COUNT_US: i64 = 64_000_000;
/** What the peer's MSS is rounded down to; usual values, since eight is all there is room for. */
const MSS: usize = memory.data<u16>([64, 256, 536, 1220, 1360, 1440, 1460, 8960]);
/** Bits of our timestamp that carry options. */
const OPTION_BITS: u32 = 63;
const SCALE_NONE: u32 = 15;
const SACK_BIT: u32 = 16;
const ECN_BIT: u32 = 32;
/** Keeps the two hashes apart from other uses of the key: "sc". */
const TAG: u64 = 0x7363;

/** True if this SYN is to be answered with a cookie. */
export function wanted(full: bool): bool {
  return T.syncookies >= 2 || (T.syncookies == 1 && full);
}

/** Answers the SYN that `h` describes, and forgets it. */
export function answer(h: Half): void {
  let ts_val = tcb.tsNow(h.ts_offset);
  if (h.flags & Tf.TS) {
    const now = ts_val;
    ts_val = (now & ~OPTION_BITS) | optionBits(h);
    if (i32(ts_val - now) > 0) ts_val -= OPTION_BITS + 1; // the clock may not run backward later
  } else {
    h.flags &= ~(Tf.SCALE | Tf.SACK | Tf.ECN);
  }
  const count = u32(clock.now() / COUNT_US);
  let index: u32 = 7;
  while (index > 0 && load<u16>(MSS + (index << 1)) > h.peer_mss) index--;
  const first = firstHash(h);
  const low = (index << 1) | (count & 1);
  h.iss = mac(h, first, count, low, ts_val) | (low ^ (u32(first) & 15));
  S.sent_at = clock.now();
  stat.inc(Stat.TCP_SYNCOOKIES_SENT);
  syncache.reply(h, ts_val);
}

function optionBits(h: Half): u32 {
  const scale = h.flags & Tf.SCALE ? u32(h.snd_scale) : SCALE_NONE;
  return scale | (h.flags & Tf.SACK ? SACK_BIT : 0) | (h.flags & Tf.ECN ? ECN_BIT : 0);
}

/** The connection's part, the same for every SYN. */
function firstHash(h: Half): u64 {
  const ports = (u64(h.lport) << 48) | (u64(h.fport) << 32) | TAG;
  return rand.siphash(h.laddr_hi ^ h.faddr_hi, h.laddr_lo, h.faddr_lo, ports);
}

/** The upper 28 bits: a hash of everything that the cookie vouches for. */
function mac(h: Half, first: u64, count: u32, low: u32, ts_val: u32): u32 {
  const said = h.flags & Tf.TS ? 0x100 | (ts_val & OPTION_BITS) : 0;
  const hash = rand.siphash(first, (u64(h.irs) << 32) | count, (u64(low) << 32) | said, TAG);
  return u32(hash) & ~u32(15);
}

/** True while an ACK for nothing may be the answer to a cookie of ours. */
export function expected(): bool {
  return T.syncookies != 0 && S.sent_at != 0 && clock.now() - S.sent_at < 2 * COUNT_US;
}

/**
 * Reads the cookie that the ACK in G brings back.
 *
 * @returns the record as it was when the cookie was sent, without rcv_mss; nil if it is not ours,
 * or too old.
 */
export function take(laddr: usize, lport: u16, faddr: usize, fport: u16): Half {
  const h = syncache.outside(laddr, lport, faddr, fport);
  h.irs = G.seq - 1;
  h.iss = G.ack - 1;
  if (G.opts & Opt.TS) h.flags = Tf.TS;
  const first = firstHash(h);
  const low = (h.iss ^ u32(first)) & 15;
  let count = u32(clock.now() / COUNT_US);
  if ((count & 1) != (low & 1)) count--;
  if (mac(h, first, count, low, G.ts_ecr) != (h.iss & ~u32(15))) {
    stat.inc(Stat.TCP_SYNCOOKIES_BAD);
    return changetype<Half>(0);
  }
  stat.inc(Stat.TCP_SYNCOOKIES_TAKEN);
  h.peer_mss = load<u16>(MSS + usize(low >> 1 << 1));
  if (h.flags & Tf.TS) readOptions(h, G.ts_ecr);
  return h;
}

function readOptions(h: Half, ts_ecr: u32): void {
  const scale = ts_ecr & 15;
  h.ts_recent = G.ts_val;
  if (scale != SCALE_NONE) {
    h.flags |= Tf.SCALE;
    h.snd_scale = u8(scale);
  }
  if (ts_ecr & SACK_BIT) h.flags |= Tf.SACK;
  if (ts_ecr & ECN_BIT) h.flags |= Tf.ECN;
}
