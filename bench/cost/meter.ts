/**
 * Puts a meter into a WebAssembly module: it then counts the instructions that it executes, those
 * of them that touch memory, and the bytes that memory.copy and memory.fill move. The same work in
 * the same state gives the same counts, to the unit, on every machine.
 *
 * The module is written out as text, one instruction a line, and at the beginning of every basic
 * block its length is added to a counter. The counters lie in a second memory of their own, so the
 * module's own memory is what it was.
 *
 * @module
 */

import binaryen from "binaryen";

/** A module with a meter, and the names of its functions by their number. */
export interface Metered {
  /** The module; it exports what it did, and `cost_at`. */
  readonly module: WebAssembly.Module;
  /** Names of the functions; numbers where the module does not name them. */
  readonly functions: readonly string[];
}

/** What the meter has counted since the module was instantiated. */
export interface Counts {
  /** Instructions executed. */
  readonly instructions: number;
  /** Those that load from memory or store to it. */
  readonly accesses: number;
  /** Bytes that memory.copy and memory.fill have written. */
  readonly bytes_moved: number;
}

/** Reads a counter. */
type CostAt = (counter: number) => number;

const ACCESSES = 0;
const BYTES_MOVED = 1;
/** Counter of the first function; the others follow. */
const FUNCTIONS = 2;

/** Lines that are no instructions, but the frame around them. */
const FRAME = /^(block|loop|else|end)\b/;
/** After these a basic block begins: something jumps there, or it may not go on there. */
const BORDER = /^(loop|if|else|end|br_if)\b/;
const ACCESS = /^(\w+\.(load|store)\w*|memory\.(copy|fill))\b/;

/** Puts a meter into a module. */
export async function meter(wasm: Uint8Array<ArrayBuffer>): Promise<Metered> {
  const original = binaryen.readBinary(wasm);
  original.setFeatures(binaryen.Features.All);
  const { text, functions } = meterText(original.emitStackIR());
  original.dispose();
  const metered = binaryen.parseText(text);
  metered.setFeatures(binaryen.Features.All);
  const bytes = metered.emitBinary() as Uint8Array<ArrayBuffer>;
  metered.dispose();
  return { module: await WebAssembly.compile(bytes), functions };
}

/** The text of a module with a meter in it. */
export function meterText(text: string): { text: string; functions: string[] } {
  const out: string[] = [];
  const functions: string[] = [];
  let block: Block | undefined;
  for (const line of text.trimEnd().split("\n")) {
    const name = /^ \(func \$(\S+)/.exec(line)?.[1];
    if (name !== undefined) {
      functions.push(name);
      out.push(line);
      block = new Block();
    } else if (block === undefined || /^ {2}\(local /.test(line)) {
      out.push(line);
    } else if (line === " )") {
      block.flush(out, functions.length - 1);
      out.push(line);
      block = undefined;
    } else if (block.add(line.trim())) {
      block.flush(out, functions.length - 1);
    }
  }
  // The last line closes the module.
  out.splice(-1, 0, prelude(functions.length));
  return { text: out.join("\n"), functions };
}

/** The instructions that are executed one after the other, all or none. */
class Block {
  #lines: string[] = [];
  #instructions = 0;
  #accesses = 0;

  /** Takes a line; true if the block ends with it. */
  add(line: string): boolean {
    if (!FRAME.test(line)) this.#instructions++;
    if (ACCESS.test(line)) this.#accesses++;
    const moved = /^memory\.(copy|fill)$/.exec(line);
    this.#lines.push(moved ? `call $cost_${moved[1]}` : line);
    return BORDER.test(line);
  }

  /** Writes the block out, with its counts before it; another one begins. */
  flush(out: string[], name: number): void {
    if (this.#instructions > 0) out.push(count(FUNCTIONS + name, this.#instructions));
    if (this.#accesses > 0) out.push(count(ACCESSES, this.#accesses));
    out.push(...this.#lines);
    this.#lines = [];
    this.#instructions = 0;
    this.#accesses = 0;
  }
}

function count(counter: number, by: number): string {
  const at = 8 * counter;
  return `i32.const ${at} i32.const ${at} i64.load $cost i64.const ${by} i64.add i64.store $cost`;
}

/** The memory of the counters, and what reads and moves with it. */
function prelude(functions: number): string {
  const pages = Math.ceil((FUNCTIONS + functions) * 8 / 65536);
  const move = (what: string) =>
    `(func $cost_${what} (param i32 i32 i32)
      (i64.store $cost (i32.const ${8 * BYTES_MOVED})
        (i64.add (i64.load $cost (i32.const ${8 * BYTES_MOVED}))
          (i64.extend_i32_u (local.get 2))))
      (memory.${what} 0 ${what === "copy" ? "0 " : ""}
        (local.get 0) (local.get 1) (local.get 2)))`;
  return `(memory $cost ${pages})
    ${move("copy")}
    ${move("fill")}
    (func (export "cost_at") (param i32) (result f64)
      (f64.convert_i64_u (i64.load $cost (i32.shl (local.get 0) (i32.const 3)))))`;
}

/** Instructions that each function has executed, in the order of their numbers. */
export function readFunctions(exports: object, { functions }: Metered): number[] {
  const { cost_at } = exports as { cost_at: CostAt };
  return functions.map((_, i) => cost_at(FUNCTIONS + i));
}

/** What the meter of an instance says. */
export function readMeter(exports: object, metered: Metered): Counts {
  const { cost_at } = exports as { cost_at: CostAt };
  return {
    instructions: readFunctions(exports, metered).reduce((sum, n) => sum + n, 0),
    accesses: cost_at(ACCESSES),
    bytes_moved: cost_at(BYTES_MOVED),
  };
}
