/**
 * ioctl(2) requests that concern a socket itself. Those about interfaces, routes and neighbours go
 * to the device layer.
 *
 * @module
 */

import { Errno } from "../abi/errno";
import { Sioc } from "../abi/ifnet";
import { Pr, Pru } from "../abi/proto";
import { So, Ss } from "../abi/socket";
import * as so_core from "./so";
import * as sockbuf from "./sockbuf";
import { Socket } from "./socket_t";

/**
 * Carries out a request whose argument is an i32 at ptr. FIONREAD tells the bytes that one read can
 * give (for messages, the size of the next); ATMARK whether the read position is at the urgent mark
 * (RFC 9293 MUST-33); OUTQ the bytes queued to be sent and not acknowledged; FIONBIO sets or clears
 * non-blocking. Other requests are the protocol's: OUTQNSD, of those bytes, the ones never sent.
 * EINVAL: another length than 4, or unknown request.
 */
export function ioctl(so: Socket, cmd: i32, ptr: usize, len: i32): i32 {
  if (len != 4) return -Errno.EINVAL;
  switch (cmd) {
    case Sioc.FIONREAD: {
      const message = (so.proto.flags & Pr.ATOMIC) != 0;
      store<i32>(ptr, message ? sockbuf.recordLength(so.rcv) : so.rcv.cc);
      return 4;
    }
    case Sioc.ATMARK:
      store<i32>(ptr, so.state & Ss.RCVATMARK ? 1 : 0);
      return 4;
    case Sioc.FIONBIO:
      if (load<i32>(ptr)) so.state |= Ss.NBIO;
      else so.state &= ~<u32> Ss.NBIO;
      return 0;
    case Sioc.OUTQ:
      if (so.options & So.ACCEPTCONN) return -Errno.EINVAL;
      store<i32>(ptr, so.snd.cc);
      return 4;
    case Sioc.OUTQNSD:
      if (!so.pcb || !(so.proto.flags & Pr.CONNREQUIRED)) return -Errno.EINVAL;
      return so_core.request(so, Pru.CONTROL, 0, ptr, cmd);
    default:
      return -Errno.EINVAL;
  }
}
