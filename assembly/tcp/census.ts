/** How many connections stand in a state, compact records included. */
import { TcpState } from "../abi/tcp";
import { INFO } from "./info";
import * as syncache from "./syncache";
import * as tcb from "./tcb";
import * as timewait from "./timewait";

/** Connections in TcpState `state`; half-open ones and those in TIME-WAIT have no socket. */
export function inState(state: i32): u32 {
  let n: u32 = 0;
  for (let inp = INFO.first; inp; inp = inp.list_next) {
    if (tcb.isParked(inp)) continue;
    const tp = tcb.ofInp(inp);
    if (tp && tp.state == state) n++;
  }
  if (state == TcpState.ESTABLISHED) n += tcb.parked();
  if (state == TcpState.SYN_RECEIVED) n += syncache.count();
  if (state == TcpState.TIME_WAIT) n += timewait.count();
  return n;
}
