/**
 * The protocol loader: protocols come and go while the stack runs (AIX's add_domain_af and
 * del_domain_af, and the loading of kernel extensions).
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { ModuleLimit } from "../../assembly/abi/module.ts";
import type { Engine } from "../engine.ts";
import { SocketError } from "../errors.ts";
import { kernelCalls } from "./kernel_calls.ts";
import { FunctionTable } from "./function_table.ts";
import { Hosted, placesOf } from "./hosted.ts";
import { outOf } from "./ip_sender.ts";
import type { ProtocolInfo, SideModule } from "./module.ts";
import { Nesting } from "./nesting.ts";
import { type Found, type Loadable, nameOf, resolve } from "./resolve.ts";
import type { Ring } from "./ring.ts";
import { rowsOf, type SavedProtocol } from "./saved.ts";
import { readSideHeader, Side } from "./side.ts";
import { ModuleSlot, type ProtocolHost } from "./slot.ts";
import { boundTo, compiled, type Loaded, named, placeSide } from "./place.ts";

export type { SavedProtocol };

/** A protocol that is to be there from the beginning. */
export type ProtocolOption = Loadable | {
  /** What {@link Protocols.load} takes. */
  readonly module: Loadable;
  /** Its configuration. */
  readonly config?: unknown;
};

/** Domains by family, for {@link Protocols.demand}. */
export type Domains = ReadonlyMap<number, SideModule>;

/** What the stack gives. */
type StackSide = Omit<ProtocolHost, "failed" | "nesting">;

/** Most turns in which the protocols of a closing stack send what they say last. */
const LAST_TURNS = 64;

/** The protocols that were loaded into one stack. */
export class Protocols {
  readonly #engine: Engine;
  readonly #host: StackSide;
  readonly #functions: FunctionTable;
  readonly #ring: Ring;
  readonly #nesting: Nesting;
  readonly #loaded = new Map<string, Loaded>();
  readonly #busy = new Set<string>();
  readonly #numbers = new Set<number>();
  readonly #domains: Domains;
  #closed = false;
  /** What has failed last has given back what it held. */
  #ending = Promise.resolve();

