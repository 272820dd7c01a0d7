/**
 * Urgent data (RFC 9293 MUST-30, RFC 6093). The pointer names the byte after the urgent one
 * (MUST-62); with TCP_STDURG it names the urgent byte itself. Without SO_OOBINLINE that byte is
 * taken out of the stream and kept for MSG_OOB.
 */
import { Errno } from "../abi/errno";
import { Msg, So, Ss } from "../abi/socket";
import { Th } from "../abi/tcp";
import { Socket } from "../socket/socket_t";
import * as so_event from "../socket/so_event";
import * as mbuf from "../sys/mbuf";
import * as copy from "../sys/mbuf_copy";
import { Mbuf } from "../sys/mbuf_t";
import { G } from "./seg";
import * as seq from "./seq";
import { Tcb, Tf } from "./tcb_t";

const HAVE: u8 = 1;
const READ: u8 = 2;

/**
 * Makes the pointer in G name the byte after the urgent one, whichever form is in use; one that
 * names nothing is taken away. Before anything is trimmed.
 */
export function normalize(tp: Tcb): void {
  if (tp.flags & Tf.STDURG) G.up++;
  if (G.up == 0) G.flags &= ~Th.URG;
}

/** A segment with URG: moves RCV.UP, sets the mark, and tells the user (MUST-32). */
export function input(tp: Tcb): void {
  const up = G.seq + G.up;
  if (!seq.gt(up, tp.rcv_up)) return;
  tp.rcv_up = up;
  const so = tp.inp.so;
  so.oobmark = so.rcv.cc + (up - tp.rcv_nxt) - 1;
  if (so.oobmark == 0) so.state |= Ss.RCVATMARK;
  so_event.hasOob(so);
  tp.oob_have = 0;
}

/**
 * Takes the urgent byte out of `m`, data that is in order and begins at `start`, if it lies there.
 *
 * @returns the chain without it; nil if nothing is left.
 */
export function pull(tp: Tcb, m: Mbuf, start: u32): Mbuf {
  const at = i32(tp.rcv_up - 1 - start);
  if (at < 0 || u32(at) >= m.pktlen || tp.oob_have || tp.inp.so.options & So.OOBINLINE) return m;
  tp.oob_byte = byteAt(m, u32(at));
  tp.oob_have = HAVE;
  if (m.pktlen == 1) {
    mbuf.freem(m);
    return changetype<Mbuf>(0);
  }
  return without(m, u32(at));
}

function byteAt(m: Mbuf, at: u32): u8 {
  copy.copydata(m, at, 1, SCRATCH);
  return load<u8>(SCRATCH);
}

const SCRATCH: usize = memory.data(8, 8);

/** `m` without its byte `at`: the bytes behind it move forward inside their mbuf. */
function without(m: Mbuf, at: u32): Mbuf {
  let p = m;
  let off = at;
  while (off >= p.len) {
    off -= p.len;
    p = p.next;
  }
  memory.copy(p.data + off, p.data + off + 1, p.len - off - 1);
  p.len--;
  m.pktlen--;
  return m;
}

/** PRU_RCVOOB: hands the byte out (facts of 4.4BSD: EINVAL if there is none, EWOULDBLOCK yet). */
export function receive(tp: Tcb, so: Socket, dst: usize, flags: i32): i32 {
  const none = so.oobmark == 0 && !(so.state & Ss.RCVATMARK);
  if (none || so.options & So.OOBINLINE || tp.oob_have == READ) return -Errno.EINVAL;
  if (tp.oob_have != HAVE) return -Errno.EAGAIN;
  store<u8>(dst, tp.oob_byte);
  if (!(flags & Msg.PEEK)) tp.oob_have = READ;
  return 1;
}
