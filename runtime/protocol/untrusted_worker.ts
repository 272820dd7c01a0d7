/**
 * What runs in the Worker of an untrusted protocol: it waits for a batch, copies it into the memory
 * of the module, calls it, and copies out what it answered. The module itself can do nothing but
 * compute, since it imports nothing; and for no longer than its time slice, since it is called by
 * `vm.Script`, whose timeout ends WebAssembly too. `Worker.terminate` of Deno does not: it would
 * leave a thread that computes until the process ends.
 *
 * @module
 */

/** Words that both sides read and write, by index. */
export const Word = {
  /** Number of the step that is asked for: 0 is to be there, 1 to make the module. */
  REQUEST: 0,
  /** Number of steps that are done. */
  ANSWER: 1,
  /** Bytes of the batch. */
  IN: 2,
  /** Bytes of the answers; negative: bytes of the words that say what went wrong. */
  OUT: 3,
  /** Where the time is, as a double. */
  NOW: 4,
  /** Not 0: what went wrong is that the time slice is over. */
  OVERRUN: 6,
  /** Not 0: the Worker is to end. */
  END: 7,
  /** How many there are. */
  COUNT: 8,
} as const;

/** What the Worker is given. */
export interface WorkerData {
  /** The module. */
  readonly module: WebAssembly.Module;
  /** The words. */
  readonly words: SharedArrayBuffer;
  /** Where batches are, and where answers go. */
  readonly input: SharedArrayBuffer;
  readonly output: SharedArrayBuffer;
  /** Most bytes of memory that the module may have. */
  readonly memory_bytes: number;
  /** Longest that one call of it may take, milliseconds. */
  readonly slice_ms: number;
}

/** What is needed of `node:vm`. */
export interface Vm {
  /** A text that can be run, for so many milliseconds. */
  readonly Script: new (text: string) => {
    runInThisContext(options: { readonly timeout: number }): unknown;
  };
}

/** What a module exports. */
export interface ModuleExports {
  /** Its memory. */
  readonly memory: WebAssembly.Memory;
  /** Where batches go. */
  input(): number;
  /** Where answers are. */
  output(): number;
  /** Takes a batch; answers how many bytes of answers there are. */
  handle(length: number, now_us: number): number;
}

/** Makes the module; for the Worker, as a text of its own. */
export function instantiate(module: WebAssembly.Module, memory_bytes: number): ModuleExports {
  const { exports } = new WebAssembly.Instance(module);
  const made = exports as unknown as ModuleExports;
  const bytes = made.memory.buffer.byteLength;
  const over = (words: string) => {
    throw new RangeError(`its memory ${words}, and ${memory_bytes} bytes are allowed`);
  };
  if (bytes > memory_bytes) over(`has ${bytes} bytes`);
  // A memory does not tell how far it may grow, so that is tried. If it does, it is thrown away.
  let grew = true;
  try {
    made.memory.grow(Math.floor((memory_bytes - bytes) / 65536) + 1);
  } catch {
    grew = false;
  }
  if (grew) over("may grow beyond that");
  return made;
}

/**
 * Runs in the Worker, as a text of its own: it may use nothing of this file but its arguments. When
 * it returns the Worker ends.
 */
export function serve(data: WorkerData, vm: Vm, start: typeof instantiate): void {
  const { module, words: control, input, output, memory_bytes, slice_ms } = data;
  const [REQUEST, ANSWER, IN, OUT, NOW, OVERRUN, END] = [0, 1, 2, 3, 2, 6, 7];
  const words = new Int32Array(control);
  const times = new Float64Array(control);
  const batch = new Uint8Array(input);
  const answers = new Uint8Array(output);
  const answer = (out: number) => {
    words[OUT] = out;
    Atomics.add(words, ANSWER, 1);
    Atomics.notify(words, ANSWER);
  };
  const complain = (what: { code?: string; message: string }) => {
    const late = what.code === "ERR_SCRIPT_EXECUTION_TIMEOUT";
    words[OVERRUN] = late ? 1 : 0;
    const message = late ? `it took more than ${slice_ms} ms` : what.message;
    const text = new TextEncoder().encode(message).subarray(0, 1000);
    answers.set(text);
    answer(-text.length);
  };
  // what the script calls: a property of the global object, by a name that nobody else has
  const calls = globalThis as unknown as { godwit(): unknown };
  const script = new vm.Script("godwit()");
  const bounded = <T>(call: () => T): T => {
    calls.godwit = call;
    return script.runInThisContext({ timeout: Math.ceil(slice_ms) }) as T;
  };
  const place = (at: number, length: number, memory: Uint8Array, what: string) => {
    if (Number.isInteger(at) && at >= 0 && at + length <= memory.length) return at;
    throw new RangeError(`${what} is not in its memory: ${at}`);
  };
  /** Waits until more is asked for; false if the Worker is to end. */
  const next = (step: number) => {
    while (Atomics.load(words, REQUEST) === step) Atomics.wait(words, REQUEST, step);
    return words[END] === 0;
  };
  answer(0);
  if (!next(0)) return;
  try {
    const made = bounded(() => start(module, memory_bytes));
    const { memory } = made;
    // a view on memory that has grown since is empty
    const view = () => new Uint8Array(memory.buffer);
    const from = bounded(() => made.output() >>> 0);
    const into = place(bounded(() => made.input() >>> 0), batch.length, view(), "input()");
    place(from, answers.length, view(), "output()");
    answer(0);
    for (let step = 1; next(step); step++) {
      const length = words[IN];
      view().set(batch.subarray(0, length), into);
      const out = bounded(() => made.handle(length, times[NOW]));
      if (!(Number.isInteger(out) && out >= 0)) throw new RangeError(`it refused with ${out}`);
      if (out > answers.length) throw new RangeError(`it answered ${out} bytes`);
      answers.set(view().subarray(from, from + out));
      answer(out);
    }
  } catch (error) {
    complain(error as Error);
  }
}
