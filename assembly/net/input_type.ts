/**
 * Who takes frames of which ethertype (AIX's add_input_type). A type's function is called as
 * `fn(ifp: usize, m: usize): void`; m.data is the network header, the function owns m and decides
 * the frame's fate.
 */
import { Errno } from "../abi/errno";
import { Fate } from "../abi/fate";
import * as mbuf from "../sys/mbuf";
import { Mbuf } from "../sys/mbuf_t";
import * as stat from "../sys/stat";
import { Ifnet } from "./ifnet_t";

/** Most types at a time. */
const PLACES: u32 = 16;

/** State of the module. */
@unmanaged
@final
export class TypesState {
  count: u32;
  pad: u32;
}

const S: TypesState = changetype<TypesState>(memory.data(offsetof<TypesState>(), 16));
const TABLE: usize = memory.data(128, 16); // PLACES of (type u32, function u32)

/** Address of a type's place in the table, or 0. */
function place(type: u32): usize {
  const end = TABLE + (S.count << 3);
  for (let p = TABLE; p < end; p += 8) {
    if (load<u32>(p) == type) return p;
  }
  return 0;
}

/** Registers a function for a type. EEXIST, EINVAL if either is 0, ENOBUFS if the table is full. */
export function add(type: u32, fn: u32): i32 {
  if (type == 0 || type > 0xffff || fn == 0) return -Errno.EINVAL;
  if (place(type)) return -Errno.EEXIST;
  if (S.count == PLACES) return -Errno.ENOBUFS;
  const p = TABLE + (S.count << 3);
  store<u32>(p, type);
  store<u32>(p, fn, 4);
  S.count += 1;
  return 0;
}

/** Takes a type away. ENOENT if nobody has it. */
export function del(type: u32): i32 {
  const p = place(type);
  if (!p) return -Errno.ENOENT;
  const last = TABLE + ((S.count - 1) << 3);
  // the order stays, so that IPv4, registered first, is found first
  memory.copy(p, p + 8, last - p);
  S.count -= 1;
  return 0;
}

/** Takes the types away whose function has an index in [first, last); answers how many. */
export function delOf(first: u32, last: u32): u32 {
  let found: u32 = 0;
  for (let p = TABLE; p < TABLE + (S.count << 3);) {
    const fn = load<u32>(p, 4);
    if (fn >= first && fn < last) {
      del(load<u32>(p));
      found++;
    } else p += 8;
  }
  return found;
}

/** How many types are taken. */
export function count(): u32 {
  return S.count;
}

/** The function of a type, 0 if nobody takes it. */
export function find(type: u32): u32 {
  const p = place(type);
  return p ? load<u32>(p, 4) : 0;
}

/** Hands m, at its network header, to whoever takes its type. */
export function dispatch(ifp: Ifnet, m: Mbuf, type: u32): void {
  const fn = find(type);
  if (fn) {
    call_indirect<void>(fn, ifp, m);
    return;
  }
  stat.fate(Fate.ETHER_TYPE_UNKNOWN);
  mbuf.freem(m);
}
