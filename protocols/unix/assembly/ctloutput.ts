/** Options of local sockets, at level SOL_LOCAL. */
import { Errno } from "../../../assembly/abi/errno";
import { Prco } from "../../../assembly/abi/proto";
import { LocalLimit, LocalOpt, So, Sol } from "../../../assembly/abi/socket";
import { Socket } from "../../../assembly/socket/socket_t";
import * as names from "./names";
import { pcbOf } from "./pcb";
import { UnixPcb } from "./pcb_t";
import * as room from "./room";

/** The ctloutput entry of the rows. */
export function entry(op: i32, so: usize, level: i32, name: i32, ptr: usize, len: i32): i32 {
  const pcb = pcbOf(changetype<Socket>(so));
  if (level == Sol.SOCKET && op == Prco.SETOPT && name >= So.SNDBUF && name <= So.RCVLOWAT) {
    room.freed(pcb, false); // there may be more than there was
    return 0;
  }
  if (level != Sol.LOCAL) return -Errno.ENOPROTOOPT;
  return op == Prco.SETOPT ? set(pcb, name, ptr, len) : get(pcb, name, ptr, len);
}

function set(pcb: UnixPcb, name: i32, ptr: usize, len: i32): i32 {
  switch (name) {
    case LocalOpt.UNLINK:
      return unlink(ptr, u32(len));
    case LocalOpt.CREDS:
      if (len < 4) return -Errno.EINVAL;
      pcb.creds = load<i32>(ptr) != 0;
      return 0;
    case LocalOpt.CRED:
      if (len < 12) return -Errno.EINVAL;
      pcb.pid = load<i32>(ptr);
      pcb.uid = load<i32>(ptr, 4);
      pcb.gid = load<i32>(ptr, 8);
      return 0;
    default:
      return -Errno.ENOPROTOOPT;
  }
}

/** Takes a path name away. ENOENT if there is none; abstract names go with their sockets. */
function unlink(ptr: usize, len: u32): i32 {
  if (len == 0 || len > u32(LocalLimit.PATH)) return -Errno.ENOENT;
  const name = names.find(ptr, len);
  if (!name || names.isAbstract(name)) return -Errno.ENOENT;
  names.unlink(name);
  return 0;
}

function get(pcb: UnixPcb, name: i32, ptr: usize, len: i32): i32 {
  if (name == LocalOpt.CREDS) {
    if (len < 4) return -Errno.EINVAL;
    store<i32>(ptr, i32(pcb.creds));
    return 4;
  }
  const own = name == LocalOpt.CRED;
  if (!own && name != LocalOpt.PEERCRED) return -Errno.ENOPROTOOPT;
  if (!own && !pcb.known) return -Errno.ENOTCONN;
  if (len < 12) return -Errno.EINVAL;
  store<i32>(ptr, own ? pcb.pid : pcb.peer_pid);
  store<i32>(ptr, own ? pcb.uid : pcb.peer_uid, 4);
  store<i32>(ptr, own ? pcb.gid : pcb.peer_gid, 8);
  return 12;
}
