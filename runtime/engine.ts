/**
 * One instance of the engine: the module, its memory and fixed views of it.
 *
 * @module
 */

import { Limits } from "../assembly/abi/limits.ts";
import { type EngineCalls, guardCalls } from "./engine_calls.ts";
import type { Entropy } from "./entropy.ts";
import { EnginePanic, SocketError } from "./errors.ts";
import * as field from "./layout.ts";
import { fillMemory, readHeader, SnapshotError } from "./snapshot.ts";
import * as layout from "./wasm/layout.gen.ts";

const PAGE_BYTES = 65536;
/** What the engine's two random streams are seeded with: 16 bytes each. */
const SEED_BYTES = 32;
/** What addresses of 32 bits reach, less a page: an address is never taken for an error number. */
const MEMORY_BYTES_MAX = 2 ** 32 - PAGE_BYTES;
const MEMORY_BYTES_MIN = 2 ** 21;
/** Plenty for a thousand connections; the system commits a page when it is first touched. */
const MEMORY_BYTES = 256 * 2 ** 20;

/** Sizes of the engine's memory and tables; what is left out gets a default from the engine. */
export interface MemoryOptions {
  /** Bytes of the whole memory, 2 MiB to 4 GiB less 64 KiB; 256 MiB unless told. */
  readonly bytes?: number;
  /** Mbufs of 192 bytes. */
  readonly mbufs_small?: number;
  /** Mbufs of 2,048 bytes; frames arrive in these. */
  readonly mbufs_cluster?: number;
  /** Sockets, including those of connections that nobody has accepted yet. */
  readonly sockets?: number;
  /** TCP connections. */
  readonly tcbs?: number;
  /** Connections in TIME-WAIT. */
  readonly timewaits?: number;
  /** Half-open connections. */
  readonly syncache?: number;
  /** Entries of the routing table. */
  readonly routes?: number;
  /** Entries of the ARP table. */
  readonly neighbors?: number;
  /** Addresses of interfaces. */
  readonly addresses?: number;
  /** Multicast groups joined. */
  readonly groups?: number;
  /** Datagrams that wait for fragments. */
  readonly datagrams?: number;
}

/** What the engine is made from. */
export interface EngineOptions {
  /** The module, compiled or as bytes; the one that comes with the package unless told. */
  readonly engine?: WebAssembly.Module | BufferSource;
  /** Sizes. */
  readonly memory?: MemoryOptions;
  /** Goes on from this snapshot, in a memory of its size, instead of booting anew. */
  readonly snapshot?: Uint8Array;
  /** Where the seeds of its random streams come from. */
  readonly entropy: Entropy;
}

/** A booted engine. */
export class Engine {
  /** Its exports; a trap in one of them kills the instance and throws an `EnginePanic`. */
  readonly calls: EngineCalls;
  /** Its exports as they are: for the loader of protocols, which links others to them. */
  readonly exports: WebAssembly.Exports;
  /** The memory itself, for modules that share it. */
  readonly wasmMemory: WebAssembly.Memory;
  /** The whole memory; the buffer never moves. */
  readonly memory: Uint8Array<ArrayBuffer>;
  /** The same memory as unsigned 32-bit words; index with a byte offset `>>> 2`. */
  readonly u32: Uint32Array<ArrayBuffer>;
  /** The same memory for everything else; all fields are little-endian. */
  readonly view: DataView<ArrayBuffer>;
  /** Offset of the area through which user data passes, `Limits.STAGING` bytes. */
  readonly staging: number;
  /** Offset of 4 KiB for addresses and requests. */
  readonly scratch: number;
  /** Offset of struct RecvInfo. */
  readonly recvInfo: number;
  /** Address of what passes with messages of AF_UNIX, struct LocalInfo and what follows it. */
  readonly localInfo: number;
  /** What the module was made from, as a hash; empty if it does not say. */
  readonly identity: string;
  readonly #views: Uint8Array<ArrayBuffer>[] = [];
  readonly #live: EngineCalls;
  #panic: EnginePanic | undefined = undefined;

  private constructor(module: WebAssembly.Module, bytes: number) {
    const pages = bytes / PAGE_BYTES;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const instance = new WebAssembly.Instance(module, { env: { memory } });
    const buffer = memory.buffer as ArrayBuffer;
    this.memory = new Uint8Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.view = new DataView(buffer);
    this.exports = instance.exports;
    this.wasmMemory = memory;
    this.#live = { ...instance.exports } as unknown as EngineCalls;
    this.calls = guardCalls(this.#live, (trap) => this.#fault(trap));
    this.scratch = this.calls.scratch();
    this.staging = 0;
    this.recvInfo = this.calls.recv_info();
    this.localInfo = this.calls.local_info();
    const [sources] = WebAssembly.Module.customSections(module, "godwit.sources");
    this.identity = sources ? new TextDecoder().decode(sources) : "";
  }

  /** Instantiates and boots an engine. Throws a `RangeError` for impossible sizes. */
  static async create(options: EngineOptions): Promise<Engine> {
    const module = await toModule(options.engine);
    const { snapshot } = options;
    const asked = snapshot ? readHeader(snapshot).memory_bytes : options.memory?.bytes;
    const bytes = memoryBytes(asked ?? MEMORY_BYTES);
    const engine = new Engine(module, bytes);
    if (snapshot) engine.#restore(snapshot);
    else engine.#boot(options, bytes);
    return engine;
  }

  /** Takes the state of a snapshot over; throws a `SnapshotError` if another build made it. */
  #restore(snapshot: Uint8Array): void {
    if (readHeader(snapshot).engine !== this.identity) {
      throw new SnapshotError("the snapshot was made by another build of the engine");
    }
    fillMemory(snapshot, this.memory);
    (this as { staging: number }).staging = this.calls.staging();
  }

