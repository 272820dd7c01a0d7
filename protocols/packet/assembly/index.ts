/**
 * Packet sockets (AF_NDD) as a side module: whole frames of an interface, or what they carry
 * (SOCK_DGRAM), received and sent by programs; and filters of classic BPF for these, for UDP and
 * for raw IP sockets.
 *
 * @module
 */
import { Errno } from "../../../assembly/abi/errno";
import { Pr } from "../../../assembly/abi/proto";
import { Af, Sock } from "../../../assembly/abi/socket";
import * as if_tap from "../../../assembly/net/if_tap";
import * as domain from "../../../assembly/protocol/domain";
import { Protosw } from "../../../assembly/protocol/protosw";
import * as so_filter from "../../../assembly/socket/so_filter";
import * as ctloutput from "./ctloutput";
import * as filter from "./filter";
import { init, S } from "./pcb";
import * as usrreq from "./usrreq";

/** Adds the domain with its rows. ENOMEM without memory, EEXIST if the family is taken. */
export function register(_config: usize, _length: u32): i32 {
  if (!init() || !filter.init()) return -Errno.ENOMEM;
  const error = domain.addDomain(Af.NDD);
  if (error < 0) return error;
  const raw = domain.addRow(Af.NDD, Sock.RAW, 0, Pr.ATOMIC | Pr.ADDR);
  const datagram = domain.addRow(Af.NDD, Sock.DGRAM, 0, Pr.ATOMIC | Pr.ADDR);
  if (!raw || !datagram) return -Errno.ENOBUFS;
  enter(raw);
  enter(datagram);
  so_filter.set(filter.option.index, filter.packet.index, filter.drop.index);
  return 0;
}

function enter(row: Protosw): void {
  row.ctloutput = ctloutput.entry.index;
  row.usrreq = usrreq.usrreq.index;
}

/** Takes all of it away. EBUSY while a socket of another protocol has a filter. */
export function unregister(): i32 {
  if (filter.inUse()) return -Errno.EBUSY;
  so_filter.set(0, 0, 0);
  if_tap.set(0);
  return domain.delDomain(Af.NDD);
}

/** Address of the counters; see PacketState. */
export function counters(): usize {
  return changetype<usize>(S);
}
