/** A segment for a listener (RFC 9293 3.10.7.2), and the ACK that completes a handshake. */
import { Fate } from "../abi/fate";
import { Stat } from "../abi/stat";
import { Th } from "../abi/tcp";
import * as in_output from "../inet/in_output";
import { PKT } from "../inet/pkt_t";
import * as route from "../net/route";
import * as so_queue from "../socket/so_queue";
import * as stat from "../sys/stat";
import * as ecn from "./ecn";
import * as fastopen_listen from "./fastopen_listen";
import { Verdict } from "./fastopen_listen";
import * as passive from "./passive";
import * as respond from "./respond";
import { G } from "./seg";
import { Opt } from "./seg_t";
import * as seq from "./seq";
import { T } from "./settings";
import * as syncache from "./syncache";
import { Half } from "./syncache_t";
import * as syncookie from "./syncookie";
import * as tcb from "./tcb";
import { Tcb, Tf } from "./tcb_t";
import * as timewait from "./timewait";
import * as window from "./window";

/**
 * Processes the segment in G for the listener `tp`.
 *
 * @returns the connection that it completed, which goes on with the segment; nil if the segment is
 * used up and its fate counted.
 */
export function input(tp: Tcb, lport: u16, fport: u16): Tcb {
  const h = syncache.find(PKT.dst, lport, PKT.src, fport);
  if (G.flags & Th.RST) {
    reset(h);
    return NONE;
  }
  if (G.flags & Th.ACK) return h ? complete(tp, h) : cookieAck(tp, lport, fport);
  if (!(G.flags & Th.SYN)) {
    stat.fate(Fate.TCP_LISTEN_INVALID);
    return NONE;
  }
  synInput(tp, h, lport, fport);
  return NONE;
}

const NONE: Tcb = changetype<Tcb>(0);

/**
 * First check: a reset ends a half-open connection if it is at RCV.NXT; elsewhere in the window it
 * is challenged, and outside ignored (RFC 5961 3.2).
 */
function reset(h: Half): void {
  if (!h) {
    stat.fate(Fate.TCP_LISTEN_INVALID);
  } else if (G.seq == h.irs + 1) {
    stat.inc(Stat.TCP_RST_IN);
    syncache.remove(h); // the listener listens on (MUST-11)
    stat.fate(Fate.TCP_ACCEPTED);
  } else if (inWindow(h)) {
    stat.fate(Fate.TCP_RST_CHALLENGED);
    syncache.acknowledge(h);
  } else {
    stat.fate(Fate.TCP_RST_OUT_OF_WINDOW);
  }
}

/** True if the segment begins in the window that the SYN-ACK has offered. */
function inWindow(h: Half): bool {
  const wnd = max<u32>(window.ofSyn(tcb.ofInp(h.listener)), 1); // an ACK is always valid
  return seq.ge(G.seq, h.irs + 1) && seq.lt(G.seq, h.irs + 1 + wnd);
}

/**
 * Second check: an ACK for nothing is answered with RST, unless it brings back a SYN cookie (RFC
 * 4987 3.6).
 */
function cookieAck(tp: Tcb, lport: u16, fport: u16): Tcb {
  if (syncookie.expected() && !(G.flags & Th.SYN)) {
    const h = syncookie.take(PKT.dst, lport, PKT.src, fport);
    if (h) {
      offer(tp, h);
      return passive.complete(tp, h);
    }
  }
  respond.reset(G, PKT.dst, PKT.src);
  stat.fate(Fate.TCP_LISTEN_INVALID);
  return NONE;
}

/** Third check: SYN. */
function synInput(tp: Tcb, h: Half, lport: u16, fport: u16): void {
  if (h) {
    synAgain(h);
    return;
  }
  const so = tp.inp.so;
  if (so.qlen >= so.qlimit) {
    passive.refuse();
    return;
  }
  // a record alone can keep above the numbers of the connection before (RFC 9293 3.6.1)
  if (!G.reopen && syncookie.wanted(syncache.full())) {
    const cookie = syncache.outside(PKT.dst, lport, PKT.src, fport);
    agree(tp, cookie);
    stat.fate(Fate.TCP_SYN_ACCEPTED);
    syncookie.answer(cookie);
    return;
  }
  const verdict = fastopen_listen.judge(tp);
  if (verdict >= Verdict.TAKE && fastOpen(tp, lport, fport, verdict)) return;
  const fresh = syncache.add(tp.inp, PKT.dst, lport, PKT.src, fport);
  if (!fresh) {
    passive.refuse();
    return;
  }
  begin(tp, fresh);
  if (verdict == Verdict.COOKIE) fresh.fo = fastopen_listen.form();
  syncache.answer(fresh);
}

