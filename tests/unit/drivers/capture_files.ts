/**
 * Helpers of the capture tests: files in memory, random frames, and what a reader makes of a file.
 */

import fc from "fast-check";
import {
  type CapturedFrame,
  CaptureError,
  type CaptureSink,
  type Direction,
  type FrameToWrite,
  openCapture,
} from "../../../drivers/capture.ts";

/** Seed of every property here; fast-check prints it with a counterexample. */
export const SEED = 20_260_801;

/** Collects what a writer gives to its sink. */
export class MemoryFile {
  readonly pieces: Uint8Array<ArrayBuffer>[] = [];
  readonly sink: CaptureSink = (bytes) => void this.pieces.push(bytes);

  bytes(): Uint8Array<ArrayBuffer> {
    const whole = new Uint8Array(this.pieces.reduce((sum, piece) => sum + piece.length, 0));
    let at = 0;
    for (const piece of this.pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }
}

/** A frame as a test writes it, with times as nanoseconds. */
export interface TestFrame {
  time_ns: bigint;
  data: Uint8Array;
  more: number;
  direction: Direction | undefined;
}

/** Frames with times up to 2106 (all that pcap can say) and lengths of 0 to 200 bytes. */
export const testFrames: fc.Arbitrary<TestFrame[]> = fc.array(
  fc.record({
    time_ns: fc.bigInt({ min: 0n, max: 4_294_967_295_999_999_999n }),
    data: fc.uint8Array({ maxLength: 200 }),
    more: fc.nat({ max: 3000 }),
    direction: fc.constantFrom<Direction | undefined>("in", "out", undefined),
  }),
  { maxLength: 12 },
);

export function toWrite(frame: TestFrame): FrameToWrite {
  return {
    timestamp_us: Number(frame.time_ns / 1000n),
    timestamp_ns: frame.time_ns,
    data: frame.data,
    originalLength: frame.data.length + frame.more,
    direction: frame.direction,
  };
}

/** The frames of a file and the error that ended it, if one did. */
export function readAll(
  bytes: Uint8Array<ArrayBuffer>,
): { frames: CapturedFrame[]; error: CaptureError | undefined } {
  const frames: CapturedFrame[] = [];
  try {
    for (const frame of openCapture(bytes)) frames.push(frame);
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    return { frames, error };
  }
  return { frames, error: undefined };
}

/** An Ethernet frame with a UDP datagram that has both checksums right, for tshark to read. */
export function udpFrame(number: number): Uint8Array<ArrayBuffer> {
  const payload = new TextEncoder().encode(`datagram ${number}`);
  const frame = new Uint8Array(42 + payload.length);
  const view = new DataView(frame.buffer);
  frame.set([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0]);
  frame.set([0x45, 0, 0, 0, 0, number, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], 14);
  view.setUint16(16, frame.length - 14);
  view.setUint16(24, onesComplement(frame.subarray(14, 34), 0));
  view.setUint16(34, 5000);
  view.setUint16(36, 6000);
  view.setUint16(38, 8 + payload.length);
  frame.set(payload, 42);
  // The pseudo header of RFC 768: both addresses, the protocol and the length.
  const pseudo = [10, 1, 10, 2].reduce((a, b, i) => a + (i % 2 === 0 ? b << 8 : b), 0);
  view.setUint16(40, onesComplement(frame.subarray(34), pseudo + 17 + 8 + payload.length));
  return frame;
}

function onesComplement(bytes: Uint8Array, start: number): number {
  let sum = start;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
