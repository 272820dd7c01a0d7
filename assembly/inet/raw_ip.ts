/**
 * Raw IP sockets: a program receives whole IP packets and sends any protocol, with an IP header of
 * its own if it sets IP_HDRINCL. RFC 1122 3.4 leaves open who gets what; the rule is Linux's: every
 * socket that matches by protocol, bound address and peer gets a copy, also of what the stack takes
 * itself, TCP, UDP and echo requests too (4.4BSD keeps those three to itself). As in 4.4BSD, ICMP
 * and IGMP messages with a wrong checksum reach nobody.
 *
 * @module
 */

import { Errno } from "../abi/errno";
import { Fate } from "../abi/fate";
import { IpProto, Pr, Prco, Pru } from "../abi/proto";
import { Af, RawOpt, Sock, Ss } from "../abi/socket";
import { Rtentry } from "../net/route_t";
import * as domain from "../protocol/domain";
import { Protosw } from "../protocol/protosw";
import * as so_event from "../socket/so_event";
import * as so_filter from "../socket/so_filter";
import { SockAddr } from "../socket/sockaddr";
import * as sockaddr_ops from "../socket/sockaddr_ops";
import * as sockbuf from "../socket/sockbuf";
import { Socket } from "../socket/socket_t";
import * as mbuf from "../sys/mbuf";
import * as mbuf_ops from "../sys/mbuf_ops";
import { Mbuf } from "../sys/mbuf_t";
import * as in_mcast from "./in_mcast";
import * as in_output from "./in_output";
import * as in_pcb from "./in_pcb";
import { faddrOf, InpcbInfo, laddrOf } from "./in_pcb_hash";
import { Inp, Inpcb } from "./in_pcb_t";
import * as ip_ctloutput from "./ip_ctloutput";
import * as pcb_usrreq from "./pcb_usrreq";
import { HOOKS, IpOut, PKT, PktFlag } from "./pkt_t";

/** Bytes of an IP header without options, and of the largest packet. */
const HLEN: u32 = 20;
const PACKET_MAX: u32 = 65535;

const INFO: InpcbInfo = changetype<InpcbInfo>(memory.data(offsetof<InpcbInfo>(), 16));
/** The sender of the packet being input, and an address being worked on. */
const FROM: SockAddr = changetype<SockAddr>(memory.data(offsetof<SockAddr>(), 16));
const ADDR: usize = memory.data(16, 16);

/**
 * Adds the rows for SOCK_RAW to domain AF_INET: IPPROTO_RAW and the wildcard that stands for every
 * other protocol. ENOBUFS without memory, EINVAL when the domain is not configured.
 */
export function register(): i32 {
  if (!in_pcb.initInfo(INFO, IpProto.RAW, 16)) return -Errno.ENOBUFS;
  const wildcard = domain.addRow(Af.INET, Sock.RAW, 0, Pr.ATOMIC | Pr.ADDR);
  const raw = domain.addRow(Af.INET, Sock.RAW, IpProto.RAW, Pr.ATOMIC | Pr.ADDR);
  if (!wildcard || !raw) return -Errno.EINVAL;
  enter(wildcard);
  enter(raw);
  return 0;
}

/** Fills in the entries of a row. */
function enter(row: Protosw): void {
  row.ctloutput = ctloutput.index;
  row.usrreq = usrreq.index;
}

/**
 * Options: ICMP_FILTER at level IPPROTO_RAW, a bit for each of the types 0 to 31 of ICMP that the
 * socket does not want; and those of level IPPROTO_IP. EOPNOTSUPP: not a socket for ICMP.
 */
