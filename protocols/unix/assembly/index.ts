/**
 * Local sockets (AF_UNIX) as a side module: streams, datagrams and sequenced packets between
 * sockets of one stack, named by paths or abstract names, that carry descriptors and credentials.
 * Data goes straight into the receive buffer of the other end, in mbufs like everything else.
 *
 * @module
 */
import { Errno } from "../../../assembly/abi/errno";
import { Pr } from "../../../assembly/abi/proto";
import { Af, Sock } from "../../../assembly/abi/socket";
import * as domain from "../../../assembly/protocol/domain";
import * as ctloutput from "./ctloutput";
import * as names from "./names";
import * as pcb from "./pcb";
import * as rights from "./rights";
import * as usrreq from "./usrreq";

/** Adds the domain with its rows. ENOMEM without memory, EEXIST if the family is taken. */
export function register(_config: usize, _length: u32): i32 {
  if (!pcb.init() || !names.init() || !rights.init()) return -Errno.ENOMEM;
  const error = domain.addDomain(Af.UNIX);
  if (error < 0) return error;
  const common: u32 = Pr.WANTRCVD | Pr.RIGHTS;
  if (!add(Sock.STREAM, common | Pr.CONNREQUIRED)) return -Errno.ENOBUFS;
  if (!add(Sock.DGRAM, common | Pr.ATOMIC | Pr.ADDR)) return -Errno.ENOBUFS;
  if (!add(Sock.SEQPACKET, common | Pr.ATOMIC | Pr.CONNREQUIRED)) return -Errno.ENOBUFS;
  return 0;
}

function add(type: u32, flags: u32): bool {
  const row = domain.addRow(Af.UNIX, type, 0, flags);
  if (!row) return false;
  row.usrreq = usrreq.usrreq.index;
  row.ctloutput = ctloutput.entry.index;
  return true;
}

/** Takes all of it away. */
export function unregister(): i32 {
  return domain.delDomain(Af.UNIX);
}

/** Address of the counters; see UnixState. */
export function counters(): usize {
  return changetype<usize>(pcb.S);
}
