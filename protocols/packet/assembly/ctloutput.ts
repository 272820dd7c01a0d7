/** Options of packet sockets: filters at SOL_SOCKET, memberships and statistics at SOL_PACKET. */
import { Errno } from "../../../assembly/abi/errno";
import { PacketOpt } from "../../../assembly/abi/packet";
import { Prco } from "../../../assembly/abi/proto";
import { So, Sol } from "../../../assembly/abi/socket";
import { BpfInsn } from "../../../assembly/bpf/insn_t";
import * as if_list from "../../../assembly/net/if_list";
import { Socket } from "../../../assembly/socket/socket_t";
import { dropFilter, join, leave, PacketPcb, setFilter } from "./pcb";

/** The ctloutput entry of the rows. */
export function entry(op: i32, so: usize, level: i32, name: i32, ptr: usize, len: i32): i32 {
  const pcb = changetype<PacketPcb>(changetype<Socket>(so).pcb);
  if (level == Sol.SOCKET) {
    return op == Prco.SETOPT ? setFiltering(pcb, name, ptr, len) : filtering(pcb, name, ptr, len);
  }
  if (level != Sol.PACKET) return -Errno.ENOPROTOOPT;
  if (op == Prco.GETOPT) {
    return name == PacketOpt.STATISTICS ? statistics(pcb, ptr, len) : -Errno.ENOPROTOOPT;
  }
  if (name != PacketOpt.ADD_MEMBERSHIP && name != PacketOpt.DROP_MEMBERSHIP) {
    return -Errno.ENOPROTOOPT;
  }
  if (len < 8) return -Errno.EINVAL;
  const ifp = if_list.byIndex(load<u32>(ptr));
  const what = load<u32>(ptr, 4);
  if (name == PacketOpt.ADD_MEMBERSHIP) return ifp ? join(pcb, ifp, what) : -Errno.ENXIO;
  return ifp ? leave(pcb, ifp, what) : -Errno.EADDRNOTAVAIL;
}

/** What is set at SOL_SOCKET. EPERM for a filter that is locked, ENOENT if there is none. */
function setFiltering(pcb: PacketPcb, name: i32, ptr: usize, len: i32): i32 {
  switch (name) {
    case So.ATTACH_FILTER:
      return pcb.locked ? -Errno.EPERM : setFilter(pcb, ptr, u32(len));
    case So.DETACH_FILTER:
      if (pcb.locked) return -Errno.EPERM;
      if (!pcb.filter) return -Errno.ENOENT;
      dropFilter(pcb);
      return 0;
    case So.LOCK_FILTER: {
      if (len < 4) return -Errno.EINVAL;
      const on = load<i32>(ptr) != 0;
      if (pcb.locked && !on) return -Errno.EPERM;
      pcb.locked = on;
      return 0;
    }
    default:
      return 0; // the socket layer's own
  }
}

/** What can be read: the program, and whether it is locked. */
function filtering(pcb: PacketPcb, name: i32, ptr: usize, len: i32): i32 {
  if (name == So.LOCK_FILTER) {
    if (len < 4) return -Errno.EINVAL;
    store<i32>(ptr, i32(pcb.locked));
    return 4;
  }
  if (name != So.ATTACH_FILTER) return -Errno.ENOPROTOOPT;
  const bytes = pcb.filter_insns * u32(offsetof<BpfInsn>());
  if (u32(len) < bytes) return -Errno.EINVAL;
  memory.copy(ptr, pcb.filter, bytes);
  return i32(bytes);
}

function statistics(pcb: PacketPcb, ptr: usize, len: i32): i32 {
  if (len < 8) return -Errno.EINVAL;
  store<u32>(ptr, pcb.packets);
  store<u32>(ptr, pcb.drops, 4);
  pcb.packets = 0;
  pcb.drops = 0;
  return 8;
}
