/** Requests of ioctl(2) about interfaces, addresses, routes and neighbours (abi/ifnet's Sioc). */
import { Errno } from "../abi/errno";
import { Medium, Sioc } from "../abi/ifnet";
import * as arp from "./arp";
import * as entry from "./arp_entry";
import { ArpEntry } from "./arp_entry";
import * as netif from "./if";
import * as if_queue from "./if_queue";
import { Ifnet } from "./ifnet_t";
import { IfReq, IfStats, RtReq } from "./ifreq_t";
import * as route from "./route";
import * as route_req from "./route_req";
import { Rtentry } from "./route_t";

/** `i` of a request that does not walk a list. */
const NO_WALK: u32 = 0xffffffff;

/**
 * Does request `cmd` with the record at `ptr`, `len` bytes: an IfReq, for GIFSTATS an IfStats, for
 * the requests about routes an RtReq. Answers are written into the record.
 *
 * | request | takes | gives |
 * | --- | --- | --- |
 * | GIFCONF | i | ifindex, flags, mtu of the i-th interface |
 * | GIFADDR | ifindex, i | addr, mask, broadcast, dst, flags of its i-th address |
 * | AIFADDR, DIFADDR | ifindex, addr, and mask, broadcast, dst | |
 * | GIFFLAGS, GIFMTU, GIFHWADDR | ifindex | flags, mtu, hwaddr |
 * | SIFFLAGS, SIFMTU | ifindex, flags or mtu | |
 * | SARP, DARP | ifindex, addr, and hwaddr | |
 * | GARP | ifindex, addr; or ifindex 0 and i, to walk | ifindex, addr, hwaddr, flags (Arps) |
 *
 * @returns 0; EINVAL for an unknown request, a record of another length or impossible values; ENXIO
 * no such interface; EADDRNOTAVAIL no such (or no further) address; ENOENT no such neighbour; ESRCH
 * no such route; and the errors of the routines that do the work.
 */
export function ioctl(cmd: u32, ptr: usize, len: u32): i32 {
  if (cmd == Sioc.GIFSTATS) {
    return len == offsetof<IfStats>() ? stats(changetype<IfStats>(ptr)) : -Errno.EINVAL;
  }
  if (cmd >= u32(Sioc.ADDRT) && cmd <= u32(Sioc.CHGRT)) {
    return len == offsetof<RtReq>() ? routes(cmd, changetype<RtReq>(ptr)) : -Errno.EINVAL;
  }
  if (len != offsetof<IfReq>()) return -Errno.EINVAL;
  const r = changetype<IfReq>(ptr);
  if (cmd == Sioc.GIFCONF) return conf(r);
  if (cmd == Sioc.GARP && r.ifindex == 0) return describe(r, entry.walk(r.i));
  const ifp = netif.byIndex(r.ifindex);
  if (!ifp) return -Errno.ENXIO;
  return cmd >= u32(Sioc.SARP) ? neighbours(cmd, ifp, r) : interfaces(cmd, ifp, r);
}

function interfaces(cmd: u32, ifp: Ifnet, r: IfReq): i32 {
  switch (cmd) {
    case Sioc.GIFFLAGS:
      r.flags = ifp.flags;
      return 0;
    case Sioc.SIFFLAGS:
      return netif.setFlags(ifp, r.flags);
    case Sioc.GIFADDR:
      return address(ifp, r);
    case Sioc.AIFADDR:
      return netif.addAddr(ifp, r.addr, r.mask, r.broadcast, r.dst);
    case Sioc.DIFADDR:
      return netif.delAddr(ifp, r.addr);
    case Sioc.GIFMTU:
      r.mtu = ifp.mtu;
      return 0;
    case Sioc.SIFMTU:
      return netif.setMtu(ifp, r.mtu);
    case Sioc.GIFHWADDR:
      r.hwaddr_hi = ifp.hwaddr_hi;
      r.hwaddr_lo = ifp.hwaddr_lo;
      return 0;
    default:
      return -Errno.EINVAL;
  }
}

function conf(r: IfReq): i32 {
  let ifp = netif.first();
  let i = r.i;
  while (ifp && i--) ifp = netif.next(ifp);
  if (!ifp) return -Errno.ENXIO;
  r.ifindex = ifp.index;
  r.flags = ifp.flags;
  r.mtu = ifp.mtu;
  return 0;
}

function address(ifp: Ifnet, r: IfReq): i32 {
  let ifa = ifp.addrs;
  let i = r.i;
  while (ifa && i--) ifa = ifa.next;
  if (!ifa) return -Errno.EADDRNOTAVAIL;
  r.addr = ifa.addr;
  r.mask = ifa.mask;
  r.broadcast = ifa.broadcast;
  r.dst = ifa.dst;
  r.flags = ifa.flags;
  return 0;
}

function neighbours(cmd: u32, ifp: Ifnet, r: IfReq): i32 {
  if (ifp.medium != Medium.ETHERNET) return -Errno.EINVAL;
  if (cmd == Sioc.SARP) return arp.set(ifp, r.addr, r.hwaddr_hi, r.hwaddr_lo & 0xffff);
  if (cmd == Sioc.DARP) return arp.del(ifp, r.addr);
  if (cmd == Sioc.GARP) return describe(r, arp.get(ifp, r.addr));
  return -Errno.EINVAL;
}

function describe(r: IfReq, e: ArpEntry): i32 {
  if (!e) return -Errno.ENOENT;
  r.ifindex = e.ifp.index;
  r.addr = e.ip;
  r.hwaddr_hi = e.hw_hi;
  r.hwaddr_lo = e.hw_lo;
  r.flags = e.state;
  return 0;
}

function stats(s: IfStats): i32 {
  const ifp = netif.byIndex(s.ifindex);
  if (!ifp) return -Errno.ENXIO;
  s.name0 = ifp.name0;
  s.name1 = ifp.name1;
  s.ipackets = ifp.ipackets;
  s.opackets = ifp.opackets;
  s.ibytes = ifp.ibytes;
  s.obytes = ifp.obytes;
  s.idrops = ifp.idrops;
  s.odrops = ifp.odrops;
  s.ierrors = ifp.ierrors;
  s.oerrors = ifp.oerrors;
  s.imcasts = ifp.imcasts;
  s.omcasts = ifp.omcasts;
  s.flags = ifp.flags;
  s.mtu = ifp.mtu;
  s.medium = ifp.medium;
  s.queued = if_queue.queued(ifp);
  return 0;
}

function routes(cmd: u32, r: RtReq): i32 {
  if (cmd == Sioc.ADDRT) return route_req.add(r);
  if (cmd == Sioc.DELRT) return route_req.del(r);
  if (cmd == Sioc.CHGRT) return route_req.change(r);
  const rt = r.i == NO_WALK ? route.select(route.lookup(r.dst), r.dst, r.src, 0) : route.walk(r.i);
  return rt ? tell(r, rt) : -Errno.ESRCH;
}

function tell(r: RtReq, rt: Rtentry): i32 {
  r.dst = rt.dst;
  r.mask = rt.mask;
  r.gateway = rt.gateway;
  r.flags = rt.flags;
  r.ifindex = rt.ifp.index;
  r.mtu = rt.mtu ? rt.mtu : rt.ifp.mtu;
  r.metric = rt.metric;
  r.mss = rt.mss;
  r.from = rt.from;
  r.from_mask = rt.from_mask;
  r.use = rt.use;
  r.src = rt.ifa ? rt.ifa.addr : 0;
  return 0;
}
