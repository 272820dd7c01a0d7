/** Socket options of Fast Open (RFC 7413 appendix A), as Linux has them. */
import { Errno } from "../abi/errno";
import { N } from "../sys/net_settings";
import { TcpOpt } from "../abi/socket";
import { TcpState } from "../abi/tcp";
import * as key from "./fastopen_key";
import * as queue from "./fastopen_queue";
import { Fo, FoQueue, Tfop } from "./fastopen_t";
import { T } from "./settings";
import { Tcb } from "./tcb_t";

/** True if `name` is one of them. */
export function has(name: i32): bool {
  return name >= TcpOpt.FASTOPEN && name <= TcpOpt.FASTOPEN_NO_COOKIE;
}

/** Sets an option from `len` bytes at `ptr`; 0 or -Errno. */
export function set(tp: Tcb, name: i32, ptr: usize, len: i32): i32 {
  if (name == TcpOpt.FASTOPEN_KEY) return setKey(tp, ptr, len);
  if (len < 4) return -Errno.EINVAL;
  const value = load<i32>(ptr);
  if (name == TcpOpt.FASTOPEN) return setLimit(tp, value);
  if (value < 0 || value > 1) return -Errno.EINVAL;
  if (name == TcpOpt.FASTOPEN_NO_COOKIE) {
    if (tp.state > TcpState.LISTEN) return -Errno.EINVAL;
    return flag(tp, Tfop.NO_COOKIE, value);
  }
  if (!(T.fastopen & Fo.CLIENT)) return -Errno.EOPNOTSUPP;
  if (tp.state != TcpState.CLOSED) return -Errno.EINVAL;
  return flag(tp, Tfop.CONNECT, value);
}

function flag(tp: Tcb, bit: u32, on: i32): i32 {
  if (on) tp.tfo_option |= u8(bit);
  else tp.tfo_option &= ~u8(bit);
  return 0;
}

/** TCP_FASTOPEN: how many connections may be pending. */
export function setLimit(tp: Tcb, value: i32): i32 {
  if (value < 0 || tp.state > TcpState.LISTEN) return -Errno.EINVAL;
  const q = queue.obtain(tp);
  if (!q) return -Errno.ENOBUFS;
  q.limit = min<i32>(value, i32(N.somaxconn));
  return 0;
}

/** TCP_FASTOPEN_KEY: one key, or the new one and the one it replaces. */
function setKey(tp: Tcb, ptr: usize, len: i32): i32 {
  if (tp.state > TcpState.LISTEN) return -Errno.EINVAL;
  if (u32(len) != key.KEY_LEN && u32(len) != 2 * key.KEY_LEN) return -Errno.EINVAL;
  const q = queue.obtain(tp);
  if (!q) return -Errno.ENOBUFS;
  key.setOwn(q, ptr, len);
  return 0;
}

/** The listener `tp` begins: all of them do Fast Open if the setting says so. */
export function listening(tp: Tcb, backlog: i32): void {
  const all = Fo.SERVER | Fo.ALL_LISTENERS;
  if ((T.fastopen & all) != all || (tp.fo_queue && tp.fo_queue.limit)) return;
  setLimit(tp, backlog);
}

/** Reads an option into at most `len` bytes at `ptr`; the length or -Errno. */
export function get(tp: Tcb, name: i32, ptr: usize, len: i32): i32 {
  if (name == TcpOpt.FASTOPEN_KEY) return i32(key.get(ownQueue(tp), ptr, max<i32>(len, 0)));
  if (len < 4) return -Errno.EINVAL;
  let value: i32 = 0;
  if (name == TcpOpt.FASTOPEN) {
    const q = ownQueue(tp);
    value = q ? q.limit : 0;
  } else {
    const bit: u32 = name == TcpOpt.FASTOPEN_CONNECT ? Tfop.CONNECT : Tfop.NO_COOKIE;
    value = tp.tfo_option & bit ? 1 : 0;
  }
  store<i32>(ptr, value);
  return 4;
}

/** That of a listener; a pending connection refers to the one it came from. */
function ownQueue(tp: Tcb): FoQueue {
  return tp.state <= TcpState.LISTEN ? tp.fo_queue : changetype<FoQueue>(0);
}
