/**
 * The Worker of an untrusted protocol, seen from the stack: one batch at a time goes in, and the
 * answers come back, or the reason why the Worker has ended.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { UntrustedLimit } from "../../assembly/abi/untrusted.ts";
import { SocketError } from "../errors.ts";
import { instantiate, serve, Word, type WorkerData } from "./untrusted_worker.ts";

/** A Worker as Deno and Node have it: it can be told not to keep the process alive. */
interface NodeWorker {
  on(event: "exit" | "error", listener: (what: unknown) => void): void;
  ref(): void;
  unref(): void;
  terminate(): Promise<number>;
}

type NodeWorkers = { Worker: new (url: URL, options: { workerData: unknown }) => NodeWorker };

/** Who is told. */
export interface ThreadHost {
  /** The answers to a batch lie in `output`. The first time, to the start, there are none. */
  answered(length: number): void;
  /** The Worker is being ended: why. */
  failed(kind: string, words: string): void;
}

/** Longest that it may take until the Worker is there: that is the platform's work. */
const BOOT_MS = 30_000;
/** Beyond the time slice, which the Worker itself watches: then something is wrong with it. */
const PATIENCE_MS = 30_000;

let running = 0;

/** How many Workers of untrusted protocols there are in this program. */
export function workersRunning(): number {
  return running;
}

/** Workers are there only where the platform has those of Node; it has no import in a browser. */
function workers(): NodeWorkers {
  const { process } = globalThis as unknown as {
    process?: { getBuiltinModule?(name: string): unknown };
  };
  const found = process?.getBuiltinModule?.("node:worker_threads") as NodeWorkers | undefined;
  if (found !== undefined) return found;
  const words = "an untrusted protocol needs node:worker_threads, which is not here";
  throw new SocketError(Errno.EOPNOTSUPP, "protocols.load", words);
}

/** The Worker of one module. */
export class Thread {
  /** Where batches are put. */
  readonly input: Uint8Array;
  /** Where answers lie. */
  readonly output: Uint8Array;
  readonly #words = new Int32Array(
    new SharedArrayBuffer(Word.COUNT * Int32Array.BYTES_PER_ELEMENT),
  );
  readonly #now = new Float64Array(this.#words.buffer);
  readonly #host: ThreadHost;
  readonly #slice_ms: number;
  readonly #worker: NodeWorker;
  readonly #gone: Promise<void>;
  #asked = 0;
  #watch: ReturnType<typeof setTimeout> | undefined = undefined;
  #over = false;

  /** Starts the Worker; `answered` is called when the module is ready. */
  constructor(
    module: WebAssembly.Module,
    limits: { readonly memory_bytes: number; readonly slice_ms: number },
    host: ThreadHost,
  ) {
    const [input, output] = [0, 1].map(() => new SharedArrayBuffer(UntrustedLimit.BUFFER_BYTES));
    this.input = new Uint8Array(input);
    this.output = new Uint8Array(output);
    this.#host = host;
    this.#slice_ms = limits.slice_ms;
    const words = this.#words.buffer as SharedArrayBuffer;
    const data: WorkerData = { module, words, input, output, ...limits };
    // The text of the function, not a module: it needs no permission to be read from anywhere.
    const source = `import { workerData } from "node:worker_threads"; import vm from "node:vm";
      (${serve})(workerData, vm, ${instantiate});`;
    const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
    this.#worker = new (workers().Worker)(url, { workerData: data });
    running++;
    this.#gone = new Promise((resolve) => {
      this.#worker.on("exit", () => {
        running--;
        resolve();
        this.#fail("Trap", "its Worker has ended");
      });
    });
    this.#worker.on("error", (error) => this.#fail("Trap", String(error)));
    this.#worker.unref();
    this.#await(BOOT_MS);
  }

  /** Hands over the first `length` bytes of `input`. One batch at a time. */
  run(length: number, now_us: number): void {
    this.#words[Word.IN] = length;
    this.#now[Word.NOW / 2] = now_us;
    this.#ask();
  }

  #ask(): void {
    Atomics.store(this.#words, Word.REQUEST, ++this.#asked);
    Atomics.notify(this.#words, Word.REQUEST);
    this.#await(this.#slice_ms + PATIENCE_MS);
  }

  /**
   * Ends the Worker; nobody is told any more. Resolves when it is gone: at once if it is idle, else
   * when it has answered or its time slice is over.
   */
  async end(): Promise<void> {
    this.#stop();
    await this.#gone;
  }

  #stop(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#watch);
    // ends the wait for an answer
    Atomics.notify(this.#words, Word.ANSWER);
    this.#words[Word.END] = 1;
    Atomics.store(this.#words, Word.REQUEST, ++this.#asked);
    Atomics.notify(this.#words, Word.REQUEST);
    this.#worker.ref();
  }

  /** Waits for the answer to what was asked last. The timer keeps the process alive meanwhile. */
  #await(most_ms: number): void {
    const begun = this.#asked;
    this.#watch = setTimeout(() => {
      // it may have answered while this thread was busy
      if (Atomics.load(this.#words, Word.ANSWER) === begun) {
        this.#fail("Overrun", "its Worker does not answer");
        void this.#worker.terminate();
      }
    }, most_ms);
    const wait = Atomics.waitAsync(this.#words, Word.ANSWER, begun);
    if (wait.async) wait.value.then(() => this.#answered());
    else queueMicrotask(() => this.#answered());
  }

  #answered(): void {
    if (this.#over) return;
    clearTimeout(this.#watch);
    const length = this.#words[Word.OUT];
    if (length >= 0 && this.#asked === 0) return this.#ask();
    if (length >= 0) return this.#host.answered(length);
    const words = new TextDecoder().decode(this.output.slice(0, -length));
    this.#fail(this.#words[Word.OVERRUN] === 1 ? "Overrun" : "Trap", words);
  }

  #fail(kind: string, words: string): void {
    if (this.#over) return;
    this.#stop();
    this.#host.failed(kind, words);
  }
}
