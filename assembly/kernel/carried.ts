/**
 * Frames that come in tunnels: the boundary's call for protocols that take them out of packets.
 *
 * @module
 */

import { Errno } from "../abi/errno";
import * as if_input from "../net/if_input";
import * as if_list from "../net/if_list";
import * as mbuf from "../sys/mbuf";
import { Mbuf } from "../sys/mbuf_t";
import * as output from "../tcp/output";

/** Takes in a frame that a packet has carried; ENXIO, and it is freed, if there is no interface. */
export function if_carried(i: u32, m: usize, more: u32): i32 {
  const ifp = if_list.byIndex(i);
  const frame = changetype<Mbuf>(m);
  if (ifp) if_input.carried(ifp, frame, more != 0);
  else mbuf.freem(frame);
  if (!more) output.flush();
  return ifp ? 0 : -Errno.ENXIO;
}
