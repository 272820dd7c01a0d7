/**
 * The tables in which a packet finds its control block. Each protocol has three: by the whole pair
 * of addresses and ports for connected blocks, and by local port one for blocks without a peer and
 * one for those with one, so that neither the search for a listener nor a new connection walks past
 * the connections of a port, of which there may be a million.
 *
 * The tables have their size for good, from the number of sockets that boot was told. Four bytes a
 * socket are less than one in a hundred of what a connection takes, and the pages of the tables are
 * the system's until something is put there; so nothing ever has to be moved to a larger table.
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
  port: usize; // port table: chains by local port of blocks without a peer
  peers: usize; // the same of connected blocks
  mask: u32; // buckets of the connection table, less one
  port_mask: u32; // buckets of each port table, less one
  first: Inpcb; // all blocks, the newest first
  count: u32; // how many there are
  protocol: u32; // IpProto
  next_port: u32; // counter of RFC 6056 algorithm 3
  conns: u32; // blocks in the connection table
  last: Inpcb; // the one found last, or nil: the next packet is often for it, too
  before: Inpcb; // the one found before it: over loopback, the other end
}

/** Most chains of a connection table: beyond that many connections the chains become longer. */
const CONN_CHAINS_MOST: u32 = 1 << 24;
/** There are no more ports. */
const PORT_CHAINS_MOST: u32 = 1 << 16;

/** Prepares `info` with tables for `blocks` control blocks. False without memory. */
export function initInfo(info: InpcbInfo, protocol: u32, blocks: u32): bool {
  let n: u32 = 16;
  while (n < blocks && n < CONN_CHAINS_MOST) n <<= 1;
  const ports = min<u32>(n, PORT_CHAINS_MOST);
  info.conn = arena.alloc(n * sizeof<usize>(), 64);
  info.port = arena.alloc(ports * sizeof<usize>(), 64);
  info.peers = arena.alloc(ports * sizeof<usize>(), 64);
  info.mask = n - 1;
  info.port_mask = ports - 1;
  info.protocol = protocol;
  return info.conn != 0 && info.port != 0 && info.peers != 0;
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

/** The place where a chain of a local port begins. */
function portPlace(info: InpcbInfo, lport: u32, connected: bool): usize {
  const table = connected ? info.peers : info.port;
  return table + (lport & info.port_mask) * sizeof<usize>();
}

/**
 * The first block without a peer whose local port falls into the same chain, or with `connected`
 * the first of those with one; follow `port_next`.
 */
export function portChain(info: InpcbInfo, lport: u32, connected: bool): Inpcb {
  return load<Inpcb>(portPlace(info, lport, connected));
}

/** Puts a block with both ends set on the connection table, and among the connected of its port. */
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
  info.conns += 1;
  portInsert(inp);
}

/**
 * Takes a block off the connection table; its addresses must be the ones it was put there with. Its
 * place in the port table becomes that of a block without a peer.
 */
export function connRemove(inp: Inpcb): void {
  if (!inp.conn_hashed) return;
  const info = infoOf(inp);
  info.conns -= 1;
  if (info.last == inp) info.last = changetype<Inpcb>(0);
  if (info.before == inp) info.before = changetype<Inpcb>(0);
  const next = inp.conn_next;
  const prev = inp.conn_prev;
  if (next) next.conn_prev = prev;
  if (prev) prev.conn_next = next;
  else {
    const place = connPlace(info, laddrOf(inp), inp.lport, faddrOf(inp), inp.fport);
    store<usize>(place, changetype<usize>(next));
  }
  portRemove(inp);
  inp.conn_hashed = 0;
  portInsert(inp);
}

/** Puts a block with a local port on a port table. */
export function portInsert(inp: Inpcb): void {
  if (inp.port_hashed || !inp.lport) return;
  const place = portPlace(infoOf(inp), inp.lport, inp.conn_hashed != 0);
  const first = load<Inpcb>(place);
  inp.port_next = first;
  inp.port_prev = changetype<Inpcb>(0);
  if (first) first.port_prev = inp;
  store<usize>(place, changetype<usize>(inp));
  inp.port_hashed = 1;
}

/** Takes a block off its port table. */
export function portRemove(inp: Inpcb): void {
  if (!inp.port_hashed) return;
  const next = inp.port_next;
  const prev = inp.port_prev;
  if (next) next.port_prev = prev;
  if (prev) prev.port_next = next;
  else {
    const place = portPlace(infoOf(inp), inp.lport, inp.conn_hashed != 0);
    store<usize>(place, changetype<usize>(next));
  }
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
  let inp = info.last;
  if (inp && isBetween(inp, laddr, lport, faddr, fport)) return inp;
  inp = info.before;
  if (inp && isBetween(inp, laddr, lport, faddr, fport)) return inp;
  if (info.conns == 0) return changetype<Inpcb>(0); // spares the hash
  inp = load<Inpcb>(connPlace(info, laddr, lport, faddr, fport));
  while (inp && !isBetween(inp, laddr, lport, faddr, fport)) inp = inp.conn_next;
  if (inp) {
    info.before = info.last;
    info.last = inp;
  }
  return inp;
}

function isBetween(inp: Inpcb, laddr: usize, lport: u32, faddr: usize, fport: u32): bool {
  return inp.lport == lport && inp.fport == fport &&
    sockaddr_ops.eq(faddrOf(inp), faddr) && sockaddr_ops.eq(laddrOf(inp), laddr);
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
  for (let inp = portChain(info, lport, false); inp; inp = inp.port_next) {
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
  return holds(portChain(info, lport, false), laddr, lport, except) ||
    holds(portChain(info, lport, true), laddr, lport, except);
}

/** Whether one of a chain has the port with an overlapping address. */
function holds(first: Inpcb, laddr: usize, lport: u32, except: Inpcb): bool {
  for (let inp = first; inp; inp = inp.port_next) {
    if (inp.lport == lport && inp != except && overlap(laddrOf(inp), laddr)) return true;
  }
  return false;
}
