/**
 * What the device layer needs of the stack around it.
 *
 * @module
 */

import type { Engine } from "../engine.ts";

/** What an attached interface needs of the stack around it. */
export interface AttachHost {
  /** The engine the interface lives in. */
  readonly engine: Engine;
  /** Time of the stack's clock in microseconds. */
  now_us(): number;
  /** Take a turn soon. */
  wake(): void;
  /** Six bytes for an Ethernet driver that brings no hardware address. */
  makeHwaddr(): Uint8Array;
}
