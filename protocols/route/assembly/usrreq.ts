/** User requests of routing sockets. */
import { Errno } from "../../../assembly/abi/errno";
import { Pru } from "../../../assembly/abi/proto";
import { Af } from "../../../assembly/abi/socket";
import * as so_event from "../../../assembly/socket/so_event";
import { SockAddr } from "../../../assembly/socket/sockaddr";
import { Socket } from "../../../assembly/socket/socket_t";
import * as mbuf from "../../../assembly/sys/mbuf";
import { Mbuf } from "../../../assembly/sys/mbuf_t";
import * as listeners from "./listeners";
import * as requests from "./requests";

/** User requests; see Protosw. Routing sockets are neither bound nor connected. */
export function usrreq(s: usize, req: i32, mp: usize, nam: usize, arg: i32): i32 {
  const so = changetype<Socket>(s);
  const m = changetype<Mbuf>(mp);
  const error = req == Pru.SEND && so.pcb && m ? requests.handle(so, m) : 0;
  mbuf.freem(m);
  if (req == Pru.SEND) return so.pcb ? error : -Errno.ENOTCONN;
  switch (req) {
    case Pru.ATTACH:
      // the family whose routes are meant: all, or IPv4, of which they are
      return arg == Af.UNSPEC || arg == Af.INET ? listeners.add(so) : -Errno.EPROTONOSUPPORT;
    case Pru.DETACH:
      if (so.pcb) listeners.remove(so);
      return 0;
    case Pru.ABORT:
      if (so.pcb) listeners.remove(so);
      so_event.isDisconnected(so);
      return 0;
    case Pru.SHUTDOWN:
      so_event.cantSendMore(so);
      return 0;
    case Pru.SOCKADDR:
      memory.fill(nam, 0, offsetof<SockAddr>());
      changetype<SockAddr>(nam).family = <u16> Af.ROUTE;
      return 0;
    case Pru.PEERADDR:
      return -Errno.ENOTCONN;
    case Pru.SENSE:
      return 0;
    default:
      return -Errno.EOPNOTSUPP;
  }
}
