/** The options of a segment that has only timestamps, in a buffer of its own. */
import * as opt from "../wire/tcp_options";

export const BUFFER: usize = memory.data(16, 16);

/** Writes NOP NOP TS into BUFFER; answers the length. */
export function write(val: u32, ecr: u32): u32 {
  return opt.putTs(BUFFER, val, ecr);
}
