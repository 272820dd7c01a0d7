/**
 * Options of level IPPROTO_IP, for sockets of every protocol over IPv4 (RFC 1122 3.4, RFC 1112 7).
 * Values are little-endian i32; a membership is two u32: the group in host order, the index of the
 * interface or 0; for options about a source also its address in host order.
 *
 * @module
 */

import { Errno } from "../abi/errno";
import { IpProto, Prco } from "../abi/proto";
import { IpOpt, Pmtud, Sock } from "../abi/socket";
import * as if_list from "../net/if_list";
import { Socket } from "../socket/socket_t";
import * as ip4 from "../wire/ip4";
import * as sockaddr_ops from "../socket/sockaddr_ops";
import * as in_mcast from "./in_mcast";
import * as in_output from "./in_output";
import { faddrOf } from "./in_pcb_hash";
import { Inp, Inpcb } from "./in_pcb_t";

/** The ctloutput entry of UDP and raw rows. ENOPROTOOPT for another level than IPPROTO_IP. */
export function entry(op: i32, so: usize, level: i32, name: i32, ptr: usize, len: i32): i32 {
  const socket = changetype<Socket>(so);
  const inp = changetype<Inpcb>(socket.pcb);
  if (level != IpProto.IP) return -Errno.ENOPROTOOPT;
  if (!inp) return -Errno.EINVAL;
  if (name == IpOpt.HDRINCL && <u32> socket.type != Sock.RAW) return -Errno.ENOPROTOOPT;
  return ctloutput(op, inp, name, ptr, len);
}

/**
 * Reads or sets (Prco) an option of a control block, whose level the caller has found to be
 * IPPROTO_IP. Answers the length of a value read, 0 when set. ENOPROTOOPT: no such option; EINVAL:
 * wrong length or value; and the errors of in_mcast.
 */
export function ctloutput(op: i32, inp: Inpcb, name: i32, ptr: usize, len: i32): i32 {
  return op == Prco.GETOPT ? read(inp, name, ptr, len) : write(inp, name, ptr, len);
}

/** Reads an option. */
function read(inp: Inpcb, name: i32, ptr: usize, len: i32): i32 {
  let value: i32;
  switch (name) {
    case IpOpt.HDRINCL:
      value = inp.flags & Inp.HDRINCL ? 1 : 0;
      break;
    case IpOpt.RECVDSTADDR:
      value = inp.flags & Inp.RECVDSTADDR ? 1 : 0;
      break;
    case IpOpt.TOS:
      value = inp.tos;
      break;
    case IpOpt.TTL:
      value = inp.ttl;
      break;
    case IpOpt.MULTICAST_IF:
      value = inp.mcast_ifindex;
      break;
    case IpOpt.MULTICAST_TTL:
      value = inp.mcast_ttl;
      break;
    case IpOpt.MULTICAST_LOOP:
      value = inp.mcast_loop;
      break;
    case IpOpt.MTU_DISCOVER:
      value = inp.pmtud;
      break;
    case IpOpt.MTU:
      if (sockaddr_ops.isAny(faddrOf(inp))) return -Errno.ENOTCONN;
      value = in_output.mtu(inp);
      break;
    default:
      return -Errno.ENOPROTOOPT;
  }
  if (len < 4) return -Errno.EINVAL;
  store<i32>(ptr, value);
  return 4;
}

/** Sets an option. */
function write(inp: Inpcb, name: i32, ptr: usize, len: i32): i32 {
  if (name == IpOpt.ADD_MEMBERSHIP || name == IpOpt.DROP_MEMBERSHIP) {
    if (len != 8) return -Errno.EINVAL;
    const group = load<u32>(ptr);
    const ifindex = load<u32>(ptr, 4);
    return name == IpOpt.ADD_MEMBERSHIP
      ? in_mcast.join(inp, group, ifindex)
      : in_mcast.leave(inp, group, ifindex);
  }
  if (name >= IpOpt.ADD_SOURCE_MEMBERSHIP && name <= IpOpt.UNBLOCK_SOURCE) {
    if (len != 12) return -Errno.EINVAL;
    return in_mcast.source(inp, name, load<u32>(ptr), load<u32>(ptr, 4), load<u32>(ptr, 8));
  }
  const number = name >= IpOpt.HDRINCL && name <= IpOpt.MULTICAST_LOOP;
  if (!number && name != IpOpt.MTU_DISCOVER) return -Errno.ENOPROTOOPT;
  if (len != 4) return -Errno.EINVAL;
  return writeNumber(inp, name, load<i32>(ptr));
}

/** Sets an option whose value is a number. */
function writeNumber(inp: Inpcb, name: i32, value: i32): i32 {
  switch (name) {
    case IpOpt.HDRINCL:
      return flag(inp, Inp.HDRINCL, value);
    case IpOpt.RECVDSTADDR:
      return flag(inp, Inp.RECVDSTADDR, value);
    case IpOpt.TOS: // RFC 9293 MUST-48, and at any time (SHLD-21)
      if (value < 0 || value > 255) return -Errno.EINVAL;
      // RFC 3168 6.1: on a TCP socket the ECN field is the connection's, not the user's
      if (inp.protocol == IpProto.TCP) value &= ~i32(ip4.ECN_MASK);
      inp.tos = <u8> value;
      return 0;
    case IpOpt.TTL: // RFC 9293 MUST-49
      // RFC 1122 3.2.1.7: a host never sends a packet with a TTL of zero
      if (value < 1 || value > 255) return -Errno.EINVAL;
      inp.ttl = <u8> value;
      return 0;
    case IpOpt.MULTICAST_IF:
      if (value < 0 || value > 0xffff) return -Errno.EINVAL;
      if (value && !if_list.byIndex(value)) return -Errno.EADDRNOTAVAIL;
      inp.mcast_ifindex = <u16> value;
      return 0;
    case IpOpt.MULTICAST_TTL:
      if (value < 0 || value > 255) return -Errno.EINVAL;
      inp.mcast_ttl = <u8> value;
      return 0;
    case IpOpt.MULTICAST_LOOP:
      if (value < 0 || value > 1) return -Errno.EINVAL;
      inp.mcast_loop = <u8> value;
      return 0;
    case IpOpt.MTU_DISCOVER:
      if (value < Pmtud.DONT || value > Pmtud.PROBE) return -Errno.EINVAL;
      inp.pmtud = <u8> value;
      return 0;
    default:
      return -Errno.ENOPROTOOPT;
  }
}

/** Sets or clears a flag. */
function flag(inp: Inpcb, bit: u32, value: i32): i32 {
  if (value) inp.flags |= bit;
  else inp.flags &= ~bit;
  return 0;
}