  /** The panic that ended this engine, if one did. */
  get panic(): EnginePanic | undefined {
    return this.#panic;
  }

  /** The first `length` bytes of the staging area; views of usual lengths are made once. */
  stagingView(length: number): Uint8Array<ArrayBuffer> {
    const slot = length & 63;
    const known = this.#views[slot];
    if (known !== undefined && known.length === length) return known;
    const view = this.memory.subarray(this.staging, this.staging + length);
    this.#views[slot] = view;
    return view;
  }

  #boot(options: EngineOptions, bytes: number): void {
    const { calls, view, scratch } = this;
    const { entropy, memory = {} } = options;
    for (let i = 0; i < SEED_BYTES; i += 4) view.setUint32(scratch + i, entropy.next32(), true);
    calls.seed(scratch);
    this.memory.fill(0, scratch, scratch + SEED_BYTES);
    this.memory.fill(0, scratch, scratch + layout.BootConfig.size);
    const config: Record<string, number | undefined> = { ...memory };
    for (const [field, offset] of Object.entries(layout.BootConfig)) {
      if (field !== "size") view.setUint32(scratch + offset, tableSize(field, config[field]), true);
    }
    view.setUint32(scratch + layout.BootConfig.memory_bytes, bytes, true);
    const result = calls.boot(scratch);
    if (result < 0) {
      throw new SocketError(-result, "boot", "the memory is too small for the tables");
    }
    (this as { staging: number }).staging = calls.staging();
  }

  /** Remembers the first trap, makes every later call throw it again, and answers it. */
  #fault(trap: unknown): EnginePanic {
    if (this.#panic) return this.#panic;
    const panic = this.#describe(trap);
    this.#panic = panic;
    const live = this.#live as unknown as Record<string, () => never>;
    for (const name of Object.keys(live)) {
      live[name] = () => {
        throw panic;
      };
    }
    return panic;
  }

  /** Puts together what the trap and the engine's own note say. */
  #describe(trap: unknown): EnginePanic {
    const { PanicState } = layout;
    const info = this.#live.panic_info();
    const line = field.getU32(this, info, PanicState.line);
    const column = field.getU32(this, info, PanicState.column);
    if (line === 0) {
      const words = trap instanceof Error ? trap.message : String(trap);
      return new EnginePanic(`the engine stopped: ${words}`, 0, 0, trap);
    }
    const file = this.#text(field.getU32(this, info, PanicState.file));
    const message = this.#text(field.getU32(this, info, PanicState.msg)) || "assertion failed";
    const words = `the engine stopped: ${message} at ${file}:${line}:${column}`;
    return new EnginePanic(words, line, column, trap);
  }

  /** A constant text of the engine: UTF-16, its length in bytes 4 bytes before it. */
  #text(at: number): string {
    if (at < 4 || at >= this.memory.length) return "";
    const bytes = Math.min(field.getU32(this, at, -4), 512);
    return new TextDecoder("utf-16le").decode(this.memory.subarray(at, at + bytes));
  }
}

function memoryBytes(bytes: number): number {
  if (!(bytes >= MEMORY_BYTES_MIN && bytes <= MEMORY_BYTES_MAX)) {
    throw new RangeError(
      `memory.bytes must be from ${MEMORY_BYTES_MIN} to ${MEMORY_BYTES_MAX}, not ${bytes}`,
    );
  }
  return Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
}

/** Zero asks the engine for its default. */
function tableSize(name: string, size: number | undefined): number {
  if (size === undefined) return 0;
  if (!Number.isInteger(size) || size < 1 || size > 2 ** 24) {
    throw new RangeError(`memory.${name} must be a whole number from 1 to ${2 ** 24}, not ${size}`);
  }
  return size;
}

async function toModule(
  engine: WebAssembly.Module | BufferSource | undefined,
): Promise<WebAssembly.Module> {
  if (engine instanceof WebAssembly.Module) return engine;
  if (engine !== undefined) return await WebAssembly.compile(engine);
  return (await import("./wasm/engine_module.js")).default;
}

/** Bytes of user data that one call of the engine can carry. */
export const STAGING_BYTES: number = Limits.STAGING;
