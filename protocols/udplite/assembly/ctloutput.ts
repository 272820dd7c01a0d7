/**
 * Options of UDP-Lite, with the names, numbers and rules of Linux (udplite(7)): the coverage that
 * is sent, and the least that is taken. Values are i32.
 */
import { Errno } from "../../../assembly/abi/errno";
import { Prco } from "../../../assembly/abi/proto";
import { Inpcb } from "../../../assembly/inet/in_pcb_t";
import * as ip_ctloutput from "../../../assembly/inet/ip_ctloutput";
import { Socket } from "../../../assembly/socket/socket_t";
import {
  COVERAGE_MIN,
  PROTOCOL,
  RECV_COVERAGE,
  recvCoverage,
  sendCoverage,
  setCoverage,
} from "./pcb";

const SEND_CSCOV: i32 = 10;
const RECV_CSCOV: i32 = 11;
const COVERAGE_MAX: i32 = 65535;

/** The ctloutput entry of the row; IP's options are as for UDP. */
export function entry(op: i32, so: usize, level: i32, name: i32, ptr: usize, len: i32): i32 {
  if (level != PROTOCOL) return ip_ctloutput.entry(op, so, level, name, ptr, len);
  const inp = changetype<Inpcb>(changetype<Socket>(so).pcb);
  if (!inp) return -Errno.EINVAL;
  if (name != SEND_CSCOV && name != RECV_CSCOV) return -Errno.ENOPROTOOPT;
  if (len < 4) return -Errno.EINVAL;
  if (op == Prco.GETOPT) {
    store<i32>(ptr, name == SEND_CSCOV ? sendCoverage(inp) : recvCoverage(inp));
    return 4;
  }
  const value = load<i32>(ptr);
  if (value < 0) return -Errno.EINVAL;
  // As Linux has it: what is less than the header becomes the header.
  const coverage: u32 = value > 0 && u32(value) < COVERAGE_MIN
    ? COVERAGE_MIN
    : u32(min(value, COVERAGE_MAX));
  if (name == SEND_CSCOV) setCoverage(inp, coverage, recvCoverage(inp));
  else {
    setCoverage(inp, sendCoverage(inp), coverage);
    inp.flags |= RECV_COVERAGE;
  }
  return 0;
}
