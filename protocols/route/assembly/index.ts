/**
 * Routing sockets (AF_ROUTE) as a side module: programs ask for, add, change and delete routes by
 * messages, those of 4.4BSD and AIX, and hear of what others do and of what happens to interfaces
 * and addresses.
 *
 * @module
 */
import { Errno } from "../../../assembly/abi/errno";
import { Pr } from "../../../assembly/abi/proto";
import { Af, Sock } from "../../../assembly/abi/socket";
import * as route_event from "../../../assembly/net/route_event";
import * as domain from "../../../assembly/protocol/domain";
import * as events from "./events";
import * as listeners from "./listeners";
import * as usrreq from "./usrreq";

/** Adds the domain, and begins to listen. ENOMEM without memory, EEXIST if the family is there. */
export function register(_config: usize, _length: u32): i32 {
  if (!listeners.init()) return -Errno.ENOMEM;
  const added = domain.addDomain(Af.ROUTE);
  if (added < 0) return added;
  const row = domain.addRow(Af.ROUTE, Sock.RAW, 0, Pr.ATOMIC);
  if (!row) return -Errno.ENOBUFS;
  row.usrreq = usrreq.usrreq.index;
  route_event.listen(events.heard.index);
  return 0;
}

/** Address of the counters; see Counters. */
export function counters(): usize {
  return listeners.counters();
}
