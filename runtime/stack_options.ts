/**
 * How stacks and their interfaces are made.
 *
 * @module
 */

import type { Clock } from "./clock.ts";
import type { NetDriver } from "./device/driver.ts";
import type { MemoryOptions } from "./engine.ts";
import type { Entropy } from "./entropy.ts";
import type { Domains, ProtocolOption } from "./protocol/loader.ts";
import type { Profile, SysctlValue } from "./sysctl.ts";

/** How an interface is set up. */
export interface AttachOptions {
  /** Its name, 1 to 15 visible characters; the driver's and a number unless told. */
  readonly name?: string;
  /** Its addresses with their prefix, such as `10.0.0.1/24`. */
  readonly addresses?: readonly string[];
  /** Next hop of the default route. */
  readonly gateway?: string;
}

/** An interface that a stack begins with. */
export interface InterfaceOptions extends AttachOptions {
  /** Its driver. */
  readonly driver: NetDriver;
}

/** How a stack is made; everything has a default. */
export interface StackOptions {
  /** Where the time comes from; the machine's clock unless told. */
  readonly clock?: Clock;
  /** Where randomness comes from; the system's generator unless told. */
  readonly entropy?: Entropy;
  /** Makes everything random repeatable; for tests only. */
  readonly seed?: number | string;
  /** Sizes of memory and tables. */
  readonly memory?: MemoryOptions;
  /** How many descriptors there may be; 65534 unless told. */
  readonly descriptors?: number;
  /** Name of the host; `godwit` unless told. */
  readonly hostname?: string;
  /** Whether packets for other hosts are sent on, as a router does; no unless told. */
  readonly forwarding?: boolean;
  /**
   * The settings to begin with: `linux`, how Linux behaves on the wire, or `strict`, what the RFCs
   * ask; `linux` unless told. docs/sysctl.md lists both. A snapshot brings its own.
   */
  readonly profile?: Profile;
  /** Settings by name that differ from the profile, or from those of the snapshot. */
  readonly sysctl?: Readonly<Record<string, SysctlValue | boolean | readonly number[]>>;
  /**
   * The stack has its thread to itself, as in a Worker: while somebody waits on it, it waits inside
   * its device, so that a frame is taken in at once. Timers, and messages to the Worker, are up to
   * 10 ms late. No unless told.
   */
  readonly blocking?: boolean;
  /** Interfaces to begin with, beside the loopback interface `lo0`. */
  readonly interfaces?: readonly InterfaceOptions[];
  /**
   * Protocols to begin with, as {@link Protocols.load} takes them. With a snapshot: those that were
   * loaded when it was made.
   */
  readonly protocols?: readonly ProtocolOption[];
  /**
   * Domains that are loaded when the first socket of their family is made, by family; those that
   * come with Godwit unless told. Their `wasm` is compiled already.
   */
  readonly domains?: Domains;
  /** Another build of the engine: a module, or its bytes. */
  readonly engine?: WebAssembly.Module | BufferSource;
  /**
   * Goes on from this snapshot. Its interfaces must be given again by name, each with a driver of
   * the same kind; addresses and routes come with the snapshot, as do sizes and names.
   */
  readonly snapshot?: Uint8Array;
}
