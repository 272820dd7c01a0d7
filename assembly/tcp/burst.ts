/**
 * Bursts: when much may be sent at once, the segments that follow the first are full ones that
 * differ from it in sequence number, PSH and payload alone. They are made from the frame that the
 * first has become (net/if_clone.ts), and each has a record of its own in flight. What leaves is
 * what a plan for each would have sent, bit for bit; where the device cuts segments, it is one
 * frame that stands for them all.
 */
import { IfCap } from "../abi/ifnet";
import { MbufSize, Mt } from "../abi/mbuf";
import { IpProto } from "../abi/proto";
import { Sb } from "../abi/socket";
import { Stat } from "../abi/stat";
import { TcpState, Th } from "../abi/tcp";
import * as in_cksum from "../inet/in_cksum";
import * as in_output from "../inet/in_output";
import * as in_pcb from "../inet/in_pcb";
import * as if_clone from "../net/if_clone";
import * as sockbuf from "../socket/sockbuf";
import * as mbuf from "../sys/mbuf";
import * as ops from "../sys/mbuf_ops";
import { Mbuf } from "../sys/mbuf_t";
import * as rand from "../sys/rand";
import * as stat from "../sys/stat";
import * as checksum from "../wire/checksum";
import * as tcp from "../wire/tcp";
import * as nagle from "./nagle";
import * as notsent from "./notsent";
import * as options from "./options";
import * as push from "./push";
import * as sent from "./sent";
import * as seq from "./seq";
import { Ca, Tcb, Tf } from "./tcb_t";
import * as timers from "./timers";
import { Row } from "./timers";

/** What all segments of the burst have in common. */
@unmanaged
@final
export class BurstState {
  hlen: u32; // bytes of TCP header
  flags: u32; // Th of all; some get PSH too
  base: u32; // sum of pseudo-header and header without sequence number, flags and checksum
}

const S: BurstState = changetype<BurstState>(memory.data(offsetof<BurstState>(), 16));

/**
 * A full segment of new data, up to snd_nxt, has just left: sends the full ones that may follow it
 * at once. What is left, a short segment or one that is out of the ordinary, is for the plan.
 */
export function follow(tp: Tcb): void {
  const n = count(tp);
  if (n == 0) return;
  const inp = tp.inp;
  const ifp = in_output.ifpFor(inp);
  const mss: u32 = tp.snd_mss;
  if (!ifp || !if_clone.begin(ifp, mss) || !begin(tp)) return;
  const end = ifp.caps & IfCap.VNET_HDR ? extend(tp, n) : clones(tp, n);
  if (end != tp.snd_nxt) account(tp, end);
}

/** Sends up to `n` segments in frames of their own. Answers where the last one ends. */
function clones(tp: Tcb, n: u32): u32 {
  const mss: u32 = tp.snd_mss;
  let s = tp.snd_nxt;
  n = min<u32>(n, if_clone.room(mss));
  while (n > 0 && sent.available()) {
    const m = if_clone.make(rand.public32());
    if (!m) break;
    sent.append(tp, s, s + mss);
    fill(tp, m, s, mss);
    if_clone.queue(m);
    s += mss;
    n--;
  }
  return s;
}

/**
 * Up to `n` segments go with the first, in one frame that the device cuts: all have its headers,
 * and PSH can stand on the last alone. Answers where the last one ends.
 */
function extend(tp: Tcb, n: u32): u32 {
  const mss: u32 = tp.snd_mss;
  const start = tp.snd_nxt;
  if (tcp.flags(if_clone.transport()) & Th.PUSH) return start;
  n = min<u32>(n, if_clone.growth() / mss);
  let end = start;
  let pushed = false;
  for (; n > 0 && !pushed && sent.available(); n--) {
    sent.append(tp, end, end + mss);
    pushed = push.has(tp, end, end + mss);
    end += mss;
  }
  if (end == start) return start;
  const more = copied(tp, start, end - start);
  if (!more) {
    sent.retract(tp, start);
    return start;
  }
  if_clone.grow(more, end - start, mss);
  const inp = tp.inp;
  const th = if_clone.transport();
  const length = S.hlen + mss + end - start;
  const acc = in_cksum.pseudo(in_pcb.laddrOf(inp), in_pcb.faddrOf(inp), IpProto.TCP, length);
  tcp.setChecksum(th, u16(~checksum.finish(acc)));
  if (pushed) store<u8>(th, u8(tcp.flags(th) | Th.PUSH), 13);
  return end;
}

