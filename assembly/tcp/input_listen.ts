/** A segment for a listener (RFC 9293 3.10.7.2), and the ACK that completes a handshake. */
import { Fate } from "../abi/fate";
import { Ss } from "../abi/socket";
import { Stat } from "../abi/stat";
import { TcpState, Th } from "../abi/tcp";
import * as in_pcb from "../inet/in_pcb";
import { Inpcb } from "../inet/in_pcb_t";
import * as in_output from "../inet/in_output";
import { PKT } from "../inet/pkt_t";
import * as route from "../net/route";
import * as so_event from "../socket/so_event";
import * as so_queue from "../socket/so_queue";
import * as clock from "../sys/clock";
import * as stat from "../sys/stat";
import * as cc from "./cc";
import * as ecn from "./ecn";
import * as inherit from "./inherit";
import * as mtu_probe from "./mtu_probe";
import * as respond from "./respond";
import * as rtt from "./rtt";
import { G } from "./seg";
import { Opt } from "./seg_t";
import * as seq from "./seq";
import { T } from "./settings";
import * as subr from "./subr";
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
    syncache.remove(h);
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
      return makeConnection(tp, h);
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
    refuse();
    return;
  }
  // a record alone can keep above the numbers of the connection before (RFC 9293 3.6.1)
  if (!G.reopen && syncookie.wanted(syncache.full())) {
    const cookie = syncookie.record(PKT.dst, lport, PKT.src, fport);
    agree(tp, cookie);
    stat.fate(Fate.TCP_SYN_ACCEPTED);
    syncookie.answer(cookie);
    return;
  }
  const fresh = syncache.add(tp.inp, PKT.dst, lport, PKT.src, fport);
  if (!fresh) {
    refuse();
    return;
  }
  if (G.reopen) {
    fresh.iss = G.reopen;
    timewait.reopened(PKT.dst, lport, PKT.src, fport);
  }
  agree(tp, fresh);
  stat.fate(Fate.TCP_SYN_ACCEPTED);
  syncache.answer(fresh);
}

/** There is no room: the peer asks again. */
function refuse(): void {
  stat.inc(Stat.TCP_BACKLOG_DROPS);
  stat.fate(Fate.TCP_BACKLOG_FULL);
}

/**
 * A SYN for a half-open connection. The same again asks for our SYN-ACK; what it says beside is not
 * taken up anew, since that is agreed, but a peer may do without ECN. Another one is challenged, wherever it lies (RFC 5961 4.2):
 * a peer that has begun anew answers with RST, and one that has not is left in peace.
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
  const child = makeConnection(tp, h);
  if (child) syncache.remove(h);
  return child;
}

/** A socket and a control block for `h`, if the backlog has room. */
function makeConnection(tp: Tcb, h: Half): Tcb {
  const listener = tp.inp.so;
  const so = so_event.newconn(listener, 0);
  if (!so) {
    refuse();
    if (T.abort_on_overflow && so_queue.full(listener)) {
      respond.reset(G, PKT.dst, PKT.src);
      if (syncache.isRecord(h)) syncache.remove(h);
    }
    // else the record stays, or the cookie stays good: the peer's or our repetition tries again
    return NONE;
  }
  const child = subr.ofSocket(so);
  open(child, tp, h);
  return child;
}

/** Fills in the new connection from the record and the listener's options. */
function open(child: Tcb, parent: Tcb, h: Half): void {
  address(child.inp, parent.inp, h);
  child.iss = h.iss;
  child.irs = h.irs;
  child.snd_una = h.iss + 1;
  child.snd_nxt = h.iss + 1;
  child.snd_up = h.iss + 1;
  child.recover = h.iss + 1;
  child.rcv_nxt = h.irs + 1;
  child.rcv_up = h.irs + 1;
  child.last_ack_sent = h.irs + 1;
  child.max_rcvwnd = window.ofSyn(parent);
  child.rcv_adv = h.irs + 1 + child.max_rcvwnd;
  child.rcv_mss = h.rcv_mss;
  child.peer_mss = h.peer_mss;
  child.flags = h.flags;
  inherit.options(child, parent);
  if (h.flags & Tf.SCALE) {
    child.snd_scale = h.snd_scale;
    child.rcv_scale = h.rcv_scale;
  }
  child.req_scale = h.rcv_scale;
  child.ts_recent = h.ts_recent;
  child.ts_recent_at = clock.now();
  child.ts_offset = h.ts_offset;
  child.rcvd_at = clock.now();
  G.wnd <<= u32(child.snd_scale);
  child.snd_wnd = G.wnd;
  child.max_sndwnd = G.wnd;
  child.snd_wl1 = G.seq;
  child.snd_wl2 = G.ack;
  tcb.setMss(child);
  mtu_probe.start(child);
  cc.start(child);
  if (h.sends == 1) rtt.sample(child, u32(clock.now() - h.sent_at)); // Karn: only if sent once
  else if (h.sends > 1) subr.afterLostSyn(child); // a cookie does not know
  stat.inc(Stat.TCP_PASSIVE_OPENS);
  child.state = TcpState.SYN_RECEIVED;
  child.inp.so.state |= Ss.ISCONNECTING;
  subr.established(child);
}

function address(inp: Inpcb, parent: Inpcb, h: Half): void {
  inp.laddr_hi = h.laddr_hi;
  inp.laddr_lo = h.laddr_lo;
  inp.faddr_hi = h.faddr_hi;
  inp.faddr_lo = h.faddr_lo;
  inp.lport = h.lport;
  inp.fport = h.fport;
  inp.ttl = parent.ttl;
  inp.tos = parent.tos;
  in_pcb.connInsert(inp);
}
