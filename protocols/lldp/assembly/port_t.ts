/** The table of Ethernet interfaces. */

/** Most interfaces. */
export const PORTS: u32 = 32;
/** Most bytes of a name. */
export const NAME_BYTES: u32 = 16;

/** An interface. */
@unmanaged
@final
export class Port {
  next_us: f64; // when it announces itself next
  last_us: f64; // when it did last
  index: u32; // 0: the place is free
  hwaddr_hi: u32;
  hwaddr_lo: u32;
  address: u32; // IPv4, host order; 0: none
  fast: u32; // announcements that follow each other quickly
  name_length: u32;
  name_0: u64; // the name, NAME_BYTES bytes
  name_1: u64;

  /** Where its name is. */
  @inline
  get name(): usize {
    return changetype<usize>(this) + offsetof<Port>("name_0");
  }
}

const TABLE: usize = memory.data(32 * 56, 16);

/** The one at a place. */
export function at(i: u32): Port {
  return changetype<Port>(TABLE + i * offsetof<Port>());
}

/** The port with an index; null if there is none. Index 0 finds a free place. */
export function find(index: u32): Port | null {
  assert(offsetof<Port>() <= 56);
  for (let i: u32 = 0; i < PORTS; i++) {
    if (at(i).index == index) return at(i);
  }
  return null;
}
