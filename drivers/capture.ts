/**
 * Capture files of either format.
 *
 * ```ts ignore
 * import { openCapture } from "@godwit/godwit/drivers/capture";
 * const bytes = Deno.readFileSync("some.pcapng");
 * for (const frame of openCapture(bytes, { filter: "tcp port 80" })) {
 *   console.log(frame.timestamp_us, frame.data.length);
 * }
 * ```
 *
 * @module
 */

import { CaptureError, type CaptureReader, type CaptureReaderOptions } from "./capture_types.ts";
import { isPcap, PcapReader } from "./pcap.ts";
import { isPcapng, PcapngReader } from "./pcapng.ts";

export * from "./capture_types.ts";
export { isPcap, PcapReader, PcapWriter, type PcapWriterOptions } from "./pcap.ts";
export { isPcapng, PcapngReader, PcapngWriter, type PcapngWriterOptions } from "./pcapng.ts";

/**
 * Opens a capture file by its first bytes. The frames that are read are views of `bytes`.
 *
 * @throws CaptureError if it is neither a pcap nor a pcapng file; later, while iterating, where the
 * file is cut or malformed. The frames before that place have been read by then.
 */
export function openCapture(
  bytes: Uint8Array<ArrayBuffer>,
  options: CaptureReaderOptions = {},
): CaptureReader {
  if (isPcap(bytes)) return new PcapReader(bytes, options);
  if (isPcapng(bytes)) return new PcapngReader(bytes, options);
  if (bytes.length < 4) {
    throw new CaptureError(
      bytes.length,
      `the magic number of 4 bytes is cut after ${bytes.length}`,
    );
  }
  const magic = Array.from(bytes.subarray(0, 4), (b) => b.toString(16).padStart(2, "0")).join(" ");
  throw new CaptureError(0, `neither a pcap nor a pcapng file: it begins with ${magic}`);
}