  /** For one stack. Loads a domain from `domains` when its first socket is made. */
  constructor(engine: Engine, ring: Ring, host: StackSide, domains: Domains) {
    this.#engine = engine;
    this.#host = host;
    this.#domains = domains;
    this.#functions = new FunctionTable(engine.exports.table as WebAssembly.Table);
    this.#ring = ring;
    this.#nesting = new Nesting((destination) => {
      const rt = kernelCalls(engine).route_lookup(destination);
      return rt === 0 ? 0 : outOf(engine, rt);
    });
  }

  /** Places of the function table that loaded protocols have. */
  get table_entries(): number {
    return this.#functions.used;
  }

  /**
   * Loads a protocol: the specifier or URL of a TypeScript module or a `.wasm` file, a module
   * object, or a compiled `WebAssembly.Module`. If anything fails, nothing is left behind.
   *
   * @throws SocketError EEXIST for a name or a protocol number in use; EINVAL for what is no
   * protocol, or one built for another engine; ENOBUFS when there are too many; ENOMEM; or what the
   * protocol throws. The message names the module.
   */
  async load(given: Loadable, config?: unknown): Promise<ProtocolInfo> {
    const found = await resolve(given, config);
    const name = nameOf(found);
    this.#reserve(name);
    try {
      const slot = this.#slot(name);
      try {
        this.#loaded.set(name, await this.#place(found, name, slot));
      } catch (error) {
        this.#giveBack(slot);
        throw error;
      }
    } finally {
      this.#busy.delete(name);
    }
    if (this.#loaded.get(name)?.hosted?.failure !== undefined) this.#end(name);
    this.#host.wake();
    return this.#info(this.#known(name));
  }

  /**
   * Loads the domain of a family that somebody wants a socket of; at once, for socket() does not
   * wait. True if there is one and it was not loaded yet.
   *
   * @throws SocketError as for {@link load}
   */
  demand(family: number): boolean {
    const domain = this.#domains.get(family);
    if (domain === undefined || this.#loaded.has(domain.name)) return false;
    const found = compiled(domain);
    this.#reserve(found.name);
    const slot = this.#slot(found.name);
    try {
      this.#loaded.set(found.name, placeSide(found, slot));
    } catch (error) {
      this.#giveBack(slot);
      throw error;
    } finally {
      this.#busy.delete(found.name);
    }
    return true;
  }

  /** Places a protocol in its slot and has it register. */
  async #place(found: Found, name: string, slot: ModuleSlot): Promise<Loaded> {
    if (found.kind === "side") return placeSide(found, slot);
    const { module, kind } = found;
    slot.takePlaces(placesOf(module));
    const hosted = new Hosted(slot, module);
    const untrusted = boundTo(hosted, found);
    try {
      slot.enter(() => hosted.register(), name);
      await module.load?.(hosted.kernel);
      if (this.#closed) throw new SocketError(Errno.ENETDOWN, "protocols.load", "stack is closed");
    } catch (error) {
      hosted.silence();
      await untrusted?.unload();
      await hosted.kernel.release();
      throw named(name, error);
    }
    return { name, kind, slot, hosted, untrusted };
  }

  /**
   * Unloads a protocol: nothing of it is left in the stack. Answers how many things it had not
   * given back itself (packets, ports, types, timers, interfaces, pools): 0 for a careful one.
   *
   * @throws SocketError ENOENT if there is none of that name, EBUSY while it has sockets, or what
   * its `unload` throws; it is loaded still then
   */
  async unload(name: string): Promise<number> {
    const loaded = this.#known(name);
    const { slot, side, hosted } = loaded;
    const sockets = slot.sockets;
    if (sockets > 0 || this.#busy.has(name)) {
      const words = sockets > 0 ? `${name} has ${sockets} open sockets` : `${name} is being loaded`;
      throw new SocketError(Errno.EBUSY, "protocols.unload", words);
    }
    this.#busy.add(name);
    try {
      side?.unregister(name);
      if (hosted?.failure === undefined) await hosted?.module.unload?.();
      hosted?.silence();
      const kept = await hosted?.kernel.release() ?? 0;
      const rows = hosted?.module.rows?.length ?? 0;
      const left = slot.released ? kept : kept + this.#giveBack(slot) - rows;
      this.#loaded.delete(name);
      return left;
    } finally {
      this.#busy.delete(name);
    }
  }

  /** Ends all: the stack is closed. What they say last is sent by turns that `turn` takes. */
  async close(turn: () => number): Promise<void> {
    this.#closed = true;
    const all = [...this.#loaded.values()];
    this.#loaded.clear();
    for (const { hosted } of all) {
      if (hosted === undefined) continue;
      try {
        await hosted.module.unload?.();
      } catch {
        // there is nobody left to tell, and the others must be ended too
      }
      hosted.silence();
      if (this.#engine.panic === undefined) await hosted.kernel.release();
    }
    for (let i = 0; i < LAST_TURNS && this.#engine.panic === undefined && turn() > 0; i++);
  }

  /**
   * Resolves when an untrusted protocol has answered everything that was handed to it, or has been
   * ended; what it sent has been queued then. At once for others. `SocketError` ENOENT.
   */
  async settled(name: string): Promise<void> {
    await this.#known(name).untrusted?.settled();
    await this.#ending;
  }

  /** What is loaded, in the order in which it was. */
  list(): ProtocolInfo[] {
    return [...this.#loaded.values()].map((loaded) => this.#info(loaded));
  }

  #info({ name, kind, slot, side, hosted, untrusted, counters: names = [] }: Loaded): ProtocolInfo {
    const error = hosted?.failure;
    const counters = side?.counters(names) ?? (untrusted && { ...untrusted.counters });
    return {
      name,
      kind,
      state: error === undefined ? "loaded" : "failed",
      ...(error === undefined ? {} : { error }),
      ...(counters === undefined ? {} : { counters }),
      sockets: slot.sockets,
      memory_bytes: slot.memory_bytes,
      table_entries: slot.count,
      packets: hosted?.packets ?? 0,
    };
  }

  #known(name: string): Loaded {
    const loaded = this.#loaded.get(name);
    if (loaded !== undefined) return loaded;
    throw new SocketError(Errno.ENOENT, "protocols.unload", `no protocol ${name} is loaded`);
  }

  #reserve(name: string): void {
    const there = this.#loaded.get(name);
    if (there !== undefined && !there.slot.released || this.#busy.has(name)) {
      throw new SocketError(Errno.EEXIST, "protocols.load", `a protocol ${name} is loaded already`);
    }
    this.#busy.add(name);
  }

  #slot(name: string, number = this.#freeNumber()): ModuleSlot {
    this.#numbers.add(number);
    return new ModuleSlot(number, this.#engine, this.#functions, this.#ring, {
      ...this.#host,
      nesting: this.#nesting,
      failed: () => this.#end(name),
    });
  }

  #freeNumber(): number {
    for (let i = 1; i <= ModuleLimit.SLOTS; i++) if (!this.#numbers.has(i)) return i;
    throw new SocketError(Errno.ENOBUFS, "protocols.load", "too many protocols are loaded");
  }

  /**
   * A protocol has failed: gives back what it holds, as soon as nobody runs in it. An untrusted one
   * is unloaded too, when its last socket is closed.
   */
  #end(name: string): void {
    this.#ending = Promise.resolve().then(async () => {
      const loaded = this.#loaded.get(name);
      await loaded?.hosted?.kernel.release();
      await loaded?.untrusted?.unload();
      if (loaded?.untrusted === undefined || loaded.slot.released || this.#busy.has(name)) return;
      if (this.#engine.panic === undefined && loaded.slot.sockets === 0) {
        this.#giveBack(loaded.slot);
      }
    });
  }

  #giveBack(slot: ModuleSlot): number {
    const left = slot.release();
    this.#numbers.delete(slot.number);
    return left;
  }

  /** What a snapshot needs to know. `SocketError` EOPNOTSUPP if a protocol cannot be in one. */
  save(): SavedProtocol[] {
    const all = [...this.#loaded.values()].filter(({ slot }) => !slot.released);
    return all.map(({ name, kind, slot, side, hosted }) => {
      const places = [slot.first, slot.count] as const;
      const common = { name, kind, slot: slot.number, places };
      if (side !== undefined) return { ...common, base: side.base };
      if (hosted?.module.snapshot !== undefined && hosted.failure === undefined) {
        const { module, kernel: { sockets } } = hosted;
        return { ...common, state: module.snapshot?.(), rows: rowsOf(module), sockets };
      }
      const words = `protocol ${name} cannot be part of a snapshot: it has no snapshot()`;
      throw new SocketError(Errno.EOPNOTSUPP, "snapshot", words);
    });
  }

  /**
   * Goes on from a snapshot: each protocol that it names must be given.
   *
   * @throws SocketError ENODEV if one is missing, EINVAL if it is of another kind or shape
   */
  async restore(
    saved: readonly SavedProtocol[],
    given: readonly ProtocolOption[],
  ): Promise<void> {
    const found = await Promise.all(given.map(async (option) => {
      const { module, config } = optionParts(option);
      return await resolve(module, config);
    }));
    for (const domain of this.#domains.values()) found.push(compiled(domain));
    for (const one of saved) {
      const match = found.find((f) => nameOf(f) === one.name);
      if (match === undefined) {
        const words = `the snapshot needs protocol ${one.name}: give it in "protocols"`;
        throw new SocketError(Errno.ENODEV, "restore", words);
      }
      this.#loaded.set(one.name, await this.#resume(one, match));
    }
  }

  async #resume(saved: SavedProtocol, found: Found): Promise<Loaded> {
    const { name, kind } = saved;
    const [first, count] = saved.places;
    const slot = this.#slot(name, saved.slot);
    const refuse = (words: string) =>
      new SocketError(Errno.EINVAL, "restore", `protocol ${name}: ${words}`);
    if (found.kind !== kind) throw refuse(`it was ${kind} when the snapshot was made`);
    slot.takePlaces(count, first);
    if (found.kind === "side") {
      const header = readSideHeader(found.wasm, name);
      if (Math.max(1, header.table_entries) !== count) throw refuse("it is another build");
      const side = new Side(slot, found.wasm, header, name, saved.base);
      return { name, kind, slot, side, counters: found.counters };
    }
    const { module } = found;
    if (rowsOf(module) !== saved.rows) throw refuse("it has other rows");
    if (module.restore === undefined) throw refuse("it has no restore()");
    const hosted = new Hosted(slot, module);
    const untrusted = boundTo(hosted, found);
    hosted.place();
    hosted.listen();
    // it takes its ports, types and timers anew
    kernelCalls(this.#engine).module_reset(first, first + count);
    for (const so of saved.sockets ?? []) this.#engine.calls.so_close(so);
    await module.restore(hosted.kernel, saved.state);
    return { name, kind, slot, hosted, untrusted };
  }
}

/** What to load, and with which configuration. */
export function optionParts(option: ProtocolOption): { module: Loadable; config?: unknown } {
  const whole = typeof option === "object" && option !== null && "module" in option;
  return whole ? option : { module: option as Loadable };
}
