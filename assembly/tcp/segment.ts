/** Builds one segment and hands it to the internet layer. What it says was decided by output.ts. */
import { Errno } from "../abi/errno";
import { IpProto } from "../abi/proto";
import { MbufSize } from "../abi/mbuf";
import { Stat } from "../abi/stat";
import { Th } from "../abi/tcp";
import * as in_cksum from "../inet/in_cksum";
import * as in_output from "../inet/in_output";
import * as in_pcb from "../inet/in_pcb";
import { IpOut } from "../inet/pkt_t";
import * as sockbuf from "../socket/sockbuf";
import * as mbuf from "../sys/mbuf";
import { Mbuf } from "../sys/mbuf_t";
import { N } from "../sys/net_settings";
import * as stat from "../sys/stat";
import * as checksum from "../wire/checksum";
import * as tcp from "../wire/tcp";
import * as delack from "./delack";
import * as dsack from "./dsack";
import * as ecn from "./ecn";
import * as options from "./options";
import * as seq from "./seq";
import { Tcb, Tf } from "./tcb_t";
import * as window from "./window";

/** Largest payload that fits in one mbuf behind the room for headers. */
export const MAX_PAYLOAD: u32 = MbufSize.MCLBYTES - MbufSize.MAX_HDR - 60;

/**
 * Sends the segment that starts at `s` with `len` bytes from so_snd and control bits `flags`.
 *
 * @returns 0, or the error of the way down: -ENOBUFS and the errors of routing.
 */
export function send(tp: Tcb, s: u32, len: u32, flags: u32): i32 {
  const inp = tp.inp;
  const m = mbuf.gethdr(60 + len);
  if (!m) return -Errno.ENOBUFS;
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
  fill(tp, m, s, len, hlen);
  let out: u32 = in_output.mtu(inp) > N.pmtu_min ? in_output.discovers(inp) : 0;
  if (ecn.isCapable(tp, s, len)) out |= IpOut.ECT;
  const err = in_output.send(m, inp, out); // from the block's address, always the same (MUST-45)
  if (err < 0) return err;
  ecn.sent(tp, bits);
  stat.inc(Stat.TCP_SEGMENTS_OUT);
  if (len == 0 && !(flags & (Th.SYN | Th.FIN | Th.RST))) stat.inc(Stat.TCP_ACKS_OUT);
  if (!(flags & (Th.SYN | Th.RST))) dsack.sent(tp);
  if (len > 0) delack.dataSent(tp);
  if (flags & Th.ACK) acknowledged(tp, flags & Th.SYN ? field : win);
  return 0;
}

/** Copies the payload behind the header and completes the checksum (MUST-2), in one pass. */
function fill(tp: Tcb, m: Mbuf, s: u32, len: u32, hlen: u32): void {
  const inp = tp.inp;
  const h = m.data;
  let acc = in_cksum.pseudo(in_pcb.laddrOf(inp), in_pcb.faddrOf(inp), IpProto.TCP, hlen + len);
  acc = checksum.sum(h, hlen, acc);
  if (len > 0) {
    const sb = inp.so.snd;
    const from = sockbuf.seek(sb, s - tp.snd_una);
    acc = checksum.copyChain(h + hlen, from, sockbuf.seekOff(), len, acc);
  }
  tcp.setChecksum(h, u16(checksum.finish(acc)));
  m.len = hlen + len;
  m.pktlen = hlen + len;
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
