/** Puts Ethernet headers on packets and hands them to the send queue. */
import { Errno } from "../abi/errno";
import { EtherType } from "../abi/ifnet";
import { Mf } from "../abi/mbuf";
import { Stat } from "../abi/stat";
import * as mbuf from "../sys/mbuf";
import * as ops from "../sys/mbuf_ops";
import { Mbuf } from "../sys/mbuf_t";
import * as stat from "../sys/stat";
import * as wire from "../wire/arp";
import * as ether from "../wire/ether";
import * as if_queue from "./if_queue";
import { Ifnet } from "./ifnet_t";

/** Sends an IP packet to a hardware address. Errors as of frame(). */
export function ip(ifp: Ifnet, m: Mbuf, hi: u32, lo: u32): i32 {
  return frame(ifp, m, hi, lo, EtherType.IP);
}

/** Puts the header in front and queues the frame. ENOBUFS without mbufs. */
export function frame(ifp: Ifnet, m: Mbuf, hi: u32, lo: u32, type: u32): i32 {
  if (!m.next && mbuf.leading(m) >= ether.HEADER) {
    m.data -= ether.HEADER;
    m.len += ether.HEADER;
    m.pktlen += ether.HEADER;
  } else {
    m = ops.prepend(m, ether.HEADER);
    if (m && !ifp.slots) m = ops.linear(m);
    if (!m) {
      ifp.oerrors += 1;
      return -Errno.ENOBUFS;
    }
  }
  ether.put(m.data, hi, lo, ifp.hwaddr_hi, ifp.hwaddr_lo, type);
  return if_queue.enqueue(ifp, m);
}

/** Sends a request for `target`, from `sender` (0: a probe, RFC 5227), to a hardware address. */
export function request(ifp: Ifnet, sender: u32, target: u32, hi: u32, lo: u32): void {
  const m = mbuf.gethdr(wire.LENGTH);
  if (!m) return;
  wire.put(m.data, wire.REQUEST, ifp.hwaddr_hi, ifp.hwaddr_lo, sender, 0, 0, target);
  m.len = wire.LENGTH;
  m.pktlen = wire.LENGTH;
  if (ether.isBroadcast(hi, lo)) m.flags |= u16(Mf.BCAST);
  stat.inc(Stat.ARP_REQUESTS_OUT);
  frame(ifp, m, hi, lo, EtherType.ARP);
}
