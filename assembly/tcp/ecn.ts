/**
 * Explicit congestion notification (SHLD-8, RFC 3168 6.1, RFC 8511): who agrees to it, which
 * segments say that they can be marked, how a mark is told to the sender, and what that does then.
 *
 * ```
 *   receiver                                        sender
 *   CE on data: every ACK says ECE            -->   once a window: reduce, next new data says CWR
 *   CWR: no more ECE, unless CE comes again   <--
 * ```
 *
 * Accurate ECN (RFC 9768) is not there: the settings offer the modes 0 to 2 only.
 */
import { Stat } from "../abi/stat";
import { TcpState, Th } from "../abi/tcp";
import { PKT } from "../inet/pkt_t";
import * as stat from "../sys/stat";
import * as ip4 from "../wire/ip4";
import * as delack from "./delack";
import * as reduction from "./reduction";
import * as rtt from "./rtt";
import { G } from "./seg";
import * as seq from "./seq";
import { T } from "./settings";
import { Tcb, Tf } from "./tcb_t";
import * as timers from "./timers";
import { Row } from "./timers";

/** Bits of Tcb.ecn. */
export const enum Ecn {
  NOT_ECT = 1, // a SYN without ECN has left: no data may be marked, but what is gets its echo
  HELD = 2, // nothing new leaves before the retransmission timer expires
}

/** Values of TcpSettings.ecn. */
export const enum EcnMode {
  OFF = 0,
  ASK = 1, // our SYNs ask, and we agree
  ANSWER = 2, // we agree if the peer asks
}

const BOTH: u32 = Th.ECE | Th.CWR;

/** ACKs that are not delayed once congestion has been seen. */
const QUICK_ACKS: u32 = 2;

/** An active open begins: does its SYN ask for ECN? */
export function request(tp: Tcb): void {
  if (T.ecn == EcnMode.ASK) tp.flags |= Tf.REQ_ECN;
  else tp.flags &= ~Tf.REQ_ECN;
}

/**
 * True if the SYN in G is an ECN-setup SYN (6.1.1), and we agree to it. One that says in its IP
 * header that it can be marked is none (6.1.1 forbids that): something on the path sets the bits.
 */
export function asked(): bool {
  const off = T.ecn != EcnMode.ASK && T.ecn != EcnMode.ANSWER;
  if (off || (G.flags & BOTH) != BOTH) return false;
  return (PKT.tos & ip4.ECN_MASK) == ip4.NOT_ECT;
}

/** SYN-SENT has taken the peer's SYN or SYN-ACK in G: ECN is in force if both sides said so. */
export function synTaken(tp: Tcb): void {
  if (tp.flags & Tf.REQ_ECN && isSetup()) tp.flags |= Tf.ECN;
  G.flags &= ~BOTH; // what follows of the segment does not tell of congestion
}

/**
 * After a simultaneous open the peer's SYN came again, as SYN-ACK: one that is not ECN-setup ends
 * what was agreed (6.1.1).
 */
export function synRepeated(tp: Tcb): void {
  if (!isSetup()) tp.flags &= ~Tf.ECN;
  G.flags &= ~BOTH;
}

/** A SYN-ACK that repeats both flags comes from a host that reflects what it got (6.1.1.2). */
function isSetup(): bool {
  return (G.flags & BOTH) == (G.flags & Th.ACK ? u32(Th.ECE) : BOTH);
}

/** `flags`, with ECE and CWR as the segment of `len` bytes at `s` has to have them. */
export function bits(tp: Tcb, s: u32, len: u32, flags: u32): u32 {
  if (flags & Th.SYN) return synBits(tp, flags);
  if (!(tp.flags & Tf.ECN) || flags & Th.RST) return flags;
  if (tp.flags & Tf.ECE && flags & Th.ACK) flags |= Th.ECE; // 6.1.3
  if (tp.flags & Tf.CWR && isNew(tp, s, len)) flags |= Th.CWR; // 6.1.2: the first new data
  return flags;
}

function synBits(tp: Tcb, flags: u32): u32 {
  if (flags & Th.ACK) return tp.flags & Tf.ECN ? flags | Th.ECE : flags;
  if (!(tp.flags & Tf.REQ_ECN)) return flags;
  // 6.1.1.1: some equipment drops such a SYN; after so many without an answer it goes without
  if (T.ecn_fallback && u32(tp.tries) >= T.ecn_fallback) tp.ecn |= u8(Ecn.NOT_ECT);
  return tp.ecn & Ecn.NOT_ECT ? flags : flags | BOTH;
}

