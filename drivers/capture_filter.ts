/**
 * Filters over the frames of capture files.
 *
 * @module
 */

import type { FrameFilter } from "../filter/mod.ts";
import type { CapturedFrame } from "./capture_types.ts";

/**
 * A frame as far as a filter keeps it; undefined if it does not, the frame itself without a filter.
 * The byte order is that of the file: BSD loopback headers have it.
 */
export function filteredFrame(
  filter: FrameFilter | undefined,
  frame: CapturedFrame,
  littleEndian: boolean,
): CapturedFrame | undefined {
  if (!filter) return frame;
  const { linktype, data, originalLength } = frame;
  const kept = filter.keep(linktype, data, originalLength, littleEndian);
  if (kept === 0) return undefined;
  return kept < data.length ? { ...frame, data: data.subarray(0, kept) } : frame;
}
