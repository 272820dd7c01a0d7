/**
 * The way in: frames that a driver has put into lent mbufs are checked, stripped of their link
 * header and handed to whoever takes their ethertype. Every frame gets exactly one fate.
 */
import { EtherType, Iff, Medium } from "../abi/ifnet";
import { Fate } from "../abi/fate";
import { Mf } from "../abi/mbuf";
import * as mbuf from "../sys/mbuf";
import { Mbuf } from "../sys/mbuf_t";
import * as stat from "../sys/stat";
import * as ether from "../wire/ether";
import * as if_queue from "./if_queue";
import { Ifnet } from "./ifnet_t";
import * as input_type from "./input_type";

/** Fates from here on are drops. */
const FIRST_DROP: u32 = 64;

/**
 * Takes in the first `n` of the mbufs lent by rxPrepare; the driver has set the lengths in their
 * descriptors. The others stay lent, at the front. More than were lent are not believed.
 */
export function input(ifp: Ifnet, n: u32): void {
  if (n > ifp.rx_ready) {
    ifp.ierrors += u64(n - ifp.rx_ready);
    n = ifp.rx_ready;
  }
  for (let i: u32 = 0; i < n; i++) {
    stat.clearFate();
    ifp.ipackets += 1;
    const m = if_queue.rxPacket(ifp, i);
    if (m) {
      ifp.ibytes += u64(m.len);
      frame(ifp, m);
    } else {
      ifp.ierrors += 1;
      stat.fate(ifp.medium == Medium.ETHERNET ? Fate.ETHER_SHORT : Fate.IP_SHORT);
    }
    if (stat.endFrame() >= FIRST_DROP) ifp.idrops += 1;
  }
  if_queue.rxConsume(ifp, n);
}

function frame(ifp: Ifnet, m: Mbuf): void {
  if (!(ifp.flags & Iff.UP)) return drop(m, Fate.IF_DOWN);
  if (m.len > ifp.mtu + ifp.hdrlen) return drop(m, Fate.FRAME_TOO_LONG);
  if (ifp.medium == Medium.ETHERNET) fromEthernet(ifp, m);
  else fromIp(ifp, m);
}

function fromEthernet(ifp: Ifnet, m: Mbuf): void {
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
  const type = ether.type(p);
  m.data += ether.HEADER;
  m.len -= ether.HEADER;
  m.pktlen = m.len;
  dispatch(ifp, m, type);
}

/** Bare IP: the version tells what it is. */
function fromIp(ifp: Ifnet, m: Mbuf): void {
  const version = load<u8>(m.data) >> 4;
  dispatch(ifp, m, version == 6 ? EtherType.IPV6 : EtherType.IP);
}

function dispatch(ifp: Ifnet, m: Mbuf, type: u32): void {
  const fn = input_type.find(type);
  if (!fn) return drop(m, Fate.ETHER_TYPE_UNKNOWN);
  call_indirect<void>(fn, ifp, m);
}

function drop(m: Mbuf, f: Fate): void {
  stat.fate(f);
  mbuf.freem(m);
}
