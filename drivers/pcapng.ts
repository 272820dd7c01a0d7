/**
 * The pcapng capture file format: a reader over the bytes of a file and a writer.
 *
 * @module
 */

export { isPcapng, PcapngReader } from "./pcapng_read.ts";
export { PcapngWriter, type PcapngWriterOptions } from "./pcapng_write.ts";
