/**
 * Who sees every frame of every interface: `fn(ifp: usize, m: usize, out: u32): void`, called for a
 * frame as it came, before anything is asked of it, and for one that the driver has sent. It owns
 * nothing and changes nothing. A frame of the loopback interface is seen twice.
 */
import { Errno } from "../abi/errno";
import { Mbuf } from "../sys/mbuf_t";
import { Ifnet } from "./ifnet_t";

/** State of the module. */
@unmanaged
@final
export class TapState {
  fn: u32; // table index of the function, 0 for none
  pad: u32;
}

const S: TapState = changetype<TapState>(memory.data(offsetof<TapState>(), 16));

/** Names the function, 0 takes it away. EBUSY while there is another one. */
export function set(fn: u32): i32 {
  if (fn && S.fn && S.fn != fn) return -Errno.EBUSY;
  S.fn = fn;
  return 0;
}

/** Takes the function away if its index is in [first, last); answers how many that were. */
export function delOf(first: u32, last: u32): u32 {
  if (S.fn == 0 || S.fn < first || S.fn >= last) return 0;
  S.fn = 0;
  return 1;
}

/** Shows a frame. */
export function see(ifp: Ifnet, m: Mbuf, out: bool): void {
  if (S.fn) call_indirect<void>(S.fn, ifp, m, u32(out));
}