export function ctloutput(op: i32, so: usize, level: i32, name: i32, ptr: usize, len: i32): i32 {
  if (level != IpProto.RAW) return ip_ctloutput.entry(op, so, level, name, ptr, len);
  const inp = changetype<Inpcb>(changetype<Socket>(so).pcb);
  if (!inp) return -Errno.EINVAL;
  if (name != RawOpt.ICMP_FILTER) return -Errno.ENOPROTOOPT;
  if (inp.protocol != IpProto.ICMP) return -Errno.EOPNOTSUPP;
  if (len < 4) return -Errno.EINVAL;
  if (op == Prco.SETOPT) {
    inp.ppcb = load<u32>(ptr);
    return 0;
  }
  store<u32>(ptr, <u32> inp.ppcb);
  return 4;
}

/** Offers a packet to the raw sockets; see HOOKS in pkt_t. */
export function rawHook(m: usize): Fate {
  let fate = Fate.NONE;
  // the last raw socket has gone: packets come here no more
  if (!INFO.first) HOOKS.raw = 0;
  for (let inp = INFO.first; inp; inp = inp.list_next) {
    if (!wants(inp, changetype<Mbuf>(m))) continue;
    const what = deliver(inp, changetype<Mbuf>(m));
    if (fate != Fate.RAW_DELIVERED) fate = what;
  }
  return fate;
}

/** Whether a socket asks for the packet that PKT describes. */
function wants(inp: Inpcb, m: Mbuf): bool {
  const protocol: u32 = inp.protocol;
  if (protocol != PKT.protocol && protocol != IpProto.IP) return false;
  if (protocol == IpProto.ICMP) {
    const type: u32 = load<u8>(m.data + PKT.hlen);
    if (type < 32 && (<u32> inp.ppcb >> type) & 1) return false;
  }
  const laddr = laddrOf(inp);
  const bound = sockaddr_ops.eq(laddr, PKT.dst);
  if (!bound && !sockaddr_ops.isAny(laddr)) return false;
  const faddr = faddrOf(inp);
  if (!sockaddr_ops.isAny(faddr) && !sockaddr_ops.eq(faddr, PKT.src)) return false;
  if (!(PKT.flags & PktFlag.MCAST)) return true;
  return in_mcast.allows(inp, PKT.dst4, PKT.ifp, bound);
}

/**
 * Appends a copy of the packet, IP header included, to a socket's receive buffer if it fits; of
 * that what the socket's filter keeps.
 */
function deliver(inp: Inpcb, m: Mbuf): Fate {
  const so = inp.so;
  if (so.state & Ss.CANTRCVMORE) return Fate.RAW_DELIVERED; // the user wants no more of it
  const keep = so_filter.keeps(so, m, 0);
  if (!keep) return Fate.RAW_FILTERED;
  const copy = mbuf_ops.copym(m, 0, keep);
  if (!copy) return Fate.RAW_BUFFER_FULL;
  sockaddr_ops.fill(FROM, so.family, PKT.src, 0);
  if (!sockbuf.appendAddr(so.rcv, FROM, copy, changetype<Mbuf>(0))) {
    mbuf.freem(copy);
    return Fate.RAW_BUFFER_FULL;
  }
  so_event.rwakeup(so);
  return Fate.RAW_DELIVERED;
}

/** User requests; see Protosw. */
export function usrreq(so: usize, req: i32, m: usize, nam: usize, arg: i32): i32 {
  const socket = changetype<Socket>(so);
  const inp = changetype<Inpcb>(socket.pcb);
  const name = changetype<SockAddr>(nam);
  if (req == Pru.SEND && inp) return send(inp, changetype<Mbuf>(m), name);
  mbuf.freem(changetype<Mbuf>(m));
  if (req == Pru.ATTACH) return attach(socket, arg);
  if (!inp) return -Errno.EINVAL;
  if (req == Pru.BIND) return bind(inp, name);
  return req == Pru.CONNECT ? connect(inp, name) : pcb_usrreq.request(socket, inp, req, name);
}

/**
 * PRU_ATTACH; arg is the protocol number asked for. 0 receives every protocol; 255 (IPPROTO_RAW)
 * none, and sends with headers of its own.
 */
