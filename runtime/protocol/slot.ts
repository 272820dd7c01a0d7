/**
 * What one loaded protocol has of the engine: a number, a range of the function table, memory.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import type { Attachment } from "../device/attach.ts";
import type { NetDriver } from "../device/driver.ts";
import type { Engine } from "../engine.ts";
import { SocketError } from "../errors.ts";
import type { FunctionTable } from "./function_table.ts";
import type { InterfaceSetup } from "./kernel.ts";
import { kernelCalls } from "./kernel_calls.ts";
import type { Nesting } from "./nesting.ts";
import type { Ring } from "./ring.ts";

/** What loaded protocols need of the stack. */
export interface ProtocolHost {
  /** Time of the stack's clock, microseconds. */
  now_us(): number;
  /** Takes a turn soon. */
  wake(): void;
  /** Makes an interface. */
  attach(driver: NetDriver, options: InterfaceSetup): Promise<Attachment>;
  /** Takes an interface away. */
  detach(name: string): Promise<void>;
  /** Interfaces of loaded protocols. */
  readonly nesting: Nesting;
  /** A protocol has failed: it is to be unloaded when it can be. */
  failed(): void;
}

/** The part of the engine that a module has. */
export class ModuleSlot {
  /** Number of the module, from 1. */
  readonly number: number;
  /** The engine. */
  readonly engine: Engine;
  /** The function table. */
  readonly functions: FunctionTable;
  /** Packets for protocols in TypeScript. */
  readonly ring: Ring;
  /** The stack. */
  readonly host: ProtocolHost;
  /** Its first place in the function table. */
  first = 0;
  /** How many it has. */
  count = 0;
  /** It has given everything back, and its number may be another's. */
  released = false;

  /** A slot that has nothing yet. */
  constructor(
    number: number,
    engine: Engine,
    functions: FunctionTable,
    ring: Ring,
    host: ProtocolHost,
  ) {
    this.number = number;
    this.engine = engine;
    this.functions = functions;
    this.ring = ring;
    this.host = host;
  }

  /** Takes places of the function table: new ones, or those that a snapshot says. */
  takePlaces(count: number, first?: number): void {
    if (first === undefined) this.first = this.functions.take(count);
    else this.functions.takeAt(first, count);
    this.first = first ?? this.first;
    this.count = count;
  }

  /** Memory of the module. `SocketError` ENOMEM. */
  alloc(bytes: number): number {
    const calls = kernelCalls(this.engine);
    calls.module_enter(this.number);
    const at = calls.module_alloc(bytes);
    calls.module_enter(0);
    if (at !== 0) return at;
    throw new SocketError(Errno.ENOMEM, "protocols.load", `${bytes} bytes are not to be had`);
  }

  /**
   * Runs what registers things for the module. `SocketError` EEXIST if one of its rows takes
   * packets that another has.
   */
  enter(register: () => void, name: string): void {
    const calls = kernelCalls(this.engine);
    calls.module_enter(this.number);
    let result = 0;
    try {
      register();
    } finally {
      result = calls.module_leave();
    }
    if (result < 0) {
      const words = `${name}: another protocol takes packets of a number that a row of it has`;
      throw new SocketError(-result, "protocols.load", words);
    }
  }

  /** Sockets that use its rows. */
  get sockets(): number {
    return this.released ? 0 : kernelCalls(this.engine).module_busy(this.number);
  }

  /** Bytes of memory that it has. */
  get memory_bytes(): number {
    return this.released ? 0 : kernelCalls(this.engine).module_held(this.number);
  }

  /** Takes everything back; answers how many things were still registered. EBUSY with sockets. */
  release(): number {
    const { first, count } = this;
    const left = kernelCalls(this.engine).module_release(this.number, first, first + count);
    if (left < 0) throw new SocketError(-left, "protocols.unload");
    this.functions.give(first, count);
    this.count = 0;
    this.released = true;
    return left;
  }
}
