/**
 * Internet protocol control blocks: the addresses and ports of endpoints, for TCP, UDP and raw
 * sockets of both families. The tables are in in_pcb_hash, ephemeral ports in ports.
 *
 * @module
 */

import { Errno } from "../abi/errno";
import { IpProto, Pr, Prc } from "../abi/proto";
import { Rtf } from "../abi/route";
import { Af, Pmtud } from "../abi/socket";
import * as net_if from "../net/if";
import * as if_list from "../net/if_list";
import { Ifnet } from "../net/ifnet_t";
import * as route from "../net/route";
import { Rtentry } from "../net/route_t";
import { SockAddr } from "../socket/sockaddr";
import * as sockaddr_ops from "../socket/sockaddr_ops";
import { Socket } from "../socket/socket_t";
import { N } from "../sys/net_settings";
import * as pool from "../sys/pool";
import { Pool } from "../sys/pool";
import * as rand from "../sys/rand";
import * as in_mcast from "./in_mcast";
import * as hash from "./in_pcb_hash";
import { faddrOf, InpcbInfo, laddrOf } from "./in_pcb_hash";
import { Inp, Inpcb } from "./in_pcb_t";
import * as ports from "./ports";

export {
  connInsert,
  connRemove,
  faddrOf,
  initInfo,
  InpcbInfo,
  laddrOf,
  lookup,
  portInsert,
  portRemove,
} from "./in_pcb_hash";

/** 127.0.0.1, which stands for this host when a program connects to the unspecified address. */
const LOOPBACK: u32 = 0x7f000001;

const blocks: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));
const NULL_ADDR: usize = memory.data(16, 16);
const PATH: usize = memory.data(4, 16); // what pathOf answers
const CONNECT: usize = memory.data(32, 16); // what connect works on: the peer's address, ours

/** Makes room for `limit` control blocks of all protocols together. False without memory. */
export function init(limit: u32): bool {
  return pool.init(blocks, <u32> offsetof<Inpcb>(), limit);
}

/** Makes the control block of a socket, at so.pcb. ENOBUFS. */
export function alloc(so: Socket, info: InpcbInfo): i32 {
  const inp = changetype<Inpcb>(pool.get(blocks));
  if (!inp) return -Errno.ENOBUFS;
  inp.so = so;
  inp.info = changetype<usize>(info);
  inp.protocol = <u8> info.protocol;
  inp.ttl = <u8> N.ttl;
  inp.mcast_ttl = 1; // RFC 1112 6.1
  const discovers = info.protocol == IpProto.TCP && !N.no_pmtu_disc;
  inp.pmtud = u8(discovers ? Pmtud.WANT : Pmtud.DONT);
  inp.mcast_loop = 1;
  const first = info.first;
  inp.list_next = first;
  if (first) first.list_prev = inp;
  info.first = inp;
  info.count += 1;
  so.pcb = changetype<usize>(inp);
  return 0;
}

/**
 * Gives a control block back, with its memberships and its places in the tables; so.pcb becomes 0.
 * The socket itself is freed by so_event.isDisconnected or by close, not here.
 */
export function free(inp: Inpcb): void {
  const info = changetype<InpcbInfo>(inp.info);
  hash.connRemove(inp);
  hash.portRemove(inp);
  in_mcast.leaveAll(inp);
  if (inp.list_next) inp.list_next.list_prev = inp.list_prev;
  if (inp.list_prev) inp.list_prev.list_next = inp.list_next;
  else info.first = inp.list_next;
  info.count -= 1;
  if (inp.so) inp.so.pcb = 0;
  pool.put(blocks, changetype<usize>(inp));
}

/**
 * Takes a local address (RFC 9293 MUST-43) and port; nil or port 0 has a port chosen. EINVAL: it
 * has one already; EAFNOSUPPORT: an address of another family; EADDRNOTAVAIL: not an address of
 * this host, or no port is left; EADDRINUSE.
 */
