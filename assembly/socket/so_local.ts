/**
 * What passes between a program and a domain beside data, names of 24 bytes and options: path names
 * of AF_UNIX, descriptors and credentials. One place for all sockets, filled in just before a call
 * and read just after it.
 *
 * ```
 *   LocalInfo | the sockets, u32 each, LocalLimit.RIGHTS of them | the path, LocalLimit.PATH bytes
 * ```
 *
 * A SockAddr of family AF_UNIX has the length of its path in `port`, 0 for a socket without a name.
 */
import { LocalLimit } from "../abi/socket";

/** See above. */
@unmanaged
@final
export class LocalInfo {
  count: u32; // sockets that go along with what is sent, or came with what was received
  creds: u32; // 1 if what follows came with it, or is to go instead of the sender's own
  pid: i32;
  uid: i32;
  gid: i32;
  wanted: u32; // the receiver takes as many sockets less one, 0: none, not even credentials
  cut: u32; // 1 if there were more, which are closed
}

const BYTES: i32 = 28 + 4 * 253 + 108;
/** Where it is. */
export const L: LocalInfo = changetype<LocalInfo>(memory.data(BYTES, 8));

/** Where a path stands. */
export function path(): usize {
  return changetype<usize>(L) + offsetof<LocalInfo>() + 4 * LocalLimit.RIGHTS;
}
