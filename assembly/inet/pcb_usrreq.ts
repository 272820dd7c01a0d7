/**
 * User requests that mean the same to every protocol without connections.
 *
 * @module
 */

import { Errno } from "../abi/errno";
import { Pru } from "../abi/proto";
import { Ss } from "../abi/socket";
import * as so_event from "../socket/so_event";
import { SockAddr } from "../socket/sockaddr";
import * as sockbuf from "../socket/sockbuf";
import { Socket } from "../socket/socket_t";
import { N } from "../sys/net_settings";
import * as in_pcb from "./in_pcb";
import { InpcbInfo } from "./in_pcb_hash";
import { Inpcb } from "./in_pcb_t";

/** PRU_ATTACH: buffers and a control block. EINVAL: it has one; ENOBUFS. */
export function attach(so: Socket, info: InpcbInfo): i32 {
  if (so.pcb) return -Errno.EINVAL;
  if (!so.snd.hiwat) {
    sockbuf.reserve(so.snd, N.sndbuf);
    sockbuf.reserve(so.rcv, N.rcvbuf);
  }
  return in_pcb.alloc(so, info);
}

/** The requests that need nothing of the protocol; EOPNOTSUPP for those that nobody has. */
export function request(so: Socket, inp: Inpcb, req: i32, nam: SockAddr): i32 {
  switch (req) {
    case Pru.DETACH:
      in_pcb.free(inp);
      return 0;
    case Pru.ABORT:
      in_pcb.free(inp);
      so_event.isDisconnected(so);
      return 0;
    case Pru.DISCONNECT:
      in_pcb.disconnect(inp);
      so.state &= ~<u32> Ss.ISCONNECTED;
      return 0;
    case Pru.SHUTDOWN:
      so_event.cantSendMore(so);
      return 0;
    case Pru.SOCKADDR:
      return in_pcb.sockaddr(inp, nam);
    case Pru.PEERADDR:
      return in_pcb.peeraddr(inp, nam);
    case Pru.SENSE:
      return 0;
    default:
      return -Errno.EOPNOTSUPP;
  }
}