export function bind(inp: Inpcb, nam: SockAddr): i32 {
  if (inp.lport || !sockaddr_ops.isAny(laddrOf(inp))) return -Errno.EINVAL;
  const info = changetype<InpcbInfo>(inp.info);
  const so = inp.so;
  if (!nam) return choosePort(inp);
  const error = checkLocal(so, nam);
  if (error < 0) return error;
  const laddr = laddrOf(inp);
  let port: u32 = nam.port;
  sockaddr_ops.copyNormal(laddr, changetype<usize>(nam));
  if (port) {
    if (ports.conflict(info, so, laddr, port)) {
      sockaddr_ops.copy(laddr, NULL_ADDR);
      return -Errno.EADDRINUSE;
    }
  } else {
    port = ports.forBind(info, inp, laddr);
  }
  if (!port) {
    sockaddr_ops.copy(laddr, NULL_ADDR);
    return -Errno.EADDRNOTAVAIL;
  }
  if (!sockaddr_ops.isAny(laddr)) inp.flags |= Inp.BOUNDADDR;
  inp.lport = <u16> port;
  hash.portInsert(inp);
  return 0;
}

/** Gives a block without a port one of the stack's choice. EADDRNOTAVAIL when none is left. */
export function choosePort(inp: Inpcb): i32 {
  const port = ports.forBind(changetype<InpcbInfo>(inp.info), inp, laddrOf(inp));
  if (!port) return -Errno.EADDRNOTAVAIL;
  inp.lport = <u16> port;
  inp.flags |= Inp.ANONPORT;
  hash.portInsert(inp);
  return 0;
}

/** Whether an address may be a socket's own: unspecified, ours, or for messages a group. */
export function checkLocal(so: Socket, nam: SockAddr): i32 {
  if (!sockaddr_ops.suits(nam, so.family)) return -Errno.EAFNOSUPPORT;
  if (so.family != Af.INET) return -Errno.EAFNOSUPPORT;
  const ip = sockaddr_ops.get4(changetype<usize>(nam));
  if (ip == 0 || net_if.isLocal(ip) || if_list.ifaByAddr(ip)) return 0;
  if (so.proto.flags & Pr.CONNREQUIRED) return -Errno.EADDRNOTAVAIL;
  return sockaddr_ops.isGroup4(ip) || isBroadcast(ip) ? 0 : -Errno.EADDRNOTAVAIL;
}

/** Whether an IPv4 address is the limited broadcast address or that of a network of ours. */
export function isBroadcast(ip: u32): bool {
  if (ip == 0xffffffff) return true;
  const rt = route.lookup(ip);
  return rt && (rt.flags & Rtf.BROADCAST) != 0;
}

/** Interface for a group or for the limited broadcast address: IP_MULTICAST_IF, else by route. */
export function groupIfp(inp: Inpcb, dst: u32): Ifnet {
  if (inp.mcast_ifindex) return if_list.byIndex(inp.mcast_ifindex);
  return in_mcast.defaultIfp(dst);
}

/**
 * The source address for packets to an IPv4 destination (RFC 9293 MUST-44): at `out`, 16 bytes.
 * ENETUNREACH: no route; EHOSTUNREACH: a route that rejects; EADDRNOTAVAIL: the interface has no
 * address.
 */
export function source4(inp: Inpcb, dst: u32, out: usize): i32 {
  if (sockaddr_ops.isGroup4(dst) || dst == 0xffffffff) {
    const ifp = groupIfp(inp, dst);
    if (!ifp) return -Errno.ENETUNREACH;
    if (!ifp.addrs) return -Errno.EADDRNOTAVAIL;
    sockaddr_ops.set4(out, ifp.addrs.addr);
    return 0;
  }
  let rt = route.lookup(dst);
  if (!rt) return -Errno.ENETUNREACH;
  if (rt.paths > 1) rt = route.select(rt, dst, 0, pathOf(inp));
  if (rt.flags & Rtf.REJECT) return -Errno.EHOSTUNREACH;
  if (!rt.ifa) return -Errno.EADDRNOTAVAIL;
  sockaddr_ops.set4(out, rt.ifa.addr);
  return 0;
}

/** What tells the flow of a socket without an address: its port, or for a new one chance. */
function pathOf(inp: Inpcb): usize {
  store<u32>(PATH, inp.lport ? inp.lport : rand.public32());
  return PATH;
}

/**
 * Checks the address of a peer and copies it to `out`, 16 bytes; the unspecified address becomes
 * the loopback address. EAFNOSUPPORT: another family, or a group or broadcast address where a
 * connection is asked for (RFC 9293 MUST-46); EADDRNOTAVAIL: port 0 where `port` matters.
 */
