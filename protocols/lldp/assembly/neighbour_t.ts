/** The table of those who were heard. */
import { BYTES_MAX } from "./parse";

/** Most that are kept. */
export const NEIGHBOURS: u32 = 64;

/** Somebody at the other end of a wire. */
@unmanaged
@final
export class Neighbour {
  expires_us: f64;
  index: u32; // of the interface; 0: the place is free
  hwaddr_hi: u32; // where the frame came from
  hwaddr_lo: u32;
  ttl: u32; // seconds
  length: u32; // bytes of what it has said, at `data`
  key_length: u32; // of these, what says who it is: chassis ID and port ID
}

const TABLE: usize = memory.data(64 * 32, 16);
const DATA: usize = memory.data(64 * 1536, 16);

/** The one at a place. */
export function at(i: u32): Neighbour {
  return changetype<Neighbour>(TABLE + i * offsetof<Neighbour>());
}

/** Where that lies which a neighbour has said. */
export function dataOf(neighbour: Neighbour): usize {
  const i = u32(changetype<usize>(neighbour) - TABLE) / offsetof<Neighbour>();
  return DATA + i * BYTES_MAX;
}
