/**
 * Filters for packets: programs of classic BPF, as text and as data, verified and run.
 *
 * ```ts
 * import { parseProgram, runProgram } from "@godwit/godwit/filter";
 * // what `tcpdump -ddd arp` prints
 * const arp = parseProgram("4\n40 0 0 12\n21 0 1 2054\n6 0 0 262144\n6 0 0 0\n");
 * const frame = new Uint8Array(60);
 * frame.set([0x08, 0x06], 12);
 * console.log(runProgram(arp, frame)); // 262144: bytes of it to keep
 * ```
 *
 * @module
 */

export { compileFilter, type FilterOptions } from "./compile.ts";
export { FilterError, type Span } from "./error.ts";
export { FrameFilter, type FrameFilterSource } from "./frame_filter.ts";
export { FilterLinktype } from "./link.ts";
export type { Service } from "./names.ts";
export { decodeProgram, encodeProgram, type Insn, type Program, ProgramError } from "./program.ts";
export { type PacketFacts, runProgram } from "./run.ts";
export { formatAssembly, formatC, formatDecimal, parseProgram, ProgramTextError } from "./text.ts";
export { validateProgram } from "./validate.ts";
