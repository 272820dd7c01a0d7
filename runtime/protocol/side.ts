/**
 * Side modules: protocols in WebAssembly that share the engine's memory and function table, and are
 * called without any JavaScript between. They are trusted as the engine itself is: one that traps
 * stops the stack.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { ModuleLimit } from "../../assembly/abi/module.ts";
import { SocketError } from "../errors.ts";
import * as field from "../layout.ts";
import { LAYOUT_HASH } from "../wasm/layout.gen.ts";
import type { ModuleSlot } from "./slot.ts";

/** What a side module says of itself, in its custom section `godwit.side`. */
export interface SideHeader {
  /** Name of the protocol. */
  readonly name: string;
  /** Identity of the structs it was compiled with. */
  readonly layout: string;
  /** Bytes of its variables. */
  readonly memory_bytes: number;
  /** Places that it fills in the function table. */
  readonly table_entries: number;
}

/** The functions that a side module exports. */
interface SideExports {
  /** Registers the protocol; gets bytes of configuration. 0 or -Errno. */
  register(config: number, length: number): number;
  /** Lets go of what it has beside rows, types and timers. 0 or -Errno. */
  unregister?(): number;
  /** Address of its counters. */
  counters?(): number;
  /** Moves addresses in its variables (WebAssembly tool conventions, dynamic linking). */
  __wasm_apply_data_relocs?(): void;
}

const SECTION = "godwit.side";
/** Names that tools give the shared table. */
const TABLES = ["table", "__indirect_function_table"];

function refuse(name: string, words: string, errno: number = Errno.EINVAL): SocketError {
  return new SocketError(errno, "protocols.load", `side module ${name}: ${words}`);
}

/** True if a module wants to share the engine's memory. */
export function isSide(module: WebAssembly.Module): boolean {
  return WebAssembly.Module.imports(module).some(({ kind }) => kind === "memory");
}

/** What a module says of itself; a clear error if it is none for this engine. */
export function readSideHeader(module: WebAssembly.Module, name: string): SideHeader {
  const [section] = WebAssembly.Module.customSections(module, SECTION);
  if (section === undefined) {
    throw refuse(name, `it has no section ${SECTION}: build it with deno task protocol:build`);
  }
  let header: SideHeader;
  try {
    header = JSON.parse(new TextDecoder().decode(section));
  } catch {
    throw refuse(name, `its section ${SECTION} is not JSON`);
  }
  const { layout, memory_bytes, table_entries } = header;
  if (layout !== LAYOUT_HASH) {
    throw refuse(
      name,
      `it was compiled for structures ${layout}, this engine has ${LAYOUT_HASH}: build it again`,
    );
  }
  const whole = (n: number, most: number) => Number.isInteger(n) && n >= 0 && n <= most;
  if (!whole(memory_bytes, ModuleLimit.BYTES)) {
    throw refuse(name, `${memory_bytes} bytes of variables; at most ${ModuleLimit.BYTES}`);
  }
  if (!whole(table_entries, ModuleLimit.ENTRIES)) {
    throw refuse(name, `${table_entries} places in the table; at most ${ModuleLimit.ENTRIES}`);
  }
  return header;
}

/** A side module in its slot. */
export class Side {
  /** What it says of itself. */
  readonly header: SideHeader;
  /** Where its variables are. */
  readonly base: number;
  readonly #slot: ModuleSlot;
  readonly #exports: SideExports;

  /**
   * Links a module; its slot has its places in the table. With `base` it goes on from a snapshot:
   * its variables are there already, and stay as they are.
   */
  constructor(
    slot: ModuleSlot,
    module: WebAssembly.Module,
    header: SideHeader,
    name: string,
    base?: number,
  ) {
    this.#slot = slot;
    this.header = header;
    const { memory } = slot.engine;
    this.base = base ?? slot.alloc(Math.max(16, header.memory_bytes));
    const end = this.base + header.memory_bytes;
    const kept = base === undefined ? undefined : memory.slice(base, end);
    this.#exports = link(slot, module, this.base, name);
    if (kept !== undefined) memory.set(kept, base);
    else this.#exports.__wasm_apply_data_relocs?.();
  }

  /** Registers its protocol. */
  register(config: Uint8Array, name: string): void {
    const at = config.length === 0 ? 0 : this.#slot.alloc(config.length);
    this.#slot.engine.memory.set(config, at);
    this.#slot.enter(() => {
      const result = this.#call(() => this.#exports.register(at, config.length), name);
      if (result < 0) throw refuse(name, "its register refused", -result);
    }, name);
  }

  /** What it counts, by name. */
  counters(names: readonly string[]): Record<string, number> | undefined {
    if (names.length === 0 || this.#exports.counters === undefined) return undefined;
    const at = this.#exports.counters();
    const { engine } = this.#slot;
    return Object.fromEntries(names.map((name, i) => [name, field.getU64(engine, at, i * 8)]));
  }

  /** Tells it that it is unloaded. `SocketError` if it refuses. */
  unregister(name: string): void {
    const result = this.#call(() => this.#exports.unregister?.() ?? 0, name);
    if (result < 0) throw new SocketError(-result, "protocols.unload", `${name} refuses`);
  }

  /** A trap outside of the engine's work is the module's alone. */
  #call(call: () => number, name: string): number {
    try {
      return call();
    } catch (trap) {
      if (!(trap instanceof WebAssembly.RuntimeError)) throw trap;
      throw refuse(name, `it stopped: ${trap.message}`, Errno.EIO);
    }
  }
}

/** Instantiates a module with what it imports. */
function link(
  slot: ModuleSlot,
  module: WebAssembly.Module,
  base: number,
  name: string,
): SideExports {
  const { engine, functions } = slot;
  const constant = (value: number) => new WebAssembly.Global({ value: "i32" }, value | 0);
  const env: Record<string, WebAssembly.ImportValue> = {
    memory: engine.wasmMemory,
    __memory_base: constant(base),
    __table_base: constant(slot.first),
  };
  for (const table of TABLES) env[table] = functions.table;
  for (const { module: from, name: wanted } of WebAssembly.Module.imports(module)) {
    const there = from === "env" ? wanted in env : from === "godwit" && wanted in engine.exports;
    if (!there) throw refuse(name, `it imports ${from}.${wanted}, which the kernel does not offer`);
  }
  let exports: WebAssembly.Exports;
  try {
    const godwit = engine.exports as WebAssembly.ModuleImports;
    exports = new WebAssembly.Instance(module, { env, godwit }).exports;
  } catch (error) {
    throw refuse(name, error instanceof Error ? error.message : String(error));
  }
  if (typeof exports.register !== "function") throw refuse(name, "it exports no register()");
  return exports as unknown as SideExports;
}
