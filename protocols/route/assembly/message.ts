/** Messages to programs, composed one at a time. */
import { Medium } from "../../../assembly/abi/ifnet";
import { IfaMsg, IfMsg, Rta, Rtf, Rtm, RtMsg, RtmVersion, Rtv } from "../../../assembly/abi/route";
import { Ifaddr, Ifnet } from "../../../assembly/net/ifnet_t";
import { Rtentry } from "../../../assembly/net/route_t";
import * as wire from "./wire";

/** The message, and how long it is: at most a header and eight addresses. */
export const OUT: usize = memory.data(512, 16);

/** Begins a message about a route or an address. */
export function begin(type: Rtm): void {
  memory.fill(OUT, 0, RtMsg.SIZE);
  head(type);
}

function head(type: Rtm): void {
  store<u8>(OUT, u8(RtmVersion.NOW), RtMsg.VERSION);
  store<u8>(OUT, u8(type), RtMsg.TYPE);
}

/** Ends a message before `end`; its length. */
export function finish(end: usize): u32 {
  const len = u32(end - OUT);
  store<u16>(OUT, u16(len), RtMsg.LENGTH);
  return len;
}

/**
 * Writes what a route is into a message that was begun, its addresses behind; `more` are IFP and
 * IFA if they are wanted. Where the next address goes.
 */
export function putRoute(rt: Rtentry, more: u32): usize {
  const ifp = rt.ifp;
  store<u16>(OUT, u16(ifp.index), RtMsg.INDEX);
  store<u32>(OUT, rt.flags | Rtf.DONE, RtMsg.FLAGS);
  store<u32>(OUT, u32(rt.use), RtMsg.USE);
  store<u32>(OUT, Rtv.MTU | Rtv.HOPCOUNT, RtMsg.INITS);
  store<u32>(OUT, rt.mtu ? rt.mtu : ifp.mtu, RtMsg.MTU);
  store<u32>(OUT, rt.metric, RtMsg.HOPCOUNT);
  store<u32>(OUT, u32(rt.use), RtMsg.PKSENT);
  let addrs: u32 = Rta.DST | Rta.GATEWAY;
  let p = wire.putIn(OUT + RtMsg.SIZE, rt.dst);
  p = rt.gateway ? wire.putIn(p, rt.gateway) : wire.putLink(p, ifp);
  if (!(rt.flags & Rtf.HOST)) {
    addrs |= Rta.NETMASK;
    p = wire.putIn(p, rt.mask);
  }
  if (more & Rta.IFP) {
    addrs |= Rta.IFP;
    p = wire.putLink(p, ifp);
  }
  if (more & Rta.IFA && rt.ifa) {
    addrs |= Rta.IFA;
    p = wire.putIn(p, rt.ifa.addr);
  }
  store<u32>(OUT, addrs, RtMsg.ADDRS);
  return p;
}

/** Puts one more address behind; where the next goes. */
export function putMore(p: usize, kind: Rta, ip: u32): usize {
  store<u32>(OUT, load<u32>(OUT, RtMsg.ADDRS) | kind, RtMsg.ADDRS);
  return wire.putIn(p, ip);
}

/** A whole message about an interface; its length. */
export function ofInterface(ifp: Ifnet): u32 {
  memory.fill(OUT, 0, IfMsg.SIZE);
  head(Rtm.IFINFO);
  store<u32>(OUT, Rta.IFP, IfMsg.ADDRS);
  store<u32>(OUT, ifp.flags, IfMsg.FLAGS);
  store<u16>(OUT, u16(ifp.index), IfMsg.INDEX);
  store<u8>(OUT, u8(wire.kindOf(ifp)), IfMsg.IFTYPE);
  store<u8>(OUT, ifp.medium == Medium.ETHERNET ? 6 : 0, IfMsg.ADDRLEN);
  store<u8>(OUT, u8(ifp.hdrlen), IfMsg.HDRLEN);
  store<u32>(OUT, ifp.mtu, IfMsg.MTU);
  store<u32>(OUT, u32(ifp.ipackets), IfMsg.IPACKETS);
  store<u32>(OUT, u32(ifp.ierrors), IfMsg.IERRORS);
  store<u32>(OUT, u32(ifp.opackets), IfMsg.OPACKETS);
  store<u32>(OUT, u32(ifp.oerrors), IfMsg.OERRORS);
  store<u32>(OUT, u32(ifp.ibytes), IfMsg.IBYTES);
  store<u32>(OUT, u32(ifp.obytes), IfMsg.OBYTES);
  store<u32>(OUT, u32(ifp.imcasts), IfMsg.IMCASTS);
  store<u32>(OUT, u32(ifp.omcasts), IfMsg.OMCASTS);
  store<u32>(OUT, u32(ifp.idrops), IfMsg.IQDROPS);
  return finish(wire.putLink(OUT + IfMsg.SIZE, ifp));
}

/** A whole message about an address of an interface that has come or goes; its length. */
export function ofAddress(type: Rtm, ifa: Ifaddr): u32 {
  memory.fill(OUT, 0, IfaMsg.SIZE);
  head(type);
  const other = ifa.dst ? ifa.dst : ifa.broadcast;
  const addrs = Rta.NETMASK | Rta.IFP | Rta.IFA | (other ? Rta.BRD : 0);
  store<u32>(OUT, addrs, IfaMsg.ADDRS);
  store<u32>(OUT, ifa.flags, IfaMsg.FLAGS);
  store<u16>(OUT, u16(ifa.ifp.index), IfaMsg.INDEX);
  let p = wire.putIn(OUT + IfaMsg.SIZE, ifa.mask);
  p = wire.putLink(p, ifa.ifp);
  p = wire.putIn(p, ifa.addr);
  if (other) p = wire.putIn(p, other);
  return finish(p);
}