export function checkPeer(so: Socket, nam: SockAddr, needPort: bool, out: usize): i32 {
  if (!sockaddr_ops.suits(nam, so.family)) return -Errno.EAFNOSUPPORT;
  if (so.family != Af.INET) return -Errno.EAFNOSUPPORT;
  if (needPort && !nam.port) return -Errno.EADDRNOTAVAIL;
  let ip = sockaddr_ops.get4(changetype<usize>(nam));
  if (!ip) ip = LOOPBACK;
  if (so.proto.flags & Pr.CONNREQUIRED && (sockaddr_ops.isGroup4(ip) || isBroadcast(ip))) {
    return -Errno.EAFNOSUPPORT;
  }
  sockaddr_ops.set4(out, ip);
  return 0;
}

/**
 * Sets the peer, and where they are not yet chosen the local address, by route, and the local port
 * (RFC 6056). Errors of checkPeer and source4; EADDRINUSE: this connection exists; EADDRNOTAVAIL:
 * no port is left.
 */
export function connect(inp: Inpcb, nam: SockAddr): i32 {
  const so = inp.so;
  const info = changetype<InpcbInfo>(inp.info);
  const peer = CONNECT;
  const local = CONNECT + 16;
  let error = checkPeer(so, nam, true, peer);
  if (error < 0) return error;
  sockaddr_ops.copy(local, laddrOf(inp));
  if (sockaddr_ops.isAny(local)) {
    error = source4(inp, sockaddr_ops.get4(peer), local);
    if (error < 0) return error;
  }
  const fport: u32 = nam.port;
  if (!inp.lport) {
    const port = ports.forConnect(info, inp, local, peer, fport);
    if (!port) return -Errno.EADDRNOTAVAIL;
    inp.lport = <u16> port;
    inp.flags |= Inp.ANONPORT;
  } else if (hash.connected(info, local, inp.lport, peer, fport)) return -Errno.EADDRINUSE;
  sockaddr_ops.copy(laddrOf(inp), local);
  sockaddr_ops.copy(faddrOf(inp), peer);
  inp.fport = <u16> fport;
  inp.route = changetype<Rtentry>(0);
  hash.connInsert(inp);
  return 0;
}

/**
 * Takes the peer away, and the local address unless bind gave it. A protocol with connections also
 * gives back a port that was chosen for this one.
 */
export function disconnect(inp: Inpcb): void {
  hash.connRemove(inp);
  if (inp.flags & Inp.ANONPORT && inp.so.proto.flags & Pr.CONNREQUIRED) {
    hash.portRemove(inp);
    inp.lport = 0;
    inp.flags &= ~<u32> Inp.ANONPORT;
  }
  sockaddr_ops.copy(faddrOf(inp), NULL_ADDR);
  inp.fport = 0;
  inp.route = changetype<Rtentry>(0);
  if (!(inp.flags & Inp.BOUNDADDR)) sockaddr_ops.copy(laddrOf(inp), NULL_ADDR);
}

/**
 * The error that a control message means to the user of a connection, 0 for none (BSD's
 * inetctlerrmap; RFC 1122 4.2.3.9 for what is soft is the protocol's affair).
 */
export function ctlErrno(cmd: i32): i32 {
  switch (cmd) {
    case Prc.MSGSIZE:
      return Errno.EMSGSIZE;
    case Prc.HOSTDEAD:
      return Errno.EHOSTDOWN;
    case Prc.UNREACH_NET:
      return Errno.ENETUNREACH;
    case Prc.HOSTUNREACH:
    case Prc.UNREACH_HOST:
    case Prc.SRCFAIL:
    case Prc.TIMXCEED_INTRANS:
      return Errno.EHOSTUNREACH;
    case Prc.UNREACH_PROTOCOL:
    case Prc.UNREACH_PORT:
      return Errno.ECONNREFUSED;
    case Prc.PARAMPROB:
      return Errno.ENOPROTOOPT;
    case Prc.IFDOWN:
      return Errno.ENETDOWN;
    default:
      return 0;
  }
}

/** Fills in the local address and port. */
export function sockaddr(inp: Inpcb, nam: SockAddr): i32 {
  sockaddr_ops.fill(nam, inp.so.family, laddrOf(inp), inp.lport);
  return 0;
}

/** Fills in the peer's address and port. */
export function peeraddr(inp: Inpcb, nam: SockAddr): i32 {
  sockaddr_ops.fill(nam, inp.so.family, faddrOf(inp), inp.fport);
  return 0;
}
