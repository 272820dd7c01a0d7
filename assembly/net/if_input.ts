/**
 * The way in: frames that a driver has put into lent mbufs are checked, stripped of their link
 * header and handed to whoever takes their ethertype. Every frame gets exactly one fate.
 */
import { EtherType, Iff, Medium } from "../abi/ifnet";
import { Fate } from "../abi/fate";
import { Mf } from "../abi/mbuf";
import * as mbuf from "../sys/mbuf";
import * as ops from "../sys/mbuf_ops";
import { Mbuf } from "../sys/mbuf_t";
import * as stat from "../sys/stat";
import * as ether from "../wire/ether";
import * as gro from "./gro";
import * as if_tap from "./if_tap";
import * as if_rx from "./if_rx";
import { Ifnet } from "./ifnet_t";
import * as input_type from "./input_type";

/** Bytes behind the link header that lie side by side, for those who look no further than that. */
const CONTIGUOUS: u32 = 64;

/**
 * Takes in the first `n` of the mbufs lent by if_rx.prepare; the driver has set the lengths in
 * their descriptors. More than were lent are not believed.
 */
export function input(ifp: Ifnet, n: u32): void {
  n = if_rx.filled(ifp, n);
  const dropped = stat.dropped();
  for (let i: u32 = 0; i < n; i++) {
    stat.clearFate();
    let m = if_rx.packet(ifp, i);
    if (!m) bad(ifp);
    while (m) { // nearly always one
      const next = m.nextpkt;
      m.nextpkt = changetype<Mbuf>(0);
      one(ifp, m, i + 1 < n || next);
      m = next;
    }
  }
  gro.flush(ifp);
  ifp.idrops += stat.dropped() - dropped;
}

/**
 * Takes in a frame that came inside of another packet, for a tunnel (BSD's if_input); `more` follow
 * at once on the same interface. Owns m, whose data is the link header.
 */
export function carried(ifp: Ifnet, m: Mbuf, more: bool): void {
  const dropped = stat.dropped();
  stat.clearFate();
  m.flags &= u16(Mf.EXT | Mf.PKTHDR); // what was verified is the packet around it
  m.rcvif = u16(ifp.index);
  m.l3off = u16(ifp.hdrlen);
  m.segs = 0;
  m = ops.pullup(m, min(m.pktlen, ifp.hdrlen + CONTIGUOUS));
  if (m && m.pktlen > 0) one(ifp, m, more);
  else {
    if (!m) stat.fate(Fate.NO_BUFFERS);
    mbuf.freem(m);
    bad(ifp);
  }
  if (!more) gro.flush(ifp);
  ifp.idrops += stat.dropped() - dropped;
}

/** A packet as it was on the wire; `more` follow in this batch. */
function one(ifp: Ifnet, m: Mbuf, more: bool): void {
  stat.clearFate();
  ifp.ipackets += 1;
  ifp.ibytes += u64(m.pktlen);
  if_tap.see(ifp, m, false);
  const type = frame(ifp, m);
  if (type == EtherType.IP) {
    if (gro.take(ifp, m, more)) return; // its fate comes later
    stat.clearFate();
  }
  if (type) input_type.dispatch(ifp, m, type);
  stat.endFrame();
}

/** A frame that gave no packet. */
function bad(ifp: Ifnet): void {
  ifp.ipackets += 1;
  if (stat.lastFate() != Fate.NO_BUFFERS) ifp.ierrors += 1;
  if (stat.lastFate() == Fate.NONE) stat.fate(shortFate(ifp));
  stat.endFrame();
}

/** What a frame without a byte, or longer than its room, is. */
function shortFate(ifp: Ifnet): Fate {
  return ifp.medium == Medium.ETHERNET ? Fate.ETHER_SHORT : Fate.IP_SHORT;
}

/** Strips m of its link header and answers its type; 0 if it was dropped. */
function frame(ifp: Ifnet, m: Mbuf): u32 {
  if (!(ifp.flags & Iff.UP)) return drop(m, Fate.IF_DOWN);
  if (m.pktlen > ifp.mtu + ifp.hdrlen && m.segs <= 1) return drop(m, Fate.FRAME_TOO_LONG);
  if (ifp.medium == Medium.ETHERNET) return fromEthernet(ifp, m);
  // bare IP: the version tells what it is
  return load<u8>(m.data) >> 4 == 6 ? EtherType.IPV6 : EtherType.IP;
}

function fromEthernet(ifp: Ifnet, m: Mbuf): u32 {
  if (m.len < ether.HEADER) return drop(m, Fate.ETHER_SHORT);
  const p = m.data;
  if (ether.isGroup(ether.srcHi(p))) return drop(m, Fate.ETHER_SOURCE_MULTICAST);
  const hi = ether.dstHi(p);
  if (ether.isGroup(hi)) {
    m.flags |= ether.isBroadcast(hi, ether.dstLo(p)) ? u16(Mf.BCAST) : u16(Mf.MCAST);
    ifp.imcasts += 1;
  } else if (hi != ifp.hwaddr_hi || ether.dstLo(p) != ifp.hwaddr_lo) {
    // also when promiscuous: a capture sees the frame, the protocols do not
    return drop(m, Fate.ETHER_NOT_OURS);
  }
  m.data += ether.HEADER;
  m.len -= ether.HEADER;
  m.pktlen -= ether.HEADER;
  const type = ether.type(p);
  return type ? type : drop(m, Fate.ETHER_TYPE_UNKNOWN);
}

function drop(m: Mbuf, f: Fate): u32 {
  stat.fate(f);
  mbuf.freem(m);
  return 0;
}
