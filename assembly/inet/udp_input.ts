/**
 * UDP input (RFC 768, RFC 1122 4.1): checks a datagram and puts it into the receive buffer of the
 * socket that has its port, or of every member for a group or broadcast.
 *
 * @module
 */

import { Fate } from "../abi/fate";
import { Mf, Mt } from "../abi/mbuf";
import { Ss } from "../abi/socket";
import { Stat } from "../abi/stat";
import * as so_event from "../socket/so_event";
import * as so_filter from "../socket/so_filter";
import { SockAddr } from "../socket/sockaddr";
import * as sockaddr_ops from "../socket/sockaddr_ops";
import * as sockbuf from "../socket/sockbuf";
import * as mbuf from "../sys/mbuf";
import * as mbuf_ops from "../sys/mbuf_ops";
import { Mbuf } from "../sys/mbuf_t";
import * as stat from "../sys/stat";
import * as checksum from "../wire/checksum";
import * as ip4 from "../wire/ip4";
import * as udp from "../wire/udp";
import * as icmp from "./icmp_error";
import * as in_mcast from "./in_mcast";
import * as hash from "./in_pcb_hash";
import { Inp, Inpcb } from "./in_pcb_t";
import { PKT, PktFlag } from "./pkt_t";
import { INFO } from "./udp_pcb";

/** Type and code of the ICMP error that says nobody has the port (RFC 1122 4.1.3.1). */
const UNREACHABLE: u32 = 3;
const PORT: u32 = 3;

/** The sender of the datagram being input. */
const FROM: SockAddr = changetype<SockAddr>(memory.data(offsetof<SockAddr>(), 16));

/** Input entry of the UDP row; m.data is the IP header, off the offset of the UDP header. */
export function input(m: usize, off: u32): void {
  const packet = changetype<Mbuf>(m);
  const fate = check(packet, off);
  if (fate) {
    drop(packet, fate);
    return;
  }
  const h = packet.data + off;
  const sport = udp.sport(h);
  const dport = udp.dport(h);
  if (PKT.flags & (PktFlag.BCAST | PktFlag.MCAST)) {
    deliverAll(packet, off + udp.HLEN, sport, dport);
    return;
  }
  const inp = hash.lookup(INFO, PKT.dst, dport, PKT.src, sport, true);
  if (!inp) {
    stat.fate(Fate.UDP_NO_PORT);
    icmp.error(packet, UNREACHABLE, PORT, 0);
    return;
  }
  const what = deliver(inp, packet, off + udp.HLEN, sport);
  if (what == Fate.UDP_DELIVERED) stat.fate(what);
  else drop(packet, what);
}

/** Cuts the packet to the datagram's length and checks it; the fate to drop it for, or 0. */
function check(m: Mbuf, off: u32): Fate {
  const len = PKT.len;
  if (len < udp.HLEN) return Fate.UDP_SHORT; // RFC 768: the header is 8 bytes
  const h = m.data + off;
  const ulen = udp.length(h);
  if (ulen < udp.HLEN || ulen > len) return Fate.UDP_SHORT;
  if (ulen < len) mbuf_ops.adj(m, -<i32> (len - ulen));
  // RFC 1122 4.1.3.4: a checksum of zero means that the sender made none
  if (udp.sum(h) == 0 || m.flags & Mf.CSUM_L4_OK) return Fate.NONE;
  const pseudo = ip4.pseudo(m.data, ulen);
  if (checksum.finish(checksum.chain(m, off, ulen, pseudo))) return Fate.UDP_CHECKSUM;
  return Fate.NONE;
}

function drop(m: Mbuf, fate: Fate): void {
  stat.fate(fate);
  mbuf.freem(m);
}

/** Takes the headers off. */
function strip(m: Mbuf, n: u32): void {
  if (m.len < n) {
    mbuf_ops.adj(m, n);
    return;
  }
  m.data += n;
  m.len -= n;
  m.pktlen -= n;
}

/**
 * Appends what follows the first `off` bytes of m to a socket's receive buffer, or hands it to the
 * socket's tunnel; of that what the socket's filter keeps. Unless it answers UDP_DELIVERED, m is
 * still the caller's.
 */
function deliver(inp: Inpcb, m: Mbuf, off: u32, sport: u32): Fate {
  const so = inp.so;
  if (so.rcv.filter && !inp.ppcb) {
    // Linux: a filter sees the UDP header, which cannot be cut
    const keep = so_filter.keeps(so, m, off - udp.HLEN);
    if (!keep) return Fate.UDP_FILTERED;
    const cut = m.pktlen - off - (max<u32>(keep, udp.HLEN) - udp.HLEN);
    if (cut) mbuf_ops.adj(m, -<i32> cut);
  }
  strip(m, off);
  if (inp.ppcb) {
    stat.inc(Stat.UDP_IN);
    call_indirect<void>(<u32> inp.ppcb, m, off, so);
    return Fate.UDP_DELIVERED;
  }
  if (so.state & Ss.CANTRCVMORE) return Fate.UDP_BUFFER_FULL;
  sockaddr_ops.fill(FROM, so.family, PKT.src, sport);
  let control = changetype<Mbuf>(0);
  if (inp.flags & Inp.RECVDSTADDR) {
    control = mbuf.get(Mt.CONTROL);
    if (control) {
      store<u32>(control.data, PKT.dst4);
      control.len = 4;
    }
  }
  if (!sockbuf.appendAddr(so.rcv, FROM, m, control)) {
    mbuf.freem(control);
    return Fate.UDP_BUFFER_FULL;
  }
  stat.inc(Stat.UDP_IN);
  so_event.rwakeup(so);
  return Fate.UDP_DELIVERED;
}

/** Whether a socket takes a datagram to a group or broadcast address. */
function wants(inp: Inpcb, sport: u32, dport: u32): bool {
  if (<u32> inp.lport != dport) return false;
  const laddr = hash.laddrOf(inp);
  const bound = sockaddr_ops.eq(laddr, PKT.dst);
  if (inp.conn_hashed) {
    if (<u32> inp.fport != sport || !sockaddr_ops.eq(hash.faddrOf(inp), PKT.src)) return false;
  } else if (!bound && !sockaddr_ops.isAny(laddr)) return false;
  if (PKT.flags & PktFlag.BCAST) return true;
  return in_mcast.allows(inp, PKT.dst4, PKT.ifp, bound);
}

/** Gives every socket that wants it a copy; nobody is told if there is none (RFC 1122 3.2.2). */
function deliverAll(m: Mbuf, off: u32, sport: u32, dport: u32): void {
  const fate = deliverChain(false, m, off, sport, dport, Fate.UDP_NO_PORT_BROADCAST);
  drop(m, deliverChain(true, m, off, sport, dport, fate));
}

/** The same for the sockets of a port that have a peer, or those that have none. */
function deliverChain(
  connected: bool,
  m: Mbuf,
  off: u32,
  sport: u32,
  dport: u32,
  before: Fate,
): Fate {
  let fate = before;
  for (let inp = hash.portChain(INFO, dport, connected); inp; inp = inp.port_next) {
    if (!wants(inp, sport, dport)) continue;
    const copy = mbuf_ops.copym(m, 0, m.pktlen);
    const what = copy ? deliver(inp, copy, off, sport) : Fate.UDP_BUFFER_FULL;
    if (what != Fate.UDP_DELIVERED) mbuf.freem(copy);
    if (fate == Fate.UDP_NO_PORT_BROADCAST || what == Fate.UDP_DELIVERED) fate = what;
  }
  return fate;
}
