/**
 * Tells of what happens to routes, interfaces and addresses: at most one function listens, that of
 * the module which has the sockets of AF_ROUTE. It is called when the change is done, or, for what
 * goes away, right before its memory is free.
 */
import { Rtm } from "../abi/route";

/** State of the module. */
@unmanaged
@final
export class RouteEventState {
  fn: u32; // function: heard(type: u32, what: usize): void
  pad: u32;
}

const S: RouteEventState = changetype<RouteEventState>(
  memory.data(offsetof<RouteEventState>(), 16),
);

/**
 * Names the function `heard(type, what)`. By type (Rtm), `what` is an Rtentry (ADD, DELETE, CHANGE,
 * LOSING, REDIRECT), an Ifnet (IFINFO), an Ifaddr (NEWADDR, DELADDR), or an address (MISS).
 */
export function listen(fn: u32): void {
  S.fn = fn;
}

/** Nobody listens any more if it was a function of the range from `first` up to `last`. */
export function delOf(first: u32, last: u32): u32 {
  if (!S.fn || S.fn < first || S.fn >= last) return 0;
  S.fn = 0;
  return 1;
}

/** Something has happened. */
export function tell(type: Rtm, what: usize): void {
  if (S.fn) call_indirect<void>(S.fn, u32(type), what);
}
