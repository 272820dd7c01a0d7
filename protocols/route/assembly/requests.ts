/**
 * Messages from programs: routes are asked for, added, changed and deleted. Whatever becomes of a
 * request, every routing socket gets a message about it: with RTF_DONE and what the route is now,
 * or as it was sent, with the error in rtm_errno (without its addresses if they could not be read).
 * The sender gets it too unless it has switched SO_USELOOPBACK off, and its call fails with the
 * error as well.
 */
import { Errno } from "../../../assembly/abi/errno";
import { Sioc } from "../../../assembly/abi/ifnet";
import { Rta, Rtf, Rtm, RtMsg, RtmVersion, Rtv } from "../../../assembly/abi/route";
import { So } from "../../../assembly/abi/socket";
import * as if_ioctl from "../../../assembly/net/if_ioctl";
import * as if_list from "../../../assembly/net/if_list";
import { RtReq } from "../../../assembly/net/ifreq_t";
import * as route from "../../../assembly/net/route";
import { Rtentry } from "../../../assembly/net/route_t";
import { Limits } from "../../../assembly/abi/limits";
import { Socket } from "../../../assembly/socket/socket_t";
import * as mbuf_copy from "../../../assembly/sys/mbuf_copy";
import { Mbuf } from "../../../assembly/sys/mbuf_t";
import * as addrs from "./addrs";
import { A } from "./addrs";
import { E, keep, ROUTE } from "./events";
import * as listeners from "./listeners";
import * as message from "./message";

/** Longest message: the header and eight addresses of 255 bytes. */
const LONGEST: u32 = 2124;
/** The message being worked on. */
const IN: usize = memory.data(2128, 16);
const R: RtReq = changetype<RtReq>(memory.data(offsetof<RtReq>(), 16));

const REFUSING: u32 = Rtf.REJECT | Rtf.BLACKHOLE;
const HOST_MASK: u32 = 0xffffffff;

/**
 * Does what a message says, and tells all. The message is the caller's.
 *
 * @returns 0; EINVAL lengths or addresses that cannot be, or too few of them; EPROTONOSUPPORT
 * another version; EOPNOTSUPP a type that programs cannot send; EAFNOSUPPORT addresses of another
 * family; ESRCH no such route; and the errors of adding a route
 */
export function handle(so: Socket, m: Mbuf): i32 {
  listeners.C.requests += 1;
  let len = m.pktlen;
  if (len < u32(RtMsg.SIZE) || len > LONGEST) return refused(-Errno.EINVAL);
  mbuf_copy.copydata(m, 0, len, IN);
  if (u32(load<u16>(IN, RtMsg.LENGTH)) != len) return refused(-Errno.EINVAL);
  if (load<u8>(IN, RtMsg.VERSION) != RtmVersion.NOW) return refused(-Errno.EPROTONOSUPPORT);
  E.busy = 1;
  E.found = 0;
  let error = addrs.read(IN + RtMsg.SIZE, IN + len, load<u32>(IN, RtMsg.ADDRS));
  if (!error) error = perform(load<u8>(IN, RtMsg.TYPE), load<u32>(IN, RtMsg.ADDRS));
  else {
    // others are not to stumble over what makes no sense
    len = RtMsg.SIZE;
    store<u16>(IN, u16(len), RtMsg.LENGTH);
    store<u32>(IN, 0, RtMsg.ADDRS);
  }
  E.busy = 0;
  const not = so.options & So.USELOOPBACK ? changetype<Socket>(0) : so;
  if (error) {
    store<u32>(IN, load<u32>(IN, RtMsg.FLAGS) & ~u32(Rtf.DONE), RtMsg.FLAGS);
    store<i32>(IN, -error, RtMsg.ERRNO);
    listeners.tellAll(IN, len, not);
    return refused(error);
  }
  message.begin(load<u8>(IN, RtMsg.TYPE));
  store<u32>(message.OUT, load<u32>(IN, RtMsg.PID), RtMsg.PID);
  store<u32>(message.OUT, load<u32>(IN, RtMsg.SEQ), RtMsg.SEQ);
  const end = message.putRoute(ROUTE, load<u32>(IN, RtMsg.ADDRS));
  listeners.tellAll(message.OUT, message.finish(end), not);
  return 0;
}

function refused(error: i32): i32 {
  listeners.C.refused += 1;
  return error;
}

/** Does the request, whose addresses are `bits`; when that answers 0, ROUTE is the route. */
function perform(type: u32, bits: u32): i32 {
  const isChange = type == Rtm.ADD || type == Rtm.DELETE || type == Rtm.CHANGE;
  if (!isChange && type != Rtm.GET) return -Errno.EOPNOTSUPP;
  if (!(bits & Rta.DST)) return -Errno.EINVAL;
  const flags = load<u32>(IN, RtMsg.FLAGS);
  // a destination without a mask is a host (4.4BSD)
  if (flags & Rtf.HOST || !(bits & Rta.NETMASK)) A.mask = HOST_MASK;
  if (type == Rtm.GET) return get(bits);
  memory.fill(changetype<usize>(R), 0, offsetof<RtReq>());
  R.dst = A.dst & A.mask;
  R.mask = A.mask;
  R.flags = flags & REFUSING;
  const inits = load<u32>(IN, RtMsg.INITS);
  if (inits & Rtv.MTU) R.mtu = load<u32>(IN, RtMsg.MTU);
  if (inits & Rtv.HOPCOUNT) R.metric = load<u32>(IN, RtMsg.HOPCOUNT);
  const wrong = way(type, bits, flags);
  if (wrong) return wrong;
  const cmd = type == Rtm.ADD ? Sioc.ADDRT : type == Rtm.DELETE ? Sioc.DELRT : Sioc.CHGRT;
  return if_ioctl.ioctl(cmd, changetype<usize>(R), u32(offsetof<RtReq>()));
}

/**
 * Finds the way of a request. A gateway that is no RTF_GATEWAY is the address of the interface
 * which the network is on, as in 4.4BSD; or it is a sockaddr_dl. A route that refuses needs none.
 */
function way(type: u32, bits: u32, flags: u32): i32 {
  R.ifindex = A.ifindex;
  if (!(bits & Rta.GATEWAY)) {
    const needs = type == Rtm.ADD && !A.ifindex && !(flags & REFUSING);
    return needs ? -Errno.EINVAL : 0;
  }
  if (flags & REFUSING) {
    R.ifindex = 0;
    return 0;
  }
  if (!A.gateway || flags & Rtf.GATEWAY || type == Rtm.DELETE) {
    R.gateway = A.gateway;
    return 0;
  }
  R.ifindex = owner(A.gateway);
  return R.ifindex ? 0 : -Errno.ENETUNREACH;
}

/** Index of the interface that has an address, 0 if none has. */
function owner(ip: u32): u32 {
  for (let i: u32 = 1; i <= u32(Limits.INTERFACES); i++) {
    const ifp = if_list.byIndex(i);
    if (!ifp) continue;
    for (let ifa = ifp.addrs; ifa; ifa = ifa.next) if (ifa.addr == ip) return i;
  }
  return 0;
}

/** The route that packets take, or with a mask the one for just that network. ESRCH. */
function get(bits: u32): i32 {
  let rt: Rtentry;
  if (bits & Rta.NETMASK) {
    const net = A.dst & A.mask;
    rt = route.firstOf(net, A.mask);
    while (rt && (rt.dst != net || rt.mask != A.mask)) rt = rt.next;
  } else rt = route.lookup(A.dst);
  if (!rt) return -Errno.ESRCH;
  keep(rt);
  return 0;
}
