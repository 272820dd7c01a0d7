/**
 * Loads from a packet that lies in a chain of mbufs, which is never made linear. Each answers the
 * value, in host order, or -1 for what the packet does not have: then it is rejected, as in BSD.
 */
import { BpfAd } from "../abi/bpf";
import { Mbuf } from "../sys/mbuf_t";
import { BpfFrame } from "./frame_t";

/** What an absolute load finds: in the packet, in one of its headers, or beside it. */
export function absolute(f: BpfFrame, k: u32, bytes: u32): i64 {
  if (i32(k) >= 0) return fetch(f, f.base, k, bytes);
  return i32(k) >= BpfAd.OFF ? ancillary(f, i32(k)) : header(f, i32(k), bytes);
}

/**
 * What a load at x + k finds. A sum beyond 32 bits is out of the packet; but a `k` that names a
 * header stays in that header, wherever x leads (Linux).
 */
export function indirect(f: BpfFrame, x: u32, k: u32, bytes: u32): i64 {
  if (i32(k) >= 0) return fetch(f, f.base, u64(x) + u64(k), bytes);
  return header(f, i32(x + k), bytes);
}

/** From the network header on, or from the link header on. */
export function header(f: BpfFrame, at: i32, bytes: u32): i64 {
  if (at >= 0 || at < BpfAd.LL_OFF) return -1;
  const net = at >= BpfAd.NET_OFF;
  const start = net ? f.net : f.link;
  if (start < 0) return -1;
  return fetch(f, u32(start), u64(at - (net ? BpfAd.NET_OFF : BpfAd.LL_OFF)), bytes);
}

/** What is known of the packet beside its bytes. */
function ancillary(f: BpfFrame, at: i32): i64 {
  switch (at) {
    case BpfAd.PROTOCOL:
      return f.protocol;
    case BpfAd.PKTTYPE:
      return f.pkttype;
    case BpfAd.IFINDEX:
      return f.ifindex ? i64(f.ifindex) : -1;
    case BpfAd.HATYPE:
      return f.ifindex ? i64(f.hatype) : -1;
    case BpfAd.VLAN_TAG:
      return f.vlan_tci;
    case BpfAd.VLAN_TAG_PRESENT:
      return f.vlan_present;
    case BpfAd.VLAN_TPID:
      return f.vlan_tpid;
    default:
      return -1;
  }
}

/** 1, 2 or 4 bytes at `at`, counted from `start` of the chain. */
function fetch(f: BpfFrame, start: u32, at: u64, bytes: u32): i64 {
  const end = u64(f.base) + u64(f.len);
  const from = u64(start) + at;
  if (from + u64(bytes) > end) return -1;
  let offset = u32(from);
  let m: Mbuf = f.m;
  while (m && offset >= m.len) {
    offset -= m.len;
    m = m.next;
  }
  if (!m) return -1;
  if (bytes > m.len - offset) return across(m, offset, bytes);
  const p = m.data + offset;
  if (bytes == 4) return i64(bswap(load<u32>(p)));
  return bytes == 2 ? i64(bswap(load<u16>(p))) : i64(load<u8>(p));
}

/** The same of what begins in `m` and ends in a later mbuf. */
function across(first: Mbuf, from: u32, bytes: u32): i64 {
  let m = first;
  let offset = from;
  let value: u32 = 0;
  for (let i: u32 = 0; i < bytes; i++) {
    while (m && offset >= m.len) {
      m = m.next;
      offset = 0;
    }
    if (!m) return -1;
    value = (value << 8) | load<u8>(m.data + offset);
    offset += 1;
  }
  return i64(value);
}
