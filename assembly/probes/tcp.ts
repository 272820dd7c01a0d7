/** Lets tests call the comparison of sequence numbers. */
export {
  ge as probe_seq_ge,
  gt as probe_seq_gt,
  le as probe_seq_le,
  lt as probe_seq_lt,
  max as probe_seq_max,
  min as probe_seq_min,
} from "../tcp/seq";
import { Inpcb } from "../inet/in_pcb_t";
import { INFO } from "../tcp/info";
import * as tcb from "../tcp/tcb";

export { bytes as probe_parked_bytes } from "../tcp/park";

/** Length of the longest chain of the connection table. */
export function probe_conn_chain(): u32 {
  let longest: u32 = 0;
  for (let i: usize = 0; i <= INFO.mask; i++) {
    let n: u32 = 0;
    for (let p = load<Inpcb>(INFO.conn + (i << 2)); p; p = p.conn_next) n++;
    longest = max<u32>(longest, n);
  }
  return longest;
}

/** Connections that are parked. */
export { parked as probe_parked } from "../tcp/tcb";

/** Has connections parked that were idle for so long while more than `least` are not parked. */
export function probe_park_from(least: u32, idle_us: f64): void {
  tcb.parkFrom(least, i64(idle_us));
}
