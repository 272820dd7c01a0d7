/** Shows frames to packet sockets: a copy to each that asks for it and whose filter keeps it. */
import { EtherType, Iff, Medium } from "../../../assembly/abi/ifnet";
import { EthP, PacketMr, PacketType } from "../../../assembly/abi/packet";
import { Ss } from "../../../assembly/abi/socket";
import { Ifmulti, Ifnet } from "../../../assembly/net/ifnet_t";
import * as so_event from "../../../assembly/socket/so_event";
import { SockAddr } from "../../../assembly/socket/sockaddr";
import * as sockbuf from "../../../assembly/socket/sockbuf";
import * as clock from "../../../assembly/sys/clock";
import * as mbuf from "../../../assembly/sys/mbuf";
import * as mbuf_copy from "../../../assembly/sys/mbuf_copy";
import { Mbuf } from "../../../assembly/sys/mbuf_t";
import * as ether from "../../../assembly/wire/ether";
import * as addr from "./addr";
import * as filter from "./filter";
import { isMember, PacketPcb, S } from "./pcb";

/** Types of an 802.3 frame are lengths up to this. */
const LENGTH_MAX: u32 = 1500;
/** The group of all hosts, of which each is a member (RFC 1112 4). */
const ALL_HOSTS: u32 = 0xe0000001;
const ETHERNET_BYTES: u32 = 6;

const FROM: SockAddr = changetype<SockAddr>(memory.data(offsetof<SockAddr>(), 16));

/** See if_tap. */
export function tap(ifpp: usize, mp: usize, out: u32): void {
  const ifp = changetype<Ifnet>(ifpp);
  const m = changetype<Mbuf>(mp);
  if (m.len < max<u32>(ifp.hdrlen, 1)) return;
  const ethernet = ifp.medium == Medium.ETHERNET;
  const type = ethernet ? ethertype(m) : version(m);
  const whose: u32 = out ? PacketType.OUTGOING : ethernet ? toWhom(ifp, m) : PacketType.HOST;
  filter.describe(m, ifp.medium, ifp.index, type, whose);
  filter.headers(ethernet ? 0 : -1, i32(ifp.hdrlen));
  for (let pcb = S.first; pcb; pcb = pcb.next) {
    if (wants(pcb, ifp, m, type, whose)) offer(pcb, ifp, m, type, whose);
  }
}

function ethertype(m: Mbuf): u32 {
  const type = ether.type(m.data);
  return type > LENGTH_MAX ? type : EthP.LLC;
}

function version(m: Mbuf): u32 {
  return load<u8>(m.data) >> 4 == 6 ? EtherType.IPV6 : EtherType.IP;
}

/** For whom a frame of an Ethernet is. */
function toWhom(ifp: Ifnet, m: Mbuf): u32 {
  const hi = ether.dstHi(m.data);
  const lo = ether.dstLo(m.data);
  if (ether.isBroadcast(hi, lo)) return PacketType.BROADCAST;
  if (ether.isGroup(hi)) return PacketType.MULTICAST;
  return hi == ifp.hwaddr_hi && lo == ifp.hwaddr_lo ? PacketType.HOST : PacketType.OTHERHOST;
}

/** Whether a socket asks for a frame; the sender of one does not see it. */
function wants(pcb: PacketPcb, ifp: Ifnet, m: Mbuf, type: u32, whose: u32): bool {
  if (pcb.ifindex && pcb.attached != ifp.attached) return false;
  if (whose == PacketType.OUTGOING) {
    return pcb.protocol == EthP.ALL && !(m.rcvif == 0 && m.l3off == u16(pcb.id));
  }
  if (pcb.protocol != EthP.ALL && pcb.protocol != type) return false;
  if (whose == PacketType.OTHERHOST) return promiscuous(pcb, ifp);
  if (whose != PacketType.MULTICAST || listens(ifp, m)) return true;
  return (ifp.flags & Iff.ALLMULTI) != 0 || promiscuous(pcb, ifp) ||
    isMember(pcb, ifp, PacketMr.ALLMULTI);
}

function promiscuous(pcb: PacketPcb, ifp: Ifnet): bool {
  return (ifp.flags & Iff.PROMISC) != 0 || isMember(pcb, ifp, PacketMr.PROMISC);
}

/** Whether the host is a member of the group that a frame is for. */
function listens(ifp: Ifnet, m: Mbuf): bool {
  const hi = ether.dstHi(m.data);
  const lo = ether.dstLo(m.data);
  if (hi == ether.groupHi(ALL_HOSTS) && lo == ether.groupLo(ALL_HOSTS)) return true;
  for (let group: Ifmulti = ifp.multis; group; group = group.next) {
    if (hi == ether.groupHi(group.group) && lo == ether.groupLo(group.group)) return true;
  }
  return false;
}

/** Has the filter look at a frame, and puts what it keeps into the receive buffer. */
function offer(pcb: PacketPcb, ifp: Ifnet, m: Mbuf, type: u32, whose: u32): void {
  const base: u32 = pcb.cooked ? ifp.hdrlen : 0;
  const verdict = filter.keeps(pcb.so, base);
  if (verdict == 0) {
    S.filtered += 1;
    return;
  }
  if (pcb.so.state & Ss.CANTRCVMORE) return;
  pcb.packets += 1;
  const keep = min(verdict, m.pktlen - base); // a frame without data is kept as well
  if (put(pcb, ifp, m, base, keep, type, whose)) S.received += 1;
  else {
    pcb.drops += 1;
    S.dropped += 1;
  }
}

/** Appends a copy of `keep` bytes; false without room. */
function put(
  pcb: PacketPcb,
  ifp: Ifnet,
  m: Mbuf,
  base: u32,
  keep: u32,
  type: u32,
  whose: u32,
): bool {
  const copy = mbuf_copy.copym(m, base, keep);
  if (!copy) return false;
  copy.tstamp = clock.now();
  const ethernet = ifp.medium == Medium.ETHERNET;
  const hi = ethernet ? ether.srcHi(m.data) : 0;
  const lo: u32 = ethernet ? load<u16>(m.data, 10) : 0;
  addr.fill(FROM, ifp.index, type, hi, lo, ethernet ? ETHERNET_BYTES : 0);
  addr.stamp(FROM, whose, copy.tstamp);
  if (!sockbuf.appendAddr(pcb.so.rcv, FROM, copy, changetype<Mbuf>(0))) {
    mbuf.freem(copy);
    return false;
  }
  so_event.rwakeup(pcb.so);
  return true;
}
