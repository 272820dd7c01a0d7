/**
 * Interop cases: what the stack and the Linux kernel are made to do with each other. The same list
 * is read by the test file, which names the tests, and by the program that runs inside the network
 * namespace, which carries them out.
 *
 * @module
 */

import type { FaultDriverOptions } from "../../../drivers/fault.ts";
import type { Host } from "./host.ts";
import type { Allowed } from "./judge.ts";
import type { Link } from "./link.ts";

/** One thing that is tried. */
export interface Case {
  /** What must hold, for the name of the test. */
  readonly name: string;
  /** Seconds it may take at most; 20 unless told. */
  readonly seconds?: number;
  /** Does it; throws if it does not hold. */
  run(host: Host): Promise<void>;
}

/** A statement about the capture of a whole group. */
export interface Seen {
  /** What must hold, for the name of the test. */
  readonly name: string;
  /** Display filter that selects the frames. */
  readonly filter: string;
  /** How many there must be at least; 1 unless told. */
  readonly atLeast?: number;
  /** How many there may be at most; any number unless told. */
  readonly atMost?: number;
}

/** Cases that share a namespace, a stack and a capture. */
export interface Group {
  /** Name for the tests. */
  readonly name: string;
  /** URL of the module that exports this group as `group`. */
  readonly module: string;
  /** Programs needed beside `ip`, `unshare`, `timeout` and `tshark`. */
  readonly tools?: readonly string[];
  /** What joins the stack and the kernel; a TAP device unless told. */
  readonly link?: Link;
  /** What goes wrong between the capture and the device; nothing unless told. */
  readonly faults?: FaultDriverOptions;
  /** The cases, in the order they are run. */
  readonly cases: readonly Case[];
  /** What must be in the capture. */
  readonly seen?: readonly Seen[];
  /** What tshark takes UDP's content for, a rule of its -d; data unless told. */
  readonly decode?: string;
  /** Expert errors that the capture may show. */
  readonly allowed?: readonly Allowed[];
}

/** Seconds of a case that does not say. */
export const CASE_SECONDS = 20;
