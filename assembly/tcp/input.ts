/**
 * The protocol switch's way into TCP: checks a segment's form, finds the connection it belongs to,
 * and runs the steps of RFC 9293 3.10.7 over it. Every segment gets exactly one fate.
 */
import { Fate } from "../abi/fate";
import { Mf } from "../abi/mbuf";
import { Stat } from "../abi/stat";
import { TcpState, Th } from "../abi/tcp";
import * as in_pcb from "../inet/in_pcb";
import { PKT, PktFlag } from "../inet/pkt_t";
import * as gro from "../net/gro";
import * as clock from "../sys/clock";
import * as mbuf from "../sys/mbuf";
import * as ops from "../sys/mbuf_ops";
import { Mbuf } from "../sys/mbuf_t";
import * as stat from "../sys/stat";
import * as checksum from "../wire/checksum";
import * as ip4 from "../wire/ip4";
import * as tcp from "../wire/tcp";
import * as opt from "../wire/tcp_options";
import * as ackStep from "./input_ack";
import * as check from "./input_check";
import * as dataStep from "./input_data";
import * as fast from "./input_fast";
import * as listen from "./input_listen";
import * as synsent from "./input_synsent";
import { INFO } from "./info";
import { Tfo } from "./fastopen_t";
import * as output from "./output";
import { G } from "./seg";
import { Step } from "./seg_t";
import * as passive from "./passive";
import * as respond from "./respond";
import { T } from "./settings";
import * as tcb from "./tcb";
import { Tcb, Tf } from "./tcb_t";
import * as timewait from "./timewait";
import * as urgent from "./urgent";

/** The options of the segment being input. */
const O: opt.Options = changetype<opt.Options>(memory.data(offsetof<opt.Options>(), 16));

/** pr_input: a packet whose transport header lies `off` bytes into `mp`. */
export function input(mp: usize, off: u32): void {
  const m = changetype<Mbuf>(mp);
  if (!(m.flags & Mf.MERGED)) segment(m, off);
  else if (!predicted(m, off)) apart(m, off);
}

/** Segments that were put together, after all checks of their form: taken if they are expected. */
function predicted(m: Mbuf, off: u32): bool {
  header(m, off, tcp.offset(m.data + off), PKT.len);
  const inp = in_pcb.lookup(INFO, PKT.dst, tcp.dport(G.th), PKT.src, tcp.sport(G.th), false);
  if (!inp) return false;
  const tp = tcb.ofInp(inp);
  G.wnd <<= u32(tp.snd_scale); // RFC 7323 2.3
  if (!fast.input(tp)) return false;
  tp.rcvd_at = clock.now();
  stat.add(Stat.TCP_SEGMENTS_IN, G.segs);
  tp.segs_in += G.segs;
  tp.data_segs_in += G.segs;
  return true;
}

/**
 * Segments that were put together, and are not what was expected: each is judged, counted and, if
 * out of order, acknowledged by itself (RFC 5681 4.2).
 */
function apart(m: Mbuf, off: u32): void {
  stat.inc(Stat.TCP_PARTED);
  for (;;) {
    stat.clearFate();
    const rest = gro.part(m);
    PKT.len = m.pktlen - off;
    segment(m, off);
    if (!rest) return;
    stat.endFrame();
    m = rest;
  }
}

/** One packet, be it a segment or a large one that a device or this memory has made of many. */
function segment(m: Mbuf, off: u32): void {
  stat.add(Stat.TCP_SEGMENTS_IN, m.segs > 1 ? u64(m.segs) : 1);
  m = parse(m, off);
  if (!m) return;
  if (T.drop_synfin && (G.flags & (Th.SYN | Th.FIN)) == (Th.SYN | Th.FIN)) {
    done(Fate.TCP_SYN_FIN);
    return;
  }
  const dst = PKT.dst;
  const src = PKT.src;
  const lport = tcp.dport(G.th);
  const fport = tcp.sport(G.th);
  const inp = in_pcb.lookup(INFO, dst, lport, src, fport, false);
  if (inp) {
    toConnection(tcb.ofInp(inp));
  } else if (timewait.input(dst, lport, src, fport)) {
    done(Fate.TCP_TIME_WAIT);
  } else {
    toListener(lport, fport);
  }
}

/** Fills in G; nil if the segment was malformed, freed and counted. */
function parse(m: Mbuf, off: u32): Mbuf {
  const group = (m.flags & (Mf.BCAST | Mf.MCAST)) != 0 ||
    (PKT.flags & (PktFlag.BCAST | PktFlag.MCAST)) != 0;
  if (group) return refuse(m, Fate.TCP_BROADCAST); // RFC 9293 MUST-57
  const len = PKT.len;
  if (len < tcp.HEADER) return refuse(m, Fate.TCP_SHORT);
  if (m.len < off + tcp.HEADER) {
    m = ops.pullup(m, off + tcp.HEADER);
    if (!m) return refuse(m, Fate.NO_BUFFERS);
  }
  const hlen = tcp.offset(m.data + off);
  if (hlen < tcp.HEADER || hlen > len) return refuse(m, Fate.TCP_SHORT);
  if (!(m.flags & Mf.CSUM_L4_OK) && !checksumOk(m, off, len)) { // MUST-3
    return refuse(m, Fate.TCP_CHECKSUM);
  }
  if (m.len < off + hlen) {
    m = ops.pullup(m, off + hlen);
    if (!m) return refuse(m, Fate.NO_BUFFERS);
  }
  header(m, off, hlen, len);
  return m;
}

