/**
 * Watching file descriptors of the host while a stack is idle. A small Worker blocks in poll(2) on
 * them and wakes this thread through `Atomics.notify`, so that nobody looks in vain: an idle stack
 * costs no CPU time, and a frame wakes it within a fraction of a millisecond.
 *
 * A driver makes one watcher when it is first asked to watch (`NetDriver.watch`), arms it each time
 * it is asked, and awaits `close` **before** it closes the descriptors: until then the Worker may
 * be inside poll(2), which holds the files. The Worker never keeps the process alive.
 *
 * @module
 */

import { Worker } from "node:worker_threads";
import { addressOf, libcPaths, openLibc } from "./libc.ts";

const SYMBOLS = {
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  write: { parameters: ["i32", "u64", "u64"], result: "i64" },
} as const;

const EFD_CLOEXEC = 0o2000000;

/** What the two threads tell each other, in words of shared memory. */
const STATE = 0;
/** How often a descriptor was found ready. */
const FIRED = 1;
const WORDS = 2;

/** Values of the word `STATE`. */
const IDLE = 0;
const ARMED = 1;
const CLOSED = 2;

/** What the Worker is started with. */
interface WatchData {
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly fds: readonly number[];
  readonly paths: readonly string[];
}

/** Watches descriptors until one can be read or has failed. */
export class FdWatcher {
  readonly #words = new Int32Array(new SharedArrayBuffer(WORDS * 4));
  readonly #ready: () => void;
  readonly #library: Deno.DynamicLibrary<typeof SYMBOLS>;
  readonly #bell: number;
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  #failed = false;
  #closing: Promise<void> | undefined = undefined;

  /**
   * Starts the Worker, which needs nothing but the permission for the C library.
   *
   * @param fds descriptors that stay open until `close` has answered
   * @param ready called on this thread, once for each `arm`, when one of them is readable or failed
   * @throws SocketError if the C library cannot be opened
   */
  constructor(fds: readonly number[], ready: () => void) {
    this.#ready = ready;
    this.#library = openLibc(SYMBOLS, "a watcher of file descriptors");
    // Only a descriptor can end a poll(2) that another thread is inside of.
    this.#bell = this.#library.symbols.eventfd(0, EFD_CLOEXEC);
    const data: WatchData = {
      words: this.#words,
      fds: [...fds, this.#bell],
      paths: libcPaths(),
    };
    // The text of the function, not a module: it can be started from wherever this one came from.
    const source = `import { workerData } from "node:worker_threads"; (${watch})(workerData);`;
    const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
    const worker = this.#worker = new Worker(url, { workerData: data });
    this.#ended = new Promise((resolve) => {
      worker.on("exit", () => {
        this.#failed = true;
        resolve();
      });
    });
    worker.on("error", () => this.#failed = true);
    worker.unref();
  }

  /**
   * Has `ready` called when a descriptor is readable: at once if one is already.
   *
   * @returns false if the Worker could not be started or has ended: the caller has to look itself
   */
  arm(): boolean {
    if (this.#failed || this.#closing) return false;
    const words = this.#words;
    if (Atomics.load(words, STATE) !== IDLE) return true;
    const fired = Atomics.load(words, FIRED);
    Atomics.store(words, STATE, ARMED);
    Atomics.notify(words, STATE);
    const wait = Atomics.waitAsync(words, FIRED, fired);
    if (wait.async) wait.value.then(() => this.#fire());
    else queueMicrotask(() => this.#fire());
    return true;
  }

  /** Ends the Worker; afterwards the descriptors may be closed. `ready` is called no more. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  #fire(): void {
    if (!this.#closing && !this.#failed) this.#ready();
  }

  async #close(): Promise<void> {
    const words = this.#words;
    Atomics.store(words, STATE, CLOSED);
    Atomics.notify(words, STATE);
    const { symbols } = this.#library;
    symbols.write(this.#bell, addressOf(new Uint8Array(new BigUint64Array([1n]).buffer)), 8n);
    this.#worker.ref();
    await this.#ended;
    // Nothing is left that could call back: those who wait for it are let go.
    Atomics.notify(words, FIRED);
    symbols.close(this.#bell);
    this.#library.close();
  }
}

/** What the Worker runs. It is started from its text, and so can use nothing from around it. */
function watch({ words, fds, paths }: WatchData): void {
  const [STATE, FIRED, IDLE, ARMED, CLOSED] = [0, 1, 0, 1, 2];
  const [POLLIN, FOREVER, POLLFD_BYTES] = [1, -1, 8];
  const symbols = { poll: { parameters: ["u64", "u64", "i32"], result: "i32" } } as const;
  let library: Deno.DynamicLibrary<typeof symbols> | undefined;
  for (const path of paths) {
    try {
      library = Deno.dlopen(path, symbols);
      break;
    } catch {
      // The next path.
    }
  }
  if (!library) return;
  const pollfds = new DataView(new ArrayBuffer(4096));
  for (let i = 0; i < fds.length; i++) {
    pollfds.setInt32(i * POLLFD_BYTES, fds[i], true);
    pollfds.setInt16(i * POLLFD_BYTES + 4, POLLIN, true);
  }
  const bytes = new Uint8Array(pollfds.buffer);
  const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
  const count = BigInt(fds.length);
  while (Atomics.load(words, STATE) !== CLOSED) {
    Atomics.wait(words, STATE, IDLE);
    if (Atomics.load(words, STATE) === CLOSED) break;
    library.symbols.poll(address, count, FOREVER);
    if (Atomics.compareExchange(words, STATE, ARMED, IDLE) !== ARMED) break;
    Atomics.add(words, FIRED, 1);
    Atomics.notify(words, FIRED);
  }
  library.close();
}
