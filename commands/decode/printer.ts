/**
 * Frames as lines of text, in the form that tcpdump gives them.
 *
 * @module
 */

import { Cut, Dissection } from "./dissection.ts";
import { dump } from "./dump.ts";
import { Flows } from "./flows.ts";
import { printFrame } from "./link.ts";
import type { DecodeOptions } from "./options.ts";
import { TimeWriter } from "./time.ts";

/** What a printer looks at of a frame; `CapturedFrame` of a capture has it all. */
export interface PrintableFrame {
  /** Time of capture in nanoseconds since 1970. */
  readonly timestamp_ns: bigint;
  /** What the bytes begin with: a number of `Linktype`. */
  readonly linktype: number;
  /** The bytes that were captured. */
  readonly data: Uint8Array;
  /** How many bytes the frame had on the wire. */
  readonly originalLength: number;
  /** What is told between the time and the frame, such as the interface; nothing unless told. */
  readonly where?: string;
}

/**
 * Writes the frames of one capture, in order: sequence numbers of TCP count from the first that was
 * seen of a connection, and times may be given since the line before.
 */
export class FramePrinter {
  readonly #options: DecodeOptions;
  readonly #flows = new Flows();
  readonly #times: TimeWriter;
  #number = 0;

  /** What is not told in the options is as with no switch of tcpdump. */
  constructor(options: DecodeOptions = {}) {
    this.#options = options;
    this.#times = new TimeWriter(options);
  }

  /** The line of a frame, of several rows if the options ask for it, without a line's end. */
  format(frame: PrintableFrame): string {
    this.#number++;
    const number = this.#options.numbered ? `${String(this.#number).padStart(5)}  ` : "";
    const d = new Dissection(frame.data, this.#options, this.#flows);
    let headerBytes = 0;
    try {
      headerBytes = printFrame(d, frame.linktype, frame.originalLength);
    } catch (error) {
      if (!(error instanceof Cut)) throw error;
      d.cut();
    }
    const time = this.#times.format(frame.timestamp_ns);
    return number + time + (frame.where ?? "") + d.text + this.#dump(frame, headerBytes);
  }

  #dump({ data }: PrintableFrame, headerBytes: number): string {
    const { dump: style = "none", dumpLink = false } = this.#options;
    return dump(dumpLink ? data : data.subarray(headerBytes), style);
  }
}
