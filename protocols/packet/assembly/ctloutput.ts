/** Options of packet sockets: filters at SOL_SOCKET, memberships and statistics at SOL_PACKET. */
import { Errno } from "../../../assembly/abi/errno";
import { PacketOpt } from "../../../assembly/abi/packet";
import { Prco } from "../../../assembly/abi/proto";
import { So, Sol } from "../../../assembly/abi/socket";
import * as if_list from "../../../assembly/net/if_list";
import { Socket } from "../../../assembly/socket/socket_t";
import * as filter from "./filter";
import { join, leave, PacketPcb } from "./pcb";

/** The ctloutput entry of the rows. */
export function entry(op: i32, so: usize, level: i32, name: i32, ptr: usize, len: i32): i32 {
  const pcb = changetype<PacketPcb>(changetype<Socket>(so).pcb);
  if (level == Sol.SOCKET) {
    if (name >= So.ATTACH_FILTER && name <= So.LOCK_FILTER) {
      return filter.option(op, so, name, ptr, len);
    }
    return op == Prco.SETOPT ? 0 : -Errno.ENOPROTOOPT; // the socket layer's own
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

function statistics(pcb: PacketPcb, ptr: usize, len: i32): i32 {
  if (len < 8) return -Errno.EINVAL;
  store<u32>(ptr, pcb.packets);
  store<u32>(ptr, pcb.drops, 4);
  pcb.packets = 0;
  pcb.drops = 0;
  return 8;
}
