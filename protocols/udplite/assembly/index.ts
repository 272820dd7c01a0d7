/**
 * UDP-Lite (RFC 3828) as a side module: datagrams whose checksum covers as much as the sender says,
 * so that damage to the rest does not lose them. Sockets are of SOCK_DGRAM, protocol 136.
 *
 * @module
 */
import { Errno } from "../../../assembly/abi/errno";
import { Pr } from "../../../assembly/abi/proto";
import { Af, Sock } from "../../../assembly/abi/socket";
import * as in_pcb_hash from "../../../assembly/inet/in_pcb_hash";
import * as domain from "../../../assembly/protocol/domain";
import * as ctloutput from "./ctloutput";
import * as input from "./input";
import { INFO, PROTOCOL, S } from "./pcb";
import * as usrreq from "./usrreq";

/** Sockets that the tables are made for; more make their chains longer. */
const SOCKETS: u32 = 1024;

/** Adds the row. ENOMEM without memory, EEXIST if the number is taken. */
export function register(_config: usize, _length: u32): i32 {
  if (!in_pcb_hash.initInfo(INFO, PROTOCOL, SOCKETS)) return -Errno.ENOMEM;
  const row = domain.addRow(Af.INET, Sock.DGRAM, PROTOCOL, Pr.ATOMIC | Pr.ADDR);
  if (!row) return -Errno.EEXIST;
  row.input = input.input.index;
  row.ctlinput = usrreq.ctlinput.index;
  row.ctloutput = ctloutput.entry.index;
  row.usrreq = usrreq.usrreq.index;
  return 0;
}

/** Address of the counters; see UdpliteState. */
export function counters(): usize {
  return changetype<usize>(S);
}
