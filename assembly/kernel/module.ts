/**
 * Modules: protocols that are loaded while the stack runs. The loader gives each a number and a
 * range of the function table. What it then registers is its own: rows and domains know the number,
 * types, tunnels and timers are known by their function, memory by its owner. So when it is
 * unloaded, all that it has left behind is found.
 */
import { Errno } from "../abi/errno";
import { Af } from "../abi/socket";
import * as udp_tunnel from "../inet/udp_tunnel";
import * as if_tap from "../net/if_tap";
import * as input_type from "../net/input_type";
import * as route_event from "../net/route_event";
import * as domain from "../protocol/domain";
import { Protosw } from "../protocol/protosw";
import * as so_filter from "../socket/so_filter";
import * as arena from "../sys/arena";
import * as pool from "../sys/pool";
import * as timer from "../sys/timer";
import * as timo from "./timo";

/** What follows is done by a module; 0: by the engine. */
export function enter(slot: u32): void {
  arena.setOwner(slot);
}

/** Memory for the variables of the present module, 0 if there is none. */
export function alloc(bytes: u32): usize {
  return arena.alloc(bytes, 64);
}

/**
 * The module has registered what it wants. EEXIST if one of its rows takes packets that another row
 * gets already.
 */
export function leave(): i32 {
  const slot = arena.owner();
  arena.setOwner(0);
  timo.sync();
  let row = next(slot, changetype<Protosw>(0));
  for (; row; row = next(slot, row)) {
    if (row.input && row.family == Af.INET && domain.inputRow(row.protocol) != row) {
      return -Errno.EEXIST;
    }
  }
  return 0;
}

/** Sockets that use a module's rows. */
export function busy(slot: u32): u32 {
  let sockets: u32 = 0;
  let row = next(slot, changetype<Protosw>(0));
  for (; row; row = next(slot, row)) sockets += row.sockets;
  return sockets;
}

/**
 * Takes away types, tunnels, timers and the ear for routes of a module, `first` and `last` bound
 * its range of the function table; answers how many that were.
 */
export function reset(first: u32, last: u32): u32 {
  return input_type.delOf(first, last) + udp_tunnel.delOf(first, last) +
    if_tap.delOf(first, last) + route_event.delOf(first, last) +
    so_filter.delOf(first, last) +
    timer.cancelOf(first, last);
}

/**
 * Takes away all that a module has registered and not taken back itself; `first` and `last` bound
 * its range of the function table. Answers how many things that were: rows, domains, types,
 * tunnels, timers and items of pools. EBUSY while a socket uses a row.
 */
export function release(slot: u32, first: u32, last: u32): i32 {
  if (busy(slot)) return -Errno.EBUSY;
  let left = reset(first, last);
  for (let row = next(slot, changetype<Protosw>(0)); row;) {
    domain.delRow(row);
    left += 1;
    row = next(slot, changetype<Protosw>(0));
  }
  left += domain.delDomainsOf(slot) + pool.forget(slot);
  arena.release(slot);
  timo.sync();
  return left;
}

/** Bytes of memory that a module has. */
export function held(slot: u32): u32 {
  return arena.held(slot);
}

/** The row of a module behind another, nil the first; nil if there is none. */
function next(slot: u32, row: Protosw): Protosw {
  let d = row ? domain.ofFamily(row.family) : domain.first();
  row = row ? row.next : d.rows;
  while (d) {
    while (row && row.slot != slot) row = row.next;
    if (row) return row;
    d = d.next;
    if (d) row = d.rows;
  }
  return changetype<Protosw>(0);
}
