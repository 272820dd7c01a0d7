/** Filters of sockets: programs, whether they are locked, and what they look at. */
import { BpfLimit } from "../../../assembly/abi/bpf";
import { Errno } from "../../../assembly/abi/errno";
import { EtherType, Medium } from "../../../assembly/abi/ifnet";
import { PacketType } from "../../../assembly/abi/packet";
import { Prco } from "../../../assembly/abi/proto";
import { So } from "../../../assembly/abi/socket";
import { run } from "../../../assembly/bpf/filter";
import { BpfFrame, FRAME_BYTES } from "../../../assembly/bpf/frame_t";
import { BpfInsn } from "../../../assembly/bpf/insn_t";
import { validate, workBytes } from "../../../assembly/bpf/validate";
import { PKT, PktFlag } from "../../../assembly/inet/pkt_t";
import { Socket } from "../../../assembly/socket/socket_t";
import { Mbuf } from "../../../assembly/sys/mbuf_t";
import * as pool from "../../../assembly/sys/pool";
import { Pool } from "../../../assembly/sys/pool";

/** Most sockets with a filter at a time. */
const FILTERS: u32 = 128;
/** Instructions of a short filter; longer ones are few: one for so much memory. */
const SHORT: u32 = 64;
const LONG_FILTERS: u64 = 8;
const MEMORY: u64 = 2 ** 21;
/** Hardware types: Ethernet (RFC 826), and none, as Linux numbers it. */
const HATYPE_ETHERNET: u16 = 1;
const HATYPE_NONE: u16 = 0xfffe;

/** What hangs at the receive buffer of a socket. */
@unmanaged
@final
export class SoFilter {
  program: usize; // 0 for none: it is locked without one
  insns: u32;
  locked: bool; // SO_LOCK_FILTER
}

/** The packet that filters look at. */
const FRAME: BpfFrame = changetype<BpfFrame>(memory.data(FRAME_BYTES, 16));
const BLOCKS: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));
const SHORTS: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));
const LONGS: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));
/** Work space of the verifier. */
const WORK: usize = memory.data(8192, 16);

function longFilters(): u32 {
  return u32(min<u64>(LONG_FILTERS, (u64(memory.size()) << 16) / MEMORY));
}

/** Makes the pools; false without memory. */
export function init(): bool {
  return pool.init(BLOCKS, u32(offsetof<SoFilter>()), FILTERS) &&
    // one more, since a new one is there before the old one goes
    pool.init(SHORTS, SHORT * u32(offsetof<BpfInsn>()), FILTERS + 1) &&
    pool.init(LONGS, BpfLimit.INSNS * u32(offsetof<BpfInsn>()), longFilters());
}

/** Whether a socket has a filter, or has locked that it has none. */
export function inUse(): bool {
  return BLOCKS.used != 0;
}

function its(so: usize): SoFilter {
  return changetype<SoFilter>(changetype<Socket>(so).rcv.filter);
}

/** The options about filters, of any socket. */
export function option(op: i32, so: usize, name: i32, ptr: usize, len: i32): i32 {
  return op == Prco.SETOPT ? set(so, name, ptr, len) : get(its(so), name, ptr, len);
}

/** EPERM for a filter that is locked, ENOENT if there is none. */
function set(so: usize, name: i32, ptr: usize, len: i32): i32 {
  const filter = its(so);
  const locked: bool = filter ? filter.locked : false;
  switch (name) {
    case So.ATTACH_FILTER:
      return locked ? -Errno.EPERM : attach(so, ptr, u32(len));
    case So.DETACH_FILTER:
      if (locked) return -Errno.EPERM;
      if (!filter) return -Errno.ENOENT;
      drop(so);
      return 0;
    default: {
      if (len < 4) return -Errno.EINVAL;
      if (!load<i32>(ptr)) return locked ? -Errno.EPERM : 0;
      const block = filter ? filter : alloc(so);
      if (!block) return -Errno.ENOBUFS;
      block.locked = true;
      return 0;
    }
  }
}

