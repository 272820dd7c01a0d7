/** Builds one segment and hands it to the internet layer. What it says was decided by output.ts. */
import { Errno } from "../abi/errno";
import { IpProto } from "../abi/proto";
import { MbufSize, Mf, Mt } from "../abi/mbuf";
import { Stat } from "../abi/stat";
import { Th } from "../abi/tcp";
import * as in_cksum from "../inet/in_cksum";
import * as in_output from "../inet/in_output";
import * as in_pcb from "../inet/in_pcb";
import { IpOut } from "../inet/pkt_t";
import * as if_vnet from "../net/if_vnet";
import * as sockbuf from "../socket/sockbuf";
import * as mbuf from "../sys/mbuf";
import * as ops from "../sys/mbuf_ops";
import { Mbuf } from "../sys/mbuf_t";
import { N } from "../sys/net_settings";
import * as stat from "../sys/stat";
import * as checksum from "../wire/checksum";
import * as ip4 from "../wire/ip4";
import * as tcp from "../wire/tcp";
import * as delack from "./delack";
import * as dsack from "./dsack";
import * as ecn from "./ecn";
import * as options from "./options";
import * as seq from "./seq";
import { Tcb, Tf } from "./tcb_t";
import * as window from "./window";

/** Longest TCP header. */
const HEADER_MAX: u32 = 60;
/** Largest payload that fits into a packet behind all headers. */
export const MAX_PAYLOAD: u32 = ip4.MAXPACKET - ip4.HEADER - HEADER_MAX;
/** Room for the link header and that of IPv4, without options, as they are always sent. */
const LEAD: u32 = MbufSize.MAX_LINKHDR + ip4.HEADER;

/**
 * Sends the segment that starts at `s` with `len` bytes from so_snd and control bits `flags`.
 *
 * @returns 0, or the error of the way down: -ENOBUFS and the errors of routing.
 */
export function send(tp: Tcb, s: u32, len: u32, flags: u32): i32 {
  const inp = tp.inp;
  const rt = in_output.routeOf(inp);
  const m = mbuf.gethdr(HEADER_MAX + len);
  if (!m) return -Errno.ENOBUFS;
  if (HEADER_MAX + len > mbuf.trailing(m)) m.data = m.buf + LEAD;
  const h = m.data;
  const hlen = tcp.HEADER + options.write(tp, flags, h + tcp.HEADER);
  const win = flags & Th.RST ? 0 : window.toAdvertise(tp);
  // RFC 7323 2.2: the window of a SYN is never scaled
  const field = flags & Th.SYN ? min<u32>(win, 0xffff) : win >> u32(tp.rcv_scale);
  const ack = flags & Th.ACK ? tp.rcv_nxt : 0;
  const urgent = isUrgent(tp, s, flags);
  const bits = ecn.bits(tp, s, len, urgent ? flags | Th.URG : flags);
  const pointer = urgent ? tp.snd_up - s - (tp.flags & Tf.STDURG ? 1 : 0) : 0;
  tcp.put(h, inp.lport, inp.fport, s, ack, hlen, bits, field, pointer);
  const partial = rt && if_vnet.isLeftTo(rt.ifp) ? true : false;
  if (!fill(tp, m, s, len, hlen, partial)) return -Errno.ENOBUFS;
  let out: u32 = in_output.mtuBy(inp, rt) > N.pmtu_min ? in_output.discovers(inp) : 0;
  if (ecn.isCapable(tp, s, len)) out |= IpOut.ECT;
  // from the block's address, always the same (MUST-45)
  const err = in_output.sendBy(m, inp, rt, out);
  if (err < 0) return err;
  ecn.sent(tp, bits);
  stat.inc(Stat.TCP_SEGMENTS_OUT);
  tp.segs_out++;
  if (len == 0 && !(flags & (Th.SYN | Th.FIN | Th.RST))) stat.inc(Stat.TCP_ACKS_OUT);
  if (!(flags & (Th.SYN | Th.RST))) dsack.sent(tp);
  if (len > 0) {
    tp.data_segs_out++;
    delack.dataSent(tp);
  }
  if (flags & Th.ACK) acknowledged(tp, flags & Th.SYN ? field : win);
  return 0;
}

/**
 * Copies the payload behind the header, into more mbufs if it must be, and completes the checksum
 * (MUST-2), in one pass; or leaves it to the device (`partial`). False, with m freed, without
 * mbufs.
 */
function fill(tp: Tcb, m: Mbuf, s: u32, len: u32, hlen: u32, partial: bool): bool {
  const inp = tp.inp;
  const h = m.data;
  let acc = in_cksum.pseudo(in_pcb.laddrOf(inp), in_pcb.faddrOf(inp), IpProto.TCP, hlen + len);
  if (partial) {
    m.flags |= u16(Mf.CSUM_PARTIAL);
    tcp.setChecksum(h, u16(~checksum.finish(acc)));
  } else {
    acc = checksum.sum(h, hlen, acc);
  }
  m.len = hlen;
  let off = s - tp.snd_una;
  const end = off + len;
  for (let to = m; off < end;) {
    // an even number, so that the words of the checksum go on in the next mbuf
    const n = min<u32>(end - off, mbuf.trailing(to) & ~1);
    const from = sockbuf.seek(inp.so.snd, off);
    const dst = to.data + to.len;
    if (partial) ops.copydata(from, sockbuf.seekOff(), n, dst);
    else acc = checksum.copyChain(dst, from, sockbuf.seekOff(), n, acc);
    to.len += n;
    off += n;
    if (off == end) break;
    const more = mbuf.getcl(Mt.DATA);
    if (!more) {
      mbuf.freem(m);
      return false;
    }
    to.next = more;
    to = more;
  }
  if (!partial) tcp.setChecksum(h, u16(checksum.finish(acc)));
  m.pktlen = hlen + len;
  return true;
}

/** An ACK has left: it pays all that was owed (RFC 5681 4.2-7); the right edge may have moved. */
function acknowledged(tp: Tcb, win: u32): void {
  tp.last_ack_sent = tp.rcv_nxt;
  if (seq.gt(tp.rcv_nxt + win, tp.rcv_adv)) tp.rcv_adv = tp.rcv_nxt + win;
  if (win > tp.max_rcvwnd) tp.max_rcvwnd = win;
  delack.ackSent(tp);
}

/**
 * True if a segment at `s` tells of urgent data: some lies at or beyond it that is not
 * acknowledged, near enough for the pointer (RFC 9293 3.8.5). Clipped, it would name another byte.
 */
function isUrgent(tp: Tcb, s: u32, flags: u32): bool {
  if (flags & (Th.SYN | Th.RST) || !seq.gt(tp.snd_up, tp.snd_una)) return false;
  return seq.gt(tp.snd_up, s) && tp.snd_up - s <= 0xffff;
}
