/**
 * UDP ports whose datagrams go to a function instead of a socket's buffer, for protocols that are
 * carried in UDP (FreeBSD's udp_set_kernel_tunneling). The port is that of an ordinary socket,
 * which a bind has given it, so no other socket gets it.
 *
 * ```
 * fn(m: usize, off: u32, so: usize): void   m.data is the payload, the UDP header 8 bytes before
 *                                           and the IP header off bytes before it; PKT describes
 *                                           the packet; owns m
 * ```
 *
 * @module
 */

import { Errno } from "../abi/errno";
import { IpProto } from "../abi/proto";
import { Socket } from "../socket/socket_t";
import { Inpcb } from "./in_pcb_t";
import { INFO } from "./udp_pcb";

/** Hands a socket's datagrams to `fn`; 0 ends that. EPROTOTYPE unless it is a UDP socket. */
export function set(so: Socket, fn: u32): i32 {
  const inp = changetype<Inpcb>(so.pcb);
  if (!inp || inp.info != changetype<usize>(INFO) || inp.protocol != IpProto.UDP) {
    return -Errno.EPROTOTYPE;
  }
  inp.ppcb = fn;
  return 0;
}

/** Ends the tunnels whose function has an index in [first, last); answers how many. */
export function delOf(first: u32, last: u32): u32 {
  let found: u32 = 0;
  for (let inp = INFO.first; inp; inp = inp.list_next) {
    if (inp.ppcb < first || inp.ppcb >= last) continue;
    inp.ppcb = 0;
    found++;
  }
  return found;
}
