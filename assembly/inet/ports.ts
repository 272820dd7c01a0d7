/**
 * Ephemeral ports (RFC 6056), from the range that the settings name. Ports below 1024 are not
 * privileged here: there are no users to keep apart.
 *
 * @module
 */

import { Pr } from "../abi/proto";
import { So } from "../abi/socket";
import * as sockaddr_ops from "../socket/sockaddr_ops";
import { Socket } from "../socket/socket_t";
import { N } from "../sys/net_settings";
import * as rand from "../sys/rand";
import * as hash from "./in_pcb_hash";
import { InpcbInfo } from "./in_pcb_hash";
import { Inpcb } from "./in_pcb_t";

/** How many ephemeral ports there are, from `N.port_first` on. */
function range(): u32 {
  return N.port_last >= N.port_first ? N.port_last - N.port_first + 1 : 1;
}

/** A port for a local address without peer, 0 when all are taken: algorithm 1 (RFC 6056 3.3.1). */
export function forBind(info: InpcbInfo, inp: Inpcb, laddr: usize): u32 {
  const count = range();
  const start = rand.below(count);
  for (let i: u32 = 0; i < count; i++) {
    const port = N.port_first + (start + i) % count;
    if (!hash.portInUse(info, laddr, port, inp)) return port;
  }
  return 0;
}

/**
 * A port for a connection from laddr to a peer; 0 when all are taken. Algorithm 3 (RFC 6056 3.3.3):
 * an offset that depends on the peer by a secret, and a counter. Only connected blocks of a
 * protocol with connections may share the port, since their peers tell them apart.
 */
export function forConnect(
  info: InpcbInfo,
  inp: Inpcb,
  laddr: usize,
  faddr: usize,
  fport: u32,
): u32 {
  const f = load<u64>(faddr) ^ load<u64>(laddr);
  const offset = <u32> rand.hash3(load<u64>(laddr, 8), load<u64>(faddr, 8) ^ f, <u64> fport << 32);
  const share = (inp.so.proto.flags & Pr.CONNREQUIRED) != 0;
  const count = range();
  for (let i: u32 = 0; i < count; i++) {
    const port = N.port_first + (offset + info.next_port) % count;
    info.next_port += 1;
    if (share ? connectable(info, laddr, port, faddr, fport) : free(info, laddr, port, inp)) {
      return port;
    }
  }
  return 0;
}

/** Whether nobody has the port. */
function free(info: InpcbInfo, laddr: usize, port: u32, inp: Inpcb): bool {
  return !hash.portInUse(info, laddr, port, inp);
}

/** Whether nobody has this connection and nobody without a peer has the port. */
function connectable(
  info: InpcbInfo,
  laddr: usize,
  port: u32,
  faddr: usize,
  fport: u32,
): bool {
  for (let t = hash.portChain(info, port, false); t; t = t.port_next) {
    if (t.lport == port && hash.overlap(hash.laddrOf(t), laddr)) return false;
  }
  return !hash.connected(info, laddr, port, faddr, fport);
}

/**
 * Whether a local address and port given by bind collide with those of another block of the
 * protocol. SO_REUSEPORT on both lets them share everything, and for groups so does SO_REUSEADDR;
 * SO_REUSEADDR lets a socket take a port whose other holders have another address or are connected,
 * or about to be (RFC 9293 MUST-42).
 */
export function conflict(info: InpcbInfo, so: Socket, laddr: usize, lport: u32): bool {
  let sharing: u32 = so.options & So.REUSEPORT;
  if (sockaddr_ops.is4(laddr) && sockaddr_ops.isGroup4(sockaddr_ops.get4(laddr))) {
    if (so.options & So.REUSEADDR) sharing = So.REUSEADDR | So.REUSEPORT;
  }
  const shares = (so.options & (So.REUSEADDR | So.REUSEPORT)) != 0;
  for (let t = hash.portChain(info, lport, false); t; t = t.port_next) {
    if (t.lport != lport || t.so == so || !hash.overlap(hash.laddrOf(t), laddr)) continue;
    if (t.so && t.so.options & sharing) continue;
    if (!shares || sockaddr_ops.eq(hash.laddrOf(t), laddr)) return true;
  }
  if (shares) return false; // connections do not matter then, however many there are
  for (let t = hash.portChain(info, lport, true); t; t = t.port_next) {
    if (t.lport == lport && t.so != so && hash.overlap(hash.laddrOf(t), laddr)) return true;
  }
  return false;
}
