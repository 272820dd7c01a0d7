/**
 * Empty mbufs that are lent to an interface's driver to be filled. Each stands at one place of the
 * ring, with a descriptor of 8 bytes (address u32, length u32), until a frame in it is taken out.
 *
 * ```
 *   rxmbuf  | filled, taken out or kept | lent, empty       | not lent     RING places
 *           0                           rx_spent            rx_ready
 * ```
 *
 * What rxPrepare does is in proportion to the frames that came, not to the places.
 */
import { IfCap } from "../abi/ifnet";
import { Limits } from "../abi/limits";
import { MbufSize, Mf, Mt } from "../abi/mbuf";
import * as clock from "../sys/clock";
import * as mbuf from "../sys/mbuf";
import { Mbuf } from "../sys/mbuf_t";
import * as pool from "../sys/pool";
import * as if_slots from "./if_slots";
import { Ifnet } from "./ifnet_t";
import * as vnet_input from "./vnet_input";

/**
 * Frames of up to this many bytes are moved into a small mbuf and leave the cluster where it is, so
 * that short messages and bare ACKs do not each hold 2 KiB. They are copied 16 bytes at a time.
 */
const SHORT: u32 = (MbufSize.MLEN - MbufSize.MAX_LINKHDR) & ~15;

/** Where a received frame starts in its mbuf: so that the IP header falls on a word. */
function offset(ifp: Ifnet): u32 {
  return MbufSize.MAX_LINKHDR - ifp.hdrlen;
}

/** Longest frame that an empty mbuf lent to the driver takes. */
export function capacity(ifp: Ifnet): u32 {
  return MbufSize.MCLBYTES - offset(ifp);
}

function at(ifp: Ifnet, i: u32): Mbuf {
  return load<Mbuf>(ifp.rxmbuf + (i << 2));
}

/** Lends m, or lends it again, at place `i`. */
function lend(ifp: Ifnet, i: u32, m: Mbuf): void {
  store<Mbuf>(ifp.rxmbuf + (i << 2), m);
  const d = ifp.rxdesc + (i << 3);
  store<u32>(d, u32(m.buf + offset(ifp)));
  store<u32>(d, capacity(ifp), 4);
}

/**
 * An empty mbuf to lend beside `have` others; nil when mbufs are short: beyond the first, an eighth
 * of them is left for sending.
 */
function empty(have: u32): Mbuf {
  const clusters = mbuf.cluster();
  const short = have > 0 && pool.left(clusters) <= clusters.limit >> 3;
  return short ? changetype<Mbuf>(0) : mbuf.getcl(Mt.DATA);
}

/**
 * Lends empty mbufs to the driver: sees to it that there are up to `most`, at most RING, with their
 * descriptors. Answers how many there are, fewer when mbufs are short. Those lent earlier and not
 * filled are lent again, at their places.
 */
export function prepare(ifp: Ifnet, most: u32): u32 {
  if (ifp.slots) return slots(ifp, min(most, ifp.slot_count));
  const n = min(most, Limits.RING);
  renew(ifp);
  while (ifp.rx_ready < n) {
    const m = empty(ifp.rx_ready);
    if (!m) break;
    lend(ifp, ifp.rx_ready, m);
    ifp.rx_ready += 1;
  }
  ifp.rx_lent = min(n, ifp.rx_ready);
  return ifp.rx_lent;
}

/**
 * Lends slots instead, for as many of the largest frames as there are mbufs beside an eighth that
 * is left for sending; one while there is more than that. What comes beyond waits in the device.
 */
function slots(ifp: Ifnet, n: u32): u32 {
  const clusters = mbuf.cluster();
  const left = pool.left(clusters);
  const kept = clusters.limit >> 3;
  if (left <= kept) n = 0;
  else n = min(n, max((left - kept) / if_slots.mbufsMax(ifp), 1));
  for (let i: u32 = 0; i < n; i++) {
    const d = ifp.rxdesc + (i << 3);
    store<u32>(d, u32(if_slots.into(ifp, i)));
    store<u32>(d, Limits.SLOT_BYTES, 4);
  }
  ifp.rx_lent = n;
  return n;
}

/** Fills the places of the frames that were taken out; without mbufs, from the other end. */
function renew(ifp: Ifnet): void {
  for (let i: u32 = 0; i < ifp.rx_spent && i < ifp.rx_ready; i++) {
    let m = at(ifp, i);
    if (!m) m = empty(ifp.rx_ready - ifp.rx_spent + i);
    while (!m && ifp.rx_ready > i + 1) {
      ifp.rx_ready -= 1;
      m = at(ifp, ifp.rx_ready);
    }
    if (!m) ifp.rx_ready = i;
    else lend(ifp, i, m);
  }
  ifp.rx_spent = 0;
}

/**
 * The driver says that it has filled the first `n` of what it was lent. Answers how many of them
 * there are: more than were lent are not believed.
 */
export function filled(ifp: Ifnet, n: u32): u32 {
  if (n > ifp.rx_lent) {
    ifp.ierrors += u64(n - ifp.rx_lent);
    n = ifp.rx_lent;
  }
  ifp.rx_lent = 0;
  ifp.rx_spent = max(ifp.rx_spent, n);
  return n;
}

/**
 * The frame of descriptor `i` as a packet, of the length that the driver has set; nil if that is 0
 * or larger than the room, or with a fate if a slot has none. Several, linked by nextpkt, if the
 * frame stands for several datagrams.
 */
export function packet(ifp: Ifnet, i: u32): Mbuf {
  const len = load<u32>(ifp.rxdesc + (i << 3), 4);
  if (ifp.slots) return vnet_input.packet(ifp, if_slots.into(ifp, i), len);
  if (len == 0 || len > capacity(ifp)) return changetype<Mbuf>(0);
  const full = at(ifp, i);
  let m = len <= SHORT ? shortCopy(full, offset(ifp), len) : changetype<Mbuf>(0);
  if (!m) {
    m = full;
    store<usize>(ifp.rxmbuf + (i << 2), 0);
  }
  m.data = m.buf + offset(ifp);
  m.len = len;
  m.pktlen = len;
  m.rcvif = u16(ifp.index);
  m.l3off = u16(ifp.hdrlen);
  m.tstamp = clock.now();
  m.flags |= u16(Mf.PKTHDR);
  if (ifp.caps & IfCap.RXCSUM) m.flags |= u16(Mf.CSUM_IP_OK | Mf.CSUM_L4_OK);
  return m;
}

/** A small mbuf with a copy of the frame that stands `off` bytes into `full`; or nil. */
function shortCopy(full: Mbuf, off: u32, len: u32): Mbuf {
  const m = mbuf.get(Mt.DATA);
  if (!m) return m;
  const to = m.buf + off;
  const from = full.buf + off;
  for (let i: u32 = 0; i < len; i += 16) v128.store(to + i, v128.load(from + i));
  return m;
}

/** Takes back what was lent to the driver; the interface is going away. */
export function free(ifp: Ifnet): void {
  for (let i: u32 = 0; i < ifp.rx_ready; i++) {
    const m = at(ifp, i);
    if (m) mbuf.free(m);
  }
  ifp.rx_ready = 0;
  ifp.rx_spent = 0;
  ifp.rx_lent = 0;
}
