/**
 * Frames of a capture as the lines that tcpdump prints.
 *
 * ```ts
 * import { FramePrinter } from "@godwit/godwit/decode";
 * const printer = new FramePrinter({ time: "none" });
 * const data = new Uint8Array(42);
 * data.set([8, 6, 0, 1, 8, 0, 6, 4, 0, 1], 12);
 * data.set([10, 0, 0, 1], 28);
 * data.set([10, 0, 0, 2], 38);
 * console.log(printer.format({ timestamp_ns: 0n, linktype: 1, data, originalLength: 42 }));
 * // ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28
 * ```
 *
 * @module
 */

export type { DecodeOptions, DumpStyle, TimeStyle } from "./options.ts";
export { FramePrinter, type PrintableFrame } from "./printer.ts";
