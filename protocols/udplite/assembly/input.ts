/**
 * UDP-Lite input (RFC 3828 3): checks a datagram and puts it into the receive buffer of the socket
 * that has its port, or of every member for a group or broadcast.
 */
import { Fate } from "../../../assembly/abi/fate";
import { Mt } from "../../../assembly/abi/mbuf";
import { Ss } from "../../../assembly/abi/socket";
import * as icmp_error from "../../../assembly/inet/icmp_error";
import * as in_mcast from "../../../assembly/inet/in_mcast";
import * as in_pcb_hash from "../../../assembly/inet/in_pcb_hash";
import { Inp, Inpcb } from "../../../assembly/inet/in_pcb_t";
import { PKT, PktFlag } from "../../../assembly/inet/pkt_t";
import * as so_event from "../../../assembly/socket/so_event";
import { SockAddr } from "../../../assembly/socket/sockaddr";
import * as sockaddr_ops from "../../../assembly/socket/sockaddr_ops";
import * as sockbuf from "../../../assembly/socket/sockbuf";
import * as mbuf from "../../../assembly/sys/mbuf";
import * as mbuf_ops from "../../../assembly/sys/mbuf_ops";
import * as mbuf_copy from "../../../assembly/sys/mbuf_copy";
import { Mbuf } from "../../../assembly/sys/mbuf_t";
import * as stat from "../../../assembly/sys/stat";
import * as checksum from "../../../assembly/wire/checksum";
import * as ip4 from "../../../assembly/wire/ip4";
import * as udp from "../../../assembly/wire/udp";
import { COVERAGE_MIN, INFO, RECV_COVERAGE, recvCoverage, S } from "./pcb";

/** Type and code of the ICMP error that says nobody has the port (RFC 1122 4.1.3.1). */
const UNREACHABLE: u32 = 3;
const PORT: u32 = 3;

/** The sender of the datagram being input. */
const FROM: SockAddr = changetype<SockAddr>(memory.data(offsetof<SockAddr>(), 16));

/** Input entry of the row; m.data is the IP header, off the offset of the UDP-Lite header. */
export function input(mp: usize, off: u32): void {
  const m = changetype<Mbuf>(mp);
  const covered = check(m, off);
  if (!covered) {
    mbuf.freem(m);
    return;
  }
  const h = m.data + off;
  const sport = udp.sport(h);
  const dport = udp.dport(h);
  if (PKT.flags & (PktFlag.BCAST | PktFlag.MCAST)) {
    deliverAll(m, off + udp.HLEN, sport, dport, covered);
    return;
  }
  const inp = in_pcb_hash.lookup(INFO, PKT.dst, dport, PKT.src, sport, true);
  if (!inp) {
    S.no_port += 1;
    stat.fate(Fate.UDP_NO_PORT);
    icmp_error.error(m, UNREACHABLE, PORT, 0);
    return;
  }
  const fate = deliver(inp, m, off + udp.HLEN, sport, covered);
  stat.fate(fate);
  if (fate != Fate.UDP_DELIVERED) mbuf.freem(m);
}

/** Checks the datagram: the bytes that its checksum covers, 0 if it is to be dropped. */
function check(m: Mbuf, off: u32): u32 {
  const len = PKT.len;
  if (len < udp.HLEN) {
    S.short += 1;
    return refuse(Fate.UDP_SHORT);
  }
  const h = m.data + off;
  const field = udp.length(h);
  const covered = field ? field : len; // RFC 3828 3.1: 0 stands for all of it
  // RFC 3828 3.1: less than the header, or more than there is, is discarded
  if (covered < COVERAGE_MIN || covered > len) {
    S.coverage += 1;
    return refuse(Fate.UDP_SHORT);
  }
  // RFC 3828 3.1: a computed checksum of 0 is sent as all ones, and none at all is not allowed
  const acc = pseudo(m, len);
  if (!udp.sum(h) || checksum.finish(checksum.chain(m, off, covered, acc))) {
    S.checksum += 1;
    return refuse(Fate.UDP_CHECKSUM);
  }
  return covered;
}

function refuse(fate: Fate): u32 {
  stat.fate(fate);
  return 0;
}

/** The pseudo-header has the length of the datagram, not that of what is covered (RFC 3828 3.2). */
function pseudo(m: Mbuf, len: u32): u32 {
  return ip4.pseudo(m.data, len);
}

/** Appends the data of m, behind `off` bytes, to a socket's receive buffer if there is room. */
function deliver(inp: Inpcb, m: Mbuf, off: u32, sport: u32, covered: u32): Fate {
  const so = inp.so;
  const whole = covered == PKT.len;
  if (inp.flags & RECV_COVERAGE && !whole) {
    const least = recvCoverage(inp);
    // RFC 3828 3.1: the receiving application may ask for a minimum
    if (!least || covered < least) {
      S.below += 1;
      return Fate.UDP_CHECKSUM;
    }
  }
  if (so.state & Ss.CANTRCVMORE) return full();
  sockaddr_ops.fill(FROM, so.family, PKT.src, sport);
  let control = changetype<Mbuf>(0);
  if (inp.flags & Inp.RECVDSTADDR) {
    control = mbuf.get(Mt.CONTROL);
    if (control) {
      store<u32>(control.data, PKT.dst4);
      control.len = 4;
    }
  }
  mbuf_ops.adj(m, off);
  if (!sockbuf.appendAddr(so.rcv, FROM, m, control)) {
    mbuf.freem(control);
    return full();
  }
  S.in += 1;
  if (!whole) S.in_partial += 1;
  so_event.rwakeup(so);
  return Fate.UDP_DELIVERED;
}

function full(): Fate {
  S.full += 1;
  return Fate.UDP_BUFFER_FULL;
}

/** Whether a socket takes a datagram to a group or broadcast address. */
function wants(inp: Inpcb, sport: u32, dport: u32): bool {
  if (<u32> inp.lport != dport) return false;
  const laddr = in_pcb_hash.laddrOf(inp);
  const bound = sockaddr_ops.eq(laddr, PKT.dst);
  if (inp.conn_hashed) {
    const faddr = in_pcb_hash.faddrOf(inp);
    if (<u32> inp.fport != sport || !sockaddr_ops.eq(faddr, PKT.src)) return false;
  } else if (!bound && !sockaddr_ops.isAny(laddr)) return false;
  if (PKT.flags & PktFlag.BCAST) return true;
  return bound || in_mcast.accepts(inp, PKT.dst4, PKT.ifp);
}

/** Gives every socket that wants it a copy; nobody is told if there is none (RFC 1122 3.2.2). */
function deliverAll(m: Mbuf, off: u32, sport: u32, dport: u32, covered: u32): void {
  let fate = Fate.UDP_NO_PORT_BROADCAST;
  for (let inp = INFO.first; inp; inp = inp.list_next) {
    if (!wants(inp, sport, dport)) continue;
    const copy = mbuf_copy.copym(m, 0, m.pktlen);
    const found = copy ? deliver(inp, copy, off, sport, covered) : full();
    if (found != Fate.UDP_DELIVERED) mbuf.freem(copy);
    if (fate != Fate.UDP_DELIVERED) fate = found;
  }
  if (fate == Fate.UDP_NO_PORT_BROADCAST) S.no_port += 1;
  stat.fate(fate);
  mbuf.freem(m);
}
