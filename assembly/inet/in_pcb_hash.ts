/**
 * The tables in which a packet finds its control block. Each protocol has two: by the whole pair of
 * addresses and ports for connected blocks, and by local port for all that have one. In a chain of
 * the port table, blocks without a peer stand before connected ones, so that the search for a
 * listener does not walk past its connections.
 *
 * @module
 */

import * as sockaddr_ops from "../socket/sockaddr_ops";
import * as arena from "../sys/arena";
import * as rand from "../sys/rand";
import { Inpcb } from "./in_pcb_t";

/** The control blocks of one protocol. */
@unmanaged
@final
export class InpcbInfo {
  conn: usize; // connection table: chains by hash of both ends
  port: usize; // port table: chains by local port
  mask: u32; // buckets of each table, less one
  first: Inpcb; // all blocks, the newest first
  count: u32; // how many there are
  protocol: u32; // IpProto
  next_port: u32; // counter of RFC 6056 algorithm 3
  pad: u32;
}

/** Prepares `info` with tables of at least `buckets` chains. False without memory. */
export function initInfo(info: InpcbInfo, protocol: u32, buckets: u32): bool {
  let n: u32 = 16;
  while (n < buckets && n < 1 << 20) n <<= 1;
  info.conn = arena.alloc(n * sizeof<usize>(), 64);
  info.port = arena.alloc(n * sizeof<usize>(), 64);
  info.mask = n - 1;
  info.protocol = protocol;
  return info.conn != 0 && info.port != 0;
}

/** Address of the 16 bytes of a block's local address. */
export function laddrOf(inp: Inpcb): usize {
  return changetype<usize>(inp) + offsetof<Inpcb>("laddr_hi");
}

/** Address of the 16 bytes of its peer's address. */
export function faddrOf(inp: Inpcb): usize {
  return changetype<usize>(inp) + offsetof<Inpcb>("faddr_hi");
}

function infoOf(inp: Inpcb): InpcbInfo {
  return changetype<InpcbInfo>(inp.info);
}

/** Where the chain of a connection begins. The hash is keyed, since peers choose their ports. */
function connPlace(info: InpcbInfo, l: usize, lport: u32, f: usize, fport: u32): usize {
  let h = rand.hash3(load<u64>(l, 8), load<u64>(f, 8), <u64> (lport << 16 | fport));
  const lhi = load<u64>(l);
  const fhi = load<u64>(f);
  if (lhi | fhi) h = rand.hash3(h, lhi, fhi);
  return info.conn + (<u32> h & info.mask) * sizeof<usize>();
}

/** The place where the chain of a local port begins. */
function portPlace(info: InpcbInfo, lport: u32): usize {
  return info.port + (lport & info.mask) * sizeof<usize>();
}

/** The first block whose local port falls into the same chain; follow `port_next`. */
export function portChain(info: InpcbInfo, lport: u32): Inpcb {
  return load<Inpcb>(portPlace(info, lport));
}

/**
 * Puts a block with both ends set on the connection table, and on the port table behind the ones
 * without a peer.
 */
export function connInsert(inp: Inpcb): void {
  if (inp.conn_hashed) return;
  const info = infoOf(inp);
  portRemove(inp);
  const place = connPlace(info, laddrOf(inp), inp.lport, faddrOf(inp), inp.fport);
  const first = load<Inpcb>(place);
  inp.conn_next = first;
  inp.conn_prev = changetype<Inpcb>(0);
  if (first) first.conn_prev = inp;
  store<usize>(place, changetype<usize>(inp));
  inp.conn_hashed = 1;
  portInsert(inp);
}

/**
 * Takes a block off the connection table; its addresses must be the ones it was put there with. Its
 * place in the port table becomes that of a block without a peer.
 */
export function connRemove(inp: Inpcb): void {
  if (!inp.conn_hashed) return;
  const next = inp.conn_next;
  const prev = inp.conn_prev;
  if (next) next.conn_prev = prev;
  if (prev) prev.conn_next = next;
  else {
    const info = infoOf(inp);
    const place = connPlace(info, laddrOf(inp), inp.lport, faddrOf(inp), inp.fport);
    store<usize>(place, changetype<usize>(next));
  }
  inp.conn_hashed = 0;
  portRemove(inp);
  portInsert(inp);
}

/** Puts a block with a local port on the port table. */
export function portInsert(inp: Inpcb): void {
  if (inp.port_hashed || !inp.lport) return;
  const place = portPlace(infoOf(inp), inp.lport);
  let before = changetype<Inpcb>(0);
  let after = load<Inpcb>(place);
  if (inp.conn_hashed) {
    while (after && !after.conn_hashed) {
      before = after;
      after = after.port_next;
    }
  }
  inp.port_prev = before;
  inp.port_next = after;
  if (after) after.port_prev = inp;
  if (before) before.port_next = inp;
  else store<usize>(place, changetype<usize>(inp));
  inp.port_hashed = 1;
}

/** Takes a block off the port table. */
export function portRemove(inp: Inpcb): void {
  if (!inp.port_hashed) return;
  const next = inp.port_next;
  const prev = inp.port_prev;
  if (next) next.port_prev = prev;
  if (prev) prev.port_next = next;
  else store<usize>(portPlace(infoOf(inp), inp.lport), changetype<usize>(next));
  inp.port_hashed = 0;
}

/** The connected block with exactly these ends, or nil. */
export function connected(
  info: InpcbInfo,
  laddr: usize,
  lport: u32,
  faddr: usize,
  fport: u32,
): Inpcb {
  let inp = load<Inpcb>(connPlace(info, laddr, lport, faddr, fport));
  while (inp) {
    if (
      inp.lport == lport && inp.fport == fport &&
      sockaddr_ops.eq(faddrOf(inp), faddr) && sockaddr_ops.eq(laddrOf(inp), laddr)
    ) return inp;
    inp = inp.conn_next;
  }
  return inp;
}

/**
 * The block that takes a packet: the connected one; else, if `wild`, the one without a peer that is
 * bound to the packet's destination (laddr, lport), else the one bound to the port alone; else nil.
 */
export function lookup(
  info: InpcbInfo,
  laddr: usize,
  lport: u32,
  faddr: usize,
  fport: u32,
  wild: bool,
): Inpcb {
  const exact = connected(info, laddr, lport, faddr, fport);
  if (exact || !wild) return exact;
  let best = changetype<Inpcb>(0);
  for (let inp = portChain(info, lport); inp && !inp.conn_hashed; inp = inp.port_next) {
    if (inp.lport != lport) continue;
    if (sockaddr_ops.eq(laddrOf(inp), laddr)) return inp;
    if (!best && sockaddr_ops.isAny(laddrOf(inp))) best = inp;
  }
  return best;
}

/** Whether two local addresses would take packets for the same destination. */
export function overlap(p: usize, q: usize): bool {
  return sockaddr_ops.eq(p, q) || sockaddr_ops.isAny(p) || sockaddr_ops.isAny(q);
}

/** Whether a block other than `except` has this local port with an overlapping address. */
export function portInUse(info: InpcbInfo, laddr: usize, lport: u32, except: Inpcb): bool {
  for (let inp = portChain(info, lport); inp; inp = inp.port_next) {
    if (inp.lport == lport && inp != except && overlap(laddrOf(inp), laddr)) return true;
  }
  return false;
}