function attach(so: Socket, arg: i32): i32 {
  if (arg < 0 || arg > 255) return -Errno.EPROTONOSUPPORT;
  const error = pcb_usrreq.attach(so, INFO);
  if (error < 0) return error;
  const inp = changetype<Inpcb>(so.pcb);
  inp.protocol = <u8> arg;
  HOOKS.raw = rawHook.index;
  if (arg == IpProto.RAW) inp.flags |= Inp.HDRINCL;
  return 0;
}

/** PRU_BIND: takes packets to one address only. EADDRNOTAVAIL: not ours. */
function bind(inp: Inpcb, nam: SockAddr): i32 {
  if (!nam) return -Errno.EINVAL;
  const error = in_pcb.checkLocal(inp.so, nam);
  if (error < 0) return error;
  sockaddr_ops.copyNormal(laddrOf(inp), changetype<usize>(nam));
  if (!sockaddr_ops.isAny(laddrOf(inp))) inp.flags |= Inp.BOUNDADDR;
  return 0;
}

/** PRU_CONNECT: sends to, and takes packets from, one address only. */
function connect(inp: Inpcb, nam: SockAddr): i32 {
  const error = in_pcb.checkPeer(inp.so, nam, false, faddrOf(inp));
  if (error < 0) return error;
  inp.route = changetype<Rtentry>(0);
  so_event.isConnected(inp.so);
  return 0;
}

/**
 * PRU_SEND: owns m. EMSGSIZE: beyond 65535 bytes with its header; EINVAL: a header of the user's
 * own (IP_HDRINCL) that is malformed; EDESTADDRREQ; errors of routing.
 */
function send(inp: Inpcb, m: Mbuf, nam: SockAddr): i32 {
  let error = 0;
  if (nam) error = in_pcb.checkPeer(inp.so, nam, false, ADDR);
  else if (sockaddr_ops.isAny(faddrOf(inp))) error = -Errno.EDESTADDRREQ;
  else sockaddr_ops.copy(ADDR, faddrOf(inp));
  if (error < 0) {
    mbuf.freem(m);
    return error;
  }
  if (inp.flags & Inp.HDRINCL) return sendWithHeader(inp, m);
  if (m.pktlen + HLEN > PACKET_MAX) {
    mbuf.freem(m);
    return -Errno.EMSGSIZE;
  }
  const dst = sockaddr_ops.get4(ADDR);
  let src = sockaddr_ops.get4(laddrOf(inp));
  if (!src || sockaddr_ops.isGroup4(src) || in_pcb.isBroadcast(src)) {
    error = in_pcb.source4(inp, dst, ADDR);
    if (error < 0) {
      mbuf.freem(m);
      return error;
    }
    src = sockaddr_ops.get4(ADDR);
  }
  return in_output.send4(m, inp, src, dst, changetype<Rtentry>(0), 0);
}

/** Sends a packet that begins with the user's IP header, to the destination which that names. */
function sendWithHeader(inp: Inpcb, m: Mbuf): i32 {
  const total = m.pktlen;
  if (total > PACKET_MAX || total < HLEN) {
    mbuf.freem(m);
    return total < HLEN ? -Errno.EINVAL : -Errno.EMSGSIZE;
  }
  m = mbuf_ops.pullup(m, HLEN);
  if (!m) return -Errno.ENOBUFS;
  const first: u32 = load<u8>(m.data);
  const hlen = (first & 15) << 2;
  if (first >> 4 != 4 || hlen < HLEN || hlen > total) {
    mbuf.freem(m);
    return -Errno.EINVAL;
  }
  const src = bswap<u32>(load<u32>(m.data, 12));
  const dst = bswap<u32>(load<u32>(m.data, 16));
  return in_output.send4(m, inp, src, dst, changetype<Rtentry>(0), IpOut.HDRINCL);
}
