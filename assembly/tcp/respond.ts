/** Segments that belong to no connection: resets, and the ACKs of compact records. */
import { IpProto } from "../abi/proto";
import { Stat } from "../abi/stat";
import { Th } from "../abi/tcp";
import * as in_cksum from "../inet/in_cksum";
import * as in_output from "../inet/in_output";
import * as mbuf from "../sys/mbuf";
import { N } from "../sys/net_settings";
import * as stat from "../sys/stat";
import * as checksum from "../wire/checksum";
import * as tcp from "../wire/tcp";
import { Seg } from "./seg_t";

/**
 * Sends a segment without data from `laddr` to `faddr` (16-byte addresses). `optlen` bytes of
 * options are taken from `opts`. Lost silently if there is no memory or no route: TCP will ask
 * again.
 */
export function segment(
  laddr: usize,
  lport: u16,
  faddr: usize,
  fport: u16,
  seq: u32,
  ack: u32,
  flags: u32,
  win: u32,
  opts: usize,
  optlen: u32,
  ttl: u32,
  tos: u32,
): void {
  const m = mbuf.gethdr(60);
  if (!m) return;
  const h = m.data;
  const hlen = tcp.HEADER + optlen;
  tcp.put(h, lport, fport, seq, ack, hlen, flags, win, 0);
  memory.copy(h + tcp.HEADER, opts, optlen);
  const acc = in_cksum.pseudo(laddr, faddr, IpProto.TCP, hlen);
  tcp.setChecksum(h, u16(checksum.finish(checksum.sum(h, hlen, acc))));
  m.len = hlen;
  m.pktlen = hlen;
  if (in_output.sendTo(m, laddr, faddr, IpProto.TCP, ttl, tos, 0) < 0) return;
  stat.inc(Stat.TCP_SEGMENTS_OUT);
  if (flags & Th.RST) stat.inc(Stat.TCP_RST_OUT);
}

/**
 * Answers segment `g` with a reset, as RFC 9293 3.10.7.1 forms it: at its ACK if it has one, else
 * acknowledging it. A reset is never answered.
 */
export function reset(g: Seg, laddr: usize, faddr: usize): void {
  if (g.flags & Th.RST) return;
  const lport = tcp.dport(g.th);
  const fport = tcp.sport(g.th);
  if (g.flags & Th.ACK) {
    segment(laddr, lport, faddr, fport, g.ack, 0, Th.RST, 0, 0, 0, N.ttl, 0);
    return;
  }
  let ack = g.seq + g.len;
  if (g.flags & Th.SYN) ack++;
  if (g.flags & Th.FIN) ack++;
  segment(laddr, lport, faddr, fport, 0, ack, Th.RST | Th.ACK, 0, 0, 0, N.ttl, 0);
}