/** What can be read: the program, and whether it is locked. */
function get(filter: SoFilter, name: i32, ptr: usize, len: i32): i32 {
  if (name == So.LOCK_FILTER) {
    if (len < 4) return -Errno.EINVAL;
    store<i32>(ptr, filter ? i32(filter.locked) : 0);
    return 4;
  }
  if (name != So.ATTACH_FILTER) return -Errno.ENOPROTOOPT;
  if (!filter) return 0;
  const bytes = filter.insns * u32(offsetof<BpfInsn>());
  if (u32(len) < bytes) return -Errno.EINVAL;
  memory.copy(ptr, filter.program, bytes);
  return i32(bytes);
}

function alloc(so: usize): SoFilter {
  const filter = changetype<SoFilter>(pool.get(BLOCKS));
  if (!filter) return filter;
  memory.fill(changetype<usize>(filter), 0, offsetof<SoFilter>());
  changetype<Socket>(so).rcv.filter = changetype<usize>(filter);
  return filter;
}

/**
 * Gives the socket the program of `bytes` bytes at `ptr` in place of the one it had. EINVAL for one
 * that the verifier refuses, ENOBUFS when there are too many; the old one stays then.
 */
function attach(so: usize, ptr: usize, bytes: u32): i32 {
  const insns = bytes / u32(offsetof<BpfInsn>());
  if (bytes % u32(offsetof<BpfInsn>()) || insns == 0 || insns > u32(BpfLimit.INSNS)) {
    return -Errno.EINVAL;
  }
  if (workBytes(insns) > 8192 || validate(ptr, insns, WORK)) return -Errno.EINVAL;
  const program = pool.get(insns <= SHORT ? SHORTS : LONGS);
  if (!program) return -Errno.ENOBUFS;
  memory.copy(program, ptr, bytes);
  drop(so);
  const filter = alloc(so);
  if (!filter) {
    pool.put(insns <= SHORT ? SHORTS : LONGS, program);
    return -Errno.ENOBUFS;
  }
  filter.program = program;
  filter.insns = insns;
  return 0;
}

/** Takes away what a socket has; see so_filter. */
export function drop(so: usize): void {
  const filter = its(so);
  if (!filter) return;
  if (filter.program) pool.put(filter.insns <= SHORT ? SHORTS : LONGS, filter.program);
  pool.put(BLOCKS, changetype<usize>(filter));
  changetype<Socket>(so).rcv.filter = 0;
}

/** Describes a frame to the filters that `keeps` runs, up to the next one. */
export function describe(m: Mbuf, medium: u32, ifindex: u32, type: u32, whose: u32): void {
  const ethernet = medium == Medium.ETHERNET;
  FRAME.m = m;
  FRAME.ifindex = ifindex;
  FRAME.protocol = u16(type);
  FRAME.hatype = ethernet ? HATYPE_ETHERNET : HATYPE_NONE;
  FRAME.pkttype = u8(whose);
}

/** Where in the frame its headers begin; `link` -1 without a link header. */
export function headers(link: i32, net: i32): void {
  FRAME.link = link;
  FRAME.net = net;
}

/** Bytes that a filter keeps from `base` on: 0 rejects the frame, also one that is empty. */
export function keeps(so: Socket, base: u32): u32 {
  const len = FRAME.m.pktlen - base;
  const filter = changetype<SoFilter>(so.rcv.filter);
  if (!filter || !filter.program) return u32.MAX_VALUE;
  FRAME.base = base;
  FRAME.len = len;
  FRAME.wire = len;
  return run(filter.program, FRAME);
}

/**
 * The same for a packet to a socket of the engine's; see so_filter. Its link header is gone, so a
 * load from there rejects it.
 */
export function packet(so: usize, mp: usize, base: u32): u32 {
  const flags = PKT.flags;
  let whose: u32 = PacketType.HOST;
  if (flags & PktFlag.MCAST) whose = PacketType.MULTICAST;
  else if (flags & PktFlag.BCAST) whose = PacketType.BROADCAST;
  describe(changetype<Mbuf>(mp), PKT.ifp.medium, PKT.ifp.index, EtherType.IP, whose);
  headers(-1, 0);
  return keeps(changetype<Socket>(so), base);
}