/**
 * True for data that was never sent: retransmissions (6.1.5) and probes of a closed window (6.1.6)
 * are neither marked nor do they say CWR.
 */
function isNew(tp: Tcb, s: u32, len: u32): bool {
  return len > 0 && seq.ge(s, tp.snd_nxt) && !(tp.flags & Tf.FORCE);
}

/** True if routers may mark the segment of `len` bytes at `s`: ECT(0), as 6.1.2 asks. */
export function isCapable(tp: Tcb, s: u32, len: u32): bool {
  return (tp.flags & Tf.ECN) != 0 && !(tp.ecn & Ecn.NOT_ECT) && isNew(tp, s, len);
}

/** A segment with `flags` has left. */
export function sent(tp: Tcb, flags: u32): void {
  if ((flags & (Th.CWR | Th.SYN)) == Th.CWR) tp.flags &= ~Tf.CWR;
}

/** True if a segment that header prediction expects has something to tell here. */
export function isUnusual(tp: Tcb): bool {
  if (!(tp.flags & Tf.ECN)) return false;
  if (G.flags & BOTH || G.ecn == ip4.CE) return true;
  return G.ecn != ip4.NOT_ECT && !(tp.flags & Tf.ECN_SEEN);
}

/**
 * The receiver's part, for the acceptable segment in G (6.1.3). What lies outside the window is
 * not acceptable and tells nothing (6.1.5), a probe of a closed window does (6.1.6).
 *
 * @returns true if its ACK may not wait for others: the first ECE must not be overtaken by a CWR
 * of the same batch.
 */
export function received(tp: Tcb): bool {
  if (!(tp.flags & Tf.ECN)) return false;
  if (G.flags & Th.CWR) {
    tp.flags &= ~Tf.ECE;
    if (G.len > 0) quicken(tp); // the peer's window is small now
  }
  if (G.ecn == ip4.NOT_ECT) return false;
  tp.flags |= Tf.ECN_SEEN;
  if (G.ecn != ip4.CE) return false;
  stat.inc(Stat.TCP_CE_IN);
  if (tp.flags & Tf.ECE) return false;
  tp.flags |= Tf.ECE;
  quicken(tp);
  return true;
}

function quicken(tp: Tcb): void {
  tp.flags |= Tf.ACKNOW;
  delack.enter(tp, QUICK_ACKS);
}

/** True if the ACK in G says that data of ours was marked: the window does not grow (6.1.2). */
export function isEcho(tp: Tcb): bool {
  return (G.flags & Th.ECE) != 0 && (tp.flags & Tf.ECN) != 0;
}

/** The ACK in G tells of one more segment delivered; with ECE it counts as marked. */
export function delivered(tp: Tcb): void {
  tp.delivered++;
  if (isEcho(tp)) tp.delivered_ce++;
}

/**
 * The sender's part: the acceptable ACK in G, whose SND.UNA has been taken, says ECE. Once for each
 * window of data that is an instance of congestion: while the window is being reduced for any
 * reason, another is none (6.1.2).
 */
export function echo(tp: Tcb): void {
  if (tp.state < TcpState.ESTABLISHED || tp.snd_nxt == tp.iss + 1) return; // no data was sent
  const alone = tp.cwnd <= u32(tp.snd_mss);
  if (!reduction.enterCwr(tp)) return;
  stat.inc(Stat.TCP_ECE_REDUCTIONS);
  if (alone) hold(tp);
}

/** 6.1.2: with a window of one segment, new data waits for a retransmission timeout. */
function hold(tp: Tcb): void {
  tp.ecn |= u8(Ecn.HELD);
  timers.set(tp, Row.PACE, rtt.rexmtDelay(tp));
}

/** True as long as the timer that holds back new data runs. */
export function isHeld(tp: Tcb): bool {
  if (tp.ecn & Ecn.HELD && !timers.isSet(tp, Row.PACE)) tp.ecn &= ~u8(Ecn.HELD);
  return (tp.ecn & Ecn.HELD) != 0;
}
