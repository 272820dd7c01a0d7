/**
 * Frames that follow one that has just been queued: the same headers once more, but for what
 * numbers the packet, and other payload. What the layers found out for the first of them, the way,
 * the neighbour and the headers, holds for those that leave in the same instant.
 */
import { Limits } from "../abi/limits";
import { Mf, Mt } from "../abi/mbuf";
import * as mbuf from "../sys/mbuf";
import { Mbuf } from "../sys/mbuf_t";
import * as ip4 from "../wire/ip4";
import * as if_queue from "./if_queue";
import { Ifnet } from "./ifnet_t";

/** The frame that is cloned. */
@unmanaged
@final
export class CloneState {
  ifp: Ifnet;
  frame: Mbuf;
  net: u32; // offset of the IPv4 header from its data
  head: u32; // bytes of headers
  ip_sum: u64; // sum of the IPv4 header without identification and checksum
}

const S: CloneState = changetype<CloneState>(memory.data(offsetof<CloneState>(), 16));

/**
 * Makes the newest frame of `ifp` the one to clone, if it is one mbuf that ends in `payload` bytes
 * and begins, behind the link header, with an IPv4 header without options. False if it is not: the
 * packet waits for an address, went another way or had to be changed.
 */
export function begin(ifp: Ifnet, payload: u32): bool {
  const m = if_queue.newest(ifp);
  const net = ifp.hdrlen;
  if (!m || m.next || m.len <= net + ip4.HEADER + payload) return false;
  const ip = m.data + net;
  if (load<u8>(ip) != ip4.VERSION_IHL || ip4.total(ip) != m.len - net) return false;
  S.ifp = ifp;
  S.frame = m;
  S.net = net;
  S.head = m.len - payload;
  // the identification alone differs (RFC 791 3.1); the words of the others are summed once
  S.ip_sum = u64(load<u32>(ip)) + u64(load<u16>(ip, 6)) + u64(load<u16>(ip, 8)) +
    u64(load<u32>(ip, 12)) + u64(load<u32>(ip, 16));
  return true;
}

/** Where the transport header of the frame that is cloned begins. */
export function transport(): usize {
  return S.frame.data + S.net + ip4.HEADER;
}

/** Bytes of that header. */
export function transportLength(): u32 {
  return S.head - S.net - ip4.HEADER;
}

/** Bytes by which the frame itself may grow. */
export function growth(): u32 {
  return ip4.MAXPACKET - (S.frame.len - S.net);
}

/**
 * Makes the frame stand for more segments: `chain`, with `bytes` of payload for segments of
 * `seg_size` each, is put behind. The device cuts it.
 */
export function grow(chain: Mbuf, bytes: u32, seg_size: u32): void {
  const m = S.frame;
  m.next = chain;
  m.pktlen += bytes;
  S.ifp.snd_bytes += bytes;
  m.segs = u16(1 + (bytes + seg_size - 1) / seg_size);
  m.seg_size = u16(seg_size);
  const ip = m.data + S.net;
  ip4.setTotal(ip, m.pktlen - S.net);
  ip4.setChecksum(ip, ip4.HEADER);
}

/** Frames of `bytes` that may still be queued; the last may go beyond the allowance. */
export function room(bytes: u32): u32 {
  if (mbuf.critical() && if_queue.queued(S.ifp) >= u32(Limits.RING)) return 0;
  return min<u32>((if_queue.allowance(S.ifp) + bytes - 1) / bytes, if_queue.room(S.ifp));
}

/**
 * A frame with the headers of the first and `id` as its identification; the payload is to be put
 * behind. Nil without mbufs. {@link queue} sends it.
 */
export function make(id: u32): Mbuf {
  const from = S.frame;
  const m = mbuf.getcl(Mt.DATA);
  if (!m) return m;
  m.data = m.buf + (from.data - from.buf);
  m.len = from.len;
  m.pktlen = from.pktlen;
  m.flags |= u16(Mf.PKTHDR);
  memory.copy(m.data, from.data, S.head);
  const ip = m.data + S.net;
  const word = bswap(u16(id));
  store<u16>(ip, word, 4);
  let sum = S.ip_sum + u64(word);
  sum = (sum & 0xffff) + ((sum >> 16) & 0xffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  store<u16>(ip, u16(~u32(sum)), 10);
  return m;
}

/** Where the transport header of a frame that {@link make} made begins. */
export function transportOf(m: Mbuf): usize {
  return m.data + S.net + ip4.HEADER;
}

/** Queues a frame that {@link make} made; there is room for it. */
export function queue(m: Mbuf): void {
  if_queue.enqueue(S.ifp, m);
}