/** A chain with a copy of `len` bytes from `s` on, nil without mbufs. */
function copied(tp: Tcb, s: u32, len: u32): Mbuf {
  let first = changetype<Mbuf>(0);
  let last = first;
  let off = s - tp.snd_una;
  while (len > 0) {
    const m = mbuf.getcl(Mt.DATA);
    if (!m) {
      mbuf.freem(first);
      return m;
    }
    m.len = min<u32>(len, MbufSize.MCLBYTES);
    const from = sockbuf.seek(tp.inp.so.snd, off);
    ops.copydata(from, sockbuf.seekOff(), m.len, m.data);
    off += m.len;
    len -= m.len;
    if (last) last.next = m;
    else first = m;
    last = m;
  }
  return first;
}

/** How many more full segments both windows allow and the plan would not treat otherwise. */
function count(tp: Tcb): u32 {
  if (tp.state < TcpState.ESTABLISHED || tp.ca_state >= Ca.CWR || tp.mtu_low) return 0;
  if (tp.flags & (Tf.FORCE | Tf.ACKNOW | Tf.CWR) || tp.pacing_rate || tp.max_pacing_rate) return 0;
  if (seq.gt(tp.snd_up, tp.snd_una) || timers.isSet(tp, Row.PERSIST)) return 0;
  if (tp.inp.so.snd.flags & Sb.RECORDS) return 0; // a full segment may hold parts of two
  const off = tp.snd_nxt - tp.snd_una;
  const pipe = sent.pipe(tp);
  const peer = tp.snd_wnd > off ? tp.snd_wnd - off : 0;
  const room = tp.cwnd > pipe ? tp.cwnd - pipe : 0;
  const n = min<u32>(min<u32>(peer, room), notsent.unsent(tp)) / tp.snd_mss;
  // the last of all may have FIN, and the last that cwnd allows must say that it is limited: plan
  return n > 1 && options.sackLength(tp) == 0 ? n - 1 : 0;
}

/** Takes the header of the segment that has left; false if it is not this connection's. */
function begin(tp: Tcb): bool {
  const inp = tp.inp;
  const mss: u32 = tp.snd_mss;
  const th = if_clone.transport();
  const hlen = if_clone.transportLength();
  if (hlen != tcp.offset(th) || tcp.seq(th) != tp.snd_nxt - mss) return false;
  if (tcp.sport(th) != inp.lport || tcp.dport(th) != inp.fport) return false;
  S.hlen = hlen;
  S.flags = tcp.flags(th) & ~u32(Th.PUSH | Th.CWR);
  let acc = in_cksum.pseudo(in_pcb.laddrOf(inp), in_pcb.faddrOf(inp), IpProto.TCP, hlen + mss);
  acc = checksum.sum(th, 4, acc);
  acc = checksum.sum(th + 8, 4, acc) + load<u8>(th, 12);
  S.base = checksum.sum(th + 14, 2, acc + load<u16>(th, 18));
  S.base = checksum.sum(th + tcp.HEADER, hlen - tcp.HEADER, S.base);
  return true;
}

/** Completes the segment at `s`: what differs in the header, the payload, and the checksum. */
function fill(tp: Tcb, m: Mbuf, s: u32, mss: u32): void {
  const th = if_clone.transportOf(m);
  const flags = push.has(tp, s, s + mss) ? S.flags | Th.PUSH : S.flags;
  const number = bswap(s);
  store<u32>(th, number, 4);
  store<u8>(th, u8(flags), 13);
  const head = S.base + (number & 0xffff) + (number >> 16) + (flags << 8);
  const from = sockbuf.seek(tp.inp.so.snd, s - tp.snd_una);
  const acc = checksum.copyChain(th + S.hlen, from, sockbuf.seekOff(), mss, head);
  tcp.setChecksum(th, u16(checksum.finish(acc)));
}

/** Books what has left, up to `end`. */
function account(tp: Tcb, end: u32): void {
  const bytes = end - tp.snd_nxt;
  const segments = bytes / tp.snd_mss;
  tp.bytes_sent += bytes;
  tp.segs_out += segments;
  tp.data_segs_out += segments;
  stat.add(Stat.TCP_BYTES_OUT, bytes);
  stat.add(Stat.TCP_SEGMENTS_OUT, segments);
  stat.add(Stat.TCP_CLONED, segments);
  stat.add(Stat.IP_OUT, segments);
  in_output.used(tp.inp, segments);
  nagle.sent(tp, end, true);
  tp.snd_nxt = end;
  notsent.sent(tp);
}
