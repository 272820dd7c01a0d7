/**
 * Workers that are programs of a stack: started with a ring, and ended with it.
 *
 * @module
 */

import { endRing, type RingHandle } from "./ring.ts";

/** What a program is told first. */
export interface Begin {
  /** The ring to its stack. */
  readonly godwitProgram: RingHandle;
  /** What else it was given. */
  readonly data: unknown;
}

/** What a program is given. */
export interface ProgramOptions {
  /** Something for the program, which must be cloneable. */
  readonly data?: unknown;
  /** Name of the Worker, for tools. */
  readonly name?: string;
}

/**
 * A Worker whose module calls `program()` of `runtime/process/client.ts`. Its sockets are closed
 * when it ends, fails, or is terminated, also in the middle of a call that blocks: Deno would let
 * that call go on, and so it fails with ENETDOWN.
 */
export class ProgramWorker extends Worker {
  readonly #handle: RingHandle;

  /** Starts a module with a handle of `SyscallServer.open`. */
  constructor(module: string | URL, handle: RingHandle, options: ProgramOptions = {}) {
    super(module, { type: "module", name: options.name });
    this.#handle = handle;
    this.addEventListener("error", () => endRing(handle));
    const begin: Begin = { godwitProgram: handle, data: options.data };
    this.postMessage(begin);
  }

  /** Ends the Worker, and its connection to the stack. */
  override terminate(): void {
    endRing(this.#handle);
    super.terminate();
  }
}