function checksumOk(m: Mbuf, off: u32, len: u32): bool {
  return checksum.finish(checksum.chain(m, off, len, ip4.pseudo(m.data, len))) == 0;
}

/** Fills in G, with the options, whatever the segment (MUST-5). */
function header(m: Mbuf, off: u32, hlen: u32, len: u32): void {
  const th = m.data + off;
  G.m = m;
  G.th = th;
  G.off = off + hlen;
  G.seq = tcp.seq(th);
  G.ack = tcp.ack(th);
  G.wnd = tcp.window(th);
  G.up = tcp.urgent(th);
  G.flags = tcp.flags(th);
  G.len = len - hlen;
  G.ecn = G.len > 0 && !(G.flags & Th.SYN) ? PKT.tos & ip4.ECN_MASK : 0;
  G.segs = max<u32>(m.segs, 1);
  G.size_each = m.segs > 1 ? u32(m.seg_size) : G.len;
  G.acked = 0;
  G.reopen = 0;
  const olen = hlen - tcp.HEADER;
  if (opt.isPlainTs(th + tcp.HEADER, olen)) {
    G.opts = 16;
    G.ts_val = bswap(load<u32>(th, 24));
    G.ts_ecr = bswap(load<u32>(th, 28));
  } else if (olen == 0) {
    G.opts = 0;
  } else {
    opt.parse(th + tcp.HEADER, olen, O);
    G.opts = O.present;
    G.mss = O.mss;
    G.wscale = O.wscale;
    G.ts_val = O.ts_val;
    G.ts_ecr = O.ts_ecr;
    G.sack_n = O.sack_n;
    G.sack = O.sack;
    G.cookie = O.cookie;
    G.cookie_len = O.cookie_len;
  }
}

function refuse(m: Mbuf, fate: Fate): Mbuf {
  stat.fate(fate);
  mbuf.freem(m);
  return changetype<Mbuf>(0);
}

/** The segment is used up. */
function done(fate: Fate): void {
  stat.fate(fate);
  mbuf.freem(G.m);
}

/** No connection: a listener may take it, else it is answered with RST (3.10.7.1). */
function toListener(lport: u16, fport: u16): void {
  const inp = in_pcb.lookup(INFO, PKT.dst, lport, PKT.src, fport, true);
  const tp = inp ? tcb.ofInp(inp) : changetype<Tcb>(0);
  if (!tp || tp.state != TcpState.LISTEN) {
    if (G.reopen) {
      timewait.refused(PKT.dst, lport, PKT.src, fport);
      done(Fate.TCP_TIME_WAIT);
      return;
    }
    if (answersStrangers()) respond.reset(G, PKT.dst, PKT.src);
    done(G.flags & Th.RST ? Fate.TCP_NO_CONNECTION_RST : Fate.TCP_NO_CONNECTION);
    return;
  }
  const child = listen.input(tp, lport, fport);
  if (!child) {
    mbuf.freem(G.m);
    return;
  }
  // the ACK that completed the handshake may carry data, or FIN
  child.segs_in += G.segs;
  if (G.len > 0) child.data_segs_in += G.segs;
  if (G.flags & Th.URG) urgent.normalize(child);
  steps(child, Fate.TCP_CONNECTION_MADE);
}

/** Does a segment for no socket get its RST? The setting blackhole hides closed ports. */
function answersStrangers(): bool {
  return T.blackhole == 0 || (T.blackhole == 1 && !(G.flags & Th.SYN));
}

function toConnection(tp: Tcb): void {
  tp.rcvd_at = clock.now();
  tp.segs_in += G.segs;
  if (G.len > 0) tp.data_segs_in += G.segs;
  if (!(G.flags & Th.SYN)) G.wnd <<= u32(tp.snd_scale); // RFC 7323 2.3
  if (fast.input(tp)) return;
  if (tp.tfo & Tfo.PENDING && passive.synAgain(tp)) return;
  if (G.flags & Th.URG) urgent.normalize(tp);
  if (tp.state == TcpState.SYN_SENT) {
    const step = synsent.input(tp);
    if (step == Step.CONTINUE) return afterSynSent(tp);
    mbuf.freem(G.m);
    return;
  }
  steps(tp, Fate.TCP_ACCEPTED);
}

/** A SYN-ACK may carry data and FIN: the sixth step onward. */
function afterSynSent(tp: Tcb): void {
  if (dataStep.input(tp) == Step.CONTINUE) finish(tp, Fate.TCP_ACCEPTED);
  else mbuf.freem(G.m);
}

/** The steps of RFC 9293 3.10.7.4, in order. */
function steps(tp: Tcb, fate: Fate): void {
  let step = check.acceptable(tp); // first: sequence number (and PAWS)
  if (step == Step.CONTINUE) step = check.reset(tp); // second: RST
  if (step == Step.CONTINUE) step = check.syn(tp); // fourth: SYN
  if (step == Step.CONTINUE) step = ackStep.input(tp); // fifth: ACK
  if (step == Step.CONTINUE) step = dataStep.input(tp); // sixth to eighth: URG, text, FIN
  if (step == Step.CONTINUE) {
    finish(tp, fate);
    return;
  }
  mbuf.freem(G.m);
  if (step == Step.DROP && tp.flags & Tf.ACKNOW) output.output(tp);
}

/** Counts the segment and sees to it that what it calls for is sent. */
function finish(tp: Tcb, fate: Fate): void {
  mbuf.freem(G.m);
  if (stat.lastFate() == 0) stat.fate(fate);
  if (tp.flags & Tf.FREED) return;
  if (dataStep.urgentAck(tp)) output.output(tp);
  else tcb.wantOutput(tp);
}