/** The SYN is taken: `h` gets what it says, and TIME-WAIT ends if it was that. */
function begin(tp: Tcb, h: Half): void {
  if (G.reopen) {
    h.iss = G.reopen;
    timewait.reopened(h.laddr, h.lport, h.faddr, h.fport);
  }
  agree(tp, h);
  stat.fate(Fate.TCP_SYN_ACCEPTED);
}

/** RFC 7413 4.2.2: the data of the SYN is taken at once; false if there is no room for that. */
function fastOpen(tp: Tcb, lport: u16, fport: u16, verdict: Verdict): bool {
  if (so_queue.full(tp.inp.so)) return false;
  const h = syncache.outside(PKT.dst, lport, PKT.src, fport);
  h.iss = tcb.newIss(PKT.dst, lport, PKT.src, fport);
  begin(tp, h);
  return passive.fastOpen(tp, h, verdict == Verdict.TAKE_ANEW);
}

/**
 * A SYN for a half-open connection. The same again asks for our SYN-ACK; what it says beside is not
 * taken up anew, since that is agreed, but a peer may do without ECN. Another one is challenged,
 * wherever it lies (RFC 5961 4.2): a peer that has begun anew answers with RST, and one that has
 * not is left in peace.
 */
function synAgain(h: Half): void {
  if (h.irs == G.seq) {
    const newer = seq.ge(G.ts_val, h.ts_recent);
    if (h.flags & Tf.TS && G.opts & Opt.TS && newer) h.ts_recent = G.ts_val;
    if (!ecn.asked()) h.flags &= ~Tf.ECN; // RFC 3168 6.1.1.1: the peer has fallen back
    stat.fate(Fate.TCP_SYN_ACCEPTED);
    syncache.answer(h);
    return;
  }
  stat.fate(Fate.TCP_SYN_CHALLENGED);
  syncache.acknowledge(h);
}

/** What both sides can do: the options of the SYN, as far as we offer them too. */
function agree(tp: Tcb, h: Half): void {
  h.irs = G.seq;
  h.wnd = G.wnd;
  h.peer_mss = G.opts & Opt.MSS ? u16(G.mss) : u16(T.mss_default);
  offer(tp, h);
  if (tp.flags & Tf.REQ_SCALE && G.opts & Opt.WSCALE) {
    h.flags |= Tf.SCALE;
    h.snd_scale = u8(G.wscale);
  }
  if (tp.flags & Tf.REQ_TS && G.opts & Opt.TS) {
    h.flags |= Tf.TS;
    h.ts_recent = G.ts_val;
  }
  if (tp.flags & Tf.REQ_SACK && G.opts & Opt.SACK_PERMITTED) h.flags |= Tf.SACK;
  if (ecn.asked()) h.flags |= Tf.ECN;
}

/** What the listener gives, whatever the SYN says. */
function offer(tp: Tcb, h: Half): void {
  h.listener = tp.inp;
  h.rcv_scale = window.requestScale(tp);
  const most = min<u32>(PKT.ifp.mtu - 40, in_output.mssFor(route.lookup(PKT.src4)));
  h.rcv_mss = u16(tp.user_mss ? min<u32>(tp.user_mss, most) : most);
}

/** The ACK of our SYN-ACK: the record becomes a connection. */
function complete(tp: Tcb, h: Half): Tcb {
  if (G.ack != h.iss + 1) {
    respond.reset(G, PKT.dst, PKT.src); // RFC 9293 3.10.7.4, SYN-RECEIVED
    stat.fate(Fate.TCP_ACK_INVALID);
    return NONE;
  }
  // RFC 7323 5.3 and the window of the record: nothing has been taken beyond the SYN
  const old = h.flags & Tf.TS && G.opts & Opt.TS && seq.lt(G.ts_val, h.ts_recent);
  if (old || !inWindow(h) || G.flags & Th.SYN) {
    stat.fate(old ? Fate.TCP_PAWS : Fate.TCP_OUT_OF_WINDOW);
    syncache.acknowledge(h);
    return NONE;
  }
  if (waitsForData(tp, h)) {
    stat.inc(Stat.TCP_DEFERRED_ACCEPTS);
    stat.fate(Fate.TCP_ACCEPTED);
    return NONE;
  }
  const child = passive.complete(tp, h);
  if (child) syncache.remove(h);
  return child;
}

/**
 * TCP_DEFER_ACCEPT: the ACK alone does not make a connection; the first data does, or the next ACK
 * once our SYN-ACK has been due so often.
 */
function waitsForData(tp: Tcb, h: Half): bool {
  if (h.repeats >= tp.defer || G.len > 0 || G.flags & Th.FIN) return false;
  h.acked = 1;
  return true;
}
