/** Connections that a peer opens: made from the record of a handshake, or from a SYN with data. */
import { Fate } from "../abi/fate";
import { Ss } from "../abi/socket";
import { Stat } from "../abi/stat";
import { TcpState, Th } from "../abi/tcp";
import * as in_pcb from "../inet/in_pcb";
import { Inpcb } from "../inet/in_pcb_t";
import { PKT } from "../inet/pkt_t";
import * as so_event from "../socket/so_event";
import * as so_queue from "../socket/so_queue";
import * as sockbuf from "../socket/sockbuf";
import * as clock from "../sys/clock";
import * as mbuf from "../sys/mbuf";
import * as ops from "../sys/mbuf_ops";
import { Mbuf } from "../sys/mbuf_t";
import * as stat from "../sys/stat";
import * as cc from "./cc";
import * as delack from "./delack";
import * as queue from "./fastopen_queue";
import { Tfo } from "./fastopen_t";
import * as inherit from "./inherit";
import * as mtu_probe from "./mtu_probe";
import * as output from "./output";
import * as rack from "./rack";
import * as respond from "./respond";
import * as rtt from "./rtt";
import { G } from "./seg";
import { Opt } from "./seg_t";
import { T } from "./settings";
import * as subr from "./subr";
import * as syncache from "./syncache";
import { Half } from "./syncache_t";
import * as tcb from "./tcb";
import { Tcb, Tf } from "./tcb_t";
import * as window from "./window";

/** There is no room: the peer asks again. */
export function refuse(): void {
  stat.inc(Stat.TCP_BACKLOG_DROPS);
  stat.fate(Fate.TCP_BACKLOG_FULL);
}

/** The ACK in G completes `h`: a socket and a control block, if the backlog has room; else nil. */
export function complete(tp: Tcb, h: Half): Tcb {
  const listener = tp.inp.so;
  const so = so_event.newconn(listener, 0);
  if (!so) {
    refuse();
    if (T.abort_on_overflow && so_queue.full(listener)) {
      respond.reset(G, PKT.dst, PKT.src);
      if (syncache.isRecord(h)) syncache.remove(h);
    }
    // else the record stays, or the cookie stays good: the peer's or our repetition tries again
    return changetype<Tcb>(0);
  }
  const child = subr.ofSocket(so);
  G.wnd <<= h.flags & Tf.SCALE ? u32(h.snd_scale) : 0;
  fill(child, tp, h);
  child.snd_wl1 = G.seq;
  child.snd_wl2 = G.ack;
  if (h.sends == 1) rtt.sample(child, u32(clock.now() - h.sent_at)); // Karn: only if sent once
  else if (h.sends > 1) subr.afterLostSyn(child); // a cookie does not know
  child.inp.so.state |= Ss.ISCONNECTING;
  subr.established(child);
  return child;
}

/**
 * The SYN in G may open a connection with its data (RFC 7413 4.2.2): it can be accepted, read and
 * written before the peer is confirmed. `anew`: the SYN-ACK brings the cookie of a newer key.
 *
 * @returns false if there is no room for it.
 */
export function fastOpen(tp: Tcb, h: Half, anew: bool): bool {
  const so = so_event.newconn(tp.inp.so, Ss.ISCONNECTED);
  if (!so) return false;
  const child = subr.ofSocket(so);
  fill(child, tp, h);
  child.snd_wl1 = G.seq;
  child.snd_wl2 = h.iss;
  queue.enter(child, tp.fo_queue);
  delack.start(child);
  rack.start(child);
  if (anew) child.tfo |= Tfo.OPTION | (G.opts & Opt.FASTOPEN_EXP ? Tfo.EXP : 0);
  if (G.len > 0) takeText(child);
  stat.inc(Stat.TCP_FASTOPEN_PASSIVE);
  output.sendSynAck(child);
  return true;
}

/** The data of the SYN in G, as far as the window reaches. */
function takeText(tp: Tcb): void {
  const m = G.m;
  const so = tp.inp.so;
  const len = min<u32>(G.len, window.offered(tp));
  G.m = changetype<Mbuf>(0); // it is ours now
  ops.adj(m, i32(G.off));
  ops.adj(m, -i32(G.len - len));
  tp.rcv_nxt += len;
  tp.rcv_up = tp.rcv_nxt;
  tp.data_segs_in++;
  tp.bytes_received += len;
  tp.flags |= Tf.SYN_DATA;
  stat.add(Stat.TCP_BYTES_IN, len);
  sockbuf.append(so.rcv, m);
  so_event.rwakeup(so);
}

/** A pending Fast Open has got the SYN in G once more: its SYN-ACK goes once more. */
export function synAgain(tp: Tcb): bool {
  if ((G.flags & (Th.SYN | Th.ACK | Th.RST)) != Th.SYN || G.seq != tp.irs) return false;
  output.resendSyn(tp);
  mbuf.freem(G.m);
  stat.fate(Fate.TCP_SYN_ACCEPTED);
  return true;
}

/** Fills in the new connection from the record and the listener's options. */
function fill(child: Tcb, parent: Tcb, h: Half): void {
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
  child.snd_wnd = G.wnd;
  child.max_sndwnd = G.wnd;
  tcb.setMss(child);
  mtu_probe.start(child);
  cc.start(child);
  stat.inc(Stat.TCP_PASSIVE_OPENS);
  child.state = TcpState.SYN_RECEIVED;
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
