/**
 * What runs in the Worker of an untrusted protocol: it waits for a batch, copies it into the memory
 * of the module, calls it, and copies out what it answered. The module itself can do nothing but
 * compute, since it imports nothing.
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
  /** How many there are. */
  COUNT: 6,
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
}

/** What a module exports. */
interface ModuleExports {
  readonly memory: WebAssembly.Memory;
  input(): number;
  output(): number;
  handle(length: number, now_us: number): number;
}

/**
 * Runs in the Worker, as a text of its own: it may use nothing of this file but its argument. It
 * never returns; whoever started the Worker ends it.
 */
export function serve({ module, words: control, input, output, memory_bytes }: WorkerData): void {
  const [REQUEST, ANSWER, IN, OUT, NOW] = [0, 1, 2, 3, 2];
  const PAGE = 65536;
  const words = new Int32Array(control);
  const times = new Float64Array(control);
  const batch = new Uint8Array(input);
  const answers = new Uint8Array(output);
  const answer = (out: number) => {
    words[OUT] = out;
    Atomics.add(words, ANSWER, 1);
    Atomics.notify(words, ANSWER);
  };
  const complain = (what: unknown) => {
    const text = new TextEncoder().encode(what instanceof Error ? what.message : String(what));
    const length = Math.min(text.length, 1000, answers.length);
    answers.set(text.subarray(0, length));
    answer(-Math.max(1, length));
  };
  const start = (): ModuleExports => {
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
      made.memory.grow(Math.floor((memory_bytes - bytes) / PAGE) + 1);
    } catch {
      grew = false;
    }
    if (grew) over("may grow beyond that");
    return made;
  };
  const place = (at: number, length: number, memory: Uint8Array, what: string) => {
    if (Number.isInteger(at) && at >= 0 && at + length <= memory.length) return at;
    throw new RangeError(`${what} is not in its memory: ${at}`);
  };
  const next = (step: number) => {
    while (Atomics.load(words, REQUEST) === step) Atomics.wait(words, REQUEST, step);
  };
  answer(0);
  next(0);
  try {
    const made = start();
    const { memory } = made;
    // a view on memory that has grown since is empty
    const view = () => new Uint8Array(memory.buffer);
    const into = place(made.input() >>> 0, batch.length, view(), "input()");
    const from = place(made.output() >>> 0, answers.length, view(), "output()");
    answer(0);
    for (let step = 1;; step++) {
      next(step);
      const length = words[IN];
      view().set(batch.subarray(0, length), into);
      const out = made.handle(length, times[NOW]);
      if (!(Number.isInteger(out) && out >= 0)) throw new RangeError(`it refused with ${out}`);
      if (out > answers.length) throw new RangeError(`it answered ${out} bytes`);
      answers.set(view().subarray(from, from + out));
      answer(out);
    }
  } catch (error) {
    complain(error);
  }
}
