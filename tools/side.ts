/**
 * Compiles a protocol written in AssemblyScript into a module that shares the engine's memory and
 * function table: a side module. Its sources import the files of assembly/ as the engine's own do.
 * Of these, what has no state is compiled in; the functions and structs that
 * assembly/kernel/exports.ts names become imports from `godwit`; the rest of a file with state is
 * left out, so whoever uses it is told by the compiler that it is not there.
 *
 * The compiler puts variables and functions at fixed places. The result must go wherever there is
 * room, so it is compiled at two places that no other number of the code would name, and each
 * number in that range is written as a sum with `__memory_base` or `__table_base`, as linkers of
 * other languages do (the WebAssembly tool conventions on dynamic linking). Both must then agree.
 *
 * @module
 */

// @ts-types="../types/asc.d.ts"
import type { Program } from "assemblyscript/asc";
import { type Layout, readLayout } from "./layout.ts";
import { linkedText, readKernel, withoutMissing } from "./side_link.ts";

/** Paths and texts. */
export type SideSources = ReadonlyMap<string, string>;

/** What a side module says of itself, as JSON in its custom section `godwit.side`. */
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

/** A compiled side module. */
export interface Side {
  /** The module, without custom sections. */
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** Bytes of its variables. */
  readonly memory_bytes: number;
  /** Places that it fills in the function table. */
  readonly table_entries: number;
  /** Its own structs and those of the engine that it uses. */
  readonly layout: Layout;
}

/** The sources do not make a side module; the message is for a person. */
export class SideError extends Error {
  /** The kind of error. */
  override name = "SideError";
}

const EXPORTS = "assembly/kernel/exports.ts";
const PANIC = "assembly/sys/panic.ts";
/** Where the module is compiled to: bases of its memory and of its table. */
const PLACES = [[0x2b6d0000, 0x153a0000], [0x347e0000, 0x1c970000]];
/** Most bytes of variables. */
const MEMORY_MAX = 0x10000 * 64;
/** Most places in the function table. */
const TABLE_MAX = 1024;
/** Called once after the module is put in place, as the conventions say. */
const RELOCATE = "__wasm_apply_data_relocs";
const BASE_IMPORTS = ["$__memory_base", "$__table_base"]
  .map((name) => `(import "env" "${name.slice(1)}" (global ${name} i32))`).join("\n ");
const ASC_FLAGS = [
  ..."--runtime stub --importMemory --noExportMemory --zeroFilledMemory --importTable".split(" "),
  ..."--enable simd --use abort=assembly/sys/panic/panic -O3s --outFile out.wasm".split(" "),
];

/** Compiles the side module whose first file is `entry`; throws {@link SideError}. */
export async function compileSide(sources: SideSources, entry: string): Promise<Side> {
  const kernel = readKernel(sources.get(EXPORTS) ?? "");
  const texts = new Map<string, string>();
  for (const [path, text] of sources) {
    const isEngine = path.startsWith("assembly/");
    texts.set(path, isEngine ? linkedText(text, kernel.get(path) ?? new Map()) : text);
  }
  for (const path of texts.keys()) {
    if (path.startsWith("assembly/")) texts.set(path, withoutMissing(path, texts));
  }
  const [first, second] = [
    await compileAt(texts, entry, PLACES[0][0], PLACES[0][1]),
    await compileAt(texts, entry, PLACES[1][0], PLACES[1][1]),
  ];
  if (first.text !== second.text) {
    throw new SideError(`${entry}: a number of its code cannot be told from an address`);
  }
  const { default: binaryen } = await import("binaryen");
  const module = binaryen.parseText(first.text);
  const { Features } = binaryen;
  module.setFeatures(
    Features.BulkMemory | Features.BulkMemoryOpt | Features.ExtendedConst |
      Features.MutableGlobals |
      Features.NontrappingFPToInt | Features.SIMD128 | Features.SignExt,
  );
  if (!module.validate()) throw new SideError(`${entry}: the moved module is not valid`);
  const wasm = new Uint8Array(module.emitBinary());
  module.dispose();
  const { memory_bytes, table_entries, layout } = first;
  return { wasm, memory_bytes, table_entries, layout };
}

interface Placed {
  readonly text: string;
  readonly memory_bytes: number;
  readonly table_entries: number;
  readonly layout: Layout;
}

/** Compiles at a place and takes the place out of the text again. */
async function compileAt(
  texts: SideSources,
  entry: string,
  memory: number,
  table: number,
): Promise<Placed> {
  const { wasm, layout } = await runCompiler(texts, entry, [
    "--memoryBase",
    `${memory}`,
    "--tableBase",
    `${table}`,
  ]);
  const { default: binaryen } = await import("binaryen");
  const module = binaryen.readBinary(wasm);
  module.setFeatures(binaryen.Features.All);
  const text = module.emitText();
  module.dispose();
  return { ...relocate(text, entry, memory, table), layout };
}

async function runCompiler(texts: SideSources, entry: string, flags: readonly string[]) {
  let diagnostics = "";
  let wasm = new Uint8Array(0);
  let layout: Layout = {};
  class LayoutTransform {
    // Set on the prototype by the compiler: a field here would hide it.
    declare program: Program;
    afterCompile() {
      layout = readLayout(this.program);
    }
  }
  // @ts-types="../types/asc.d.ts"
  const { main: asc } = await import("assemblyscript/asc");
  const { error } = await asc([entry, PANIC, END, ...ASC_FLAGS, ...flags], {
    stdout: { write: () => {} },
    stderr: { write: (text) => void (diagnostics += text) },
    readFile: (name) => {
      // sources outside of the engine's name its files `godwit/...`
      const path = name.replaceAll("\\", "/").replace(/^\.\//, "")
        .replace(/^node_modules\/godwit\//, "assembly/");
      return path === END ? END_TEXT : texts.get(path) ?? null;
    },
    writeFile: (_name, contents) => void (wasm = new Uint8Array(contents as Uint8Array)),
    listFiles: () => [],
    transforms: [LayoutTransform],
  });
  if (error) throw new SideError(`${entry}: ${error.message}\n${diagnostics}`.trimEnd());
  return { wasm, layout };
}

/** Tells where the variables end. */
const END = "side_end.ts";
const END_TEXT = "export function __side_end(): usize {\n  return __heap_base;\n}\n";

/** Writes the numbers that are addresses or places in the table as sums with the bases. */
function relocate(
  text: string,
  entry: string,
  memory: number,
  table: number,
): Omit<Placed, "layout"> {
  const memory_bytes = endOf(text) - memory;
  if (memory_bytes > MEMORY_MAX) {
    throw new SideError(
      `${entry}: its variables take ${memory_bytes} bytes, at most ${MEMORY_MAX}`,
    );
  }
  for (const [, offset] of text.matchAll(/\boffset=(\d+)/g)) {
    if (Number(offset) > MEMORY_MAX) throw new SideError(`${entry}: an address hides in an offset`);
  }
  const bases: Base[] = [
    { name: "$__memory_base", from: memory, to: memory + memory_bytes },
    { name: "$__table_base", from: table, to: table + TABLE_MAX },
  ];
  const stores: string[] = [];
  const moved = text
    .replaceAll(/^ \(data \$\S+ \(i32\.const (\d+)\) "(.*)"\)$/gm, (_line, at, string) => {
      const bytes = unescape(string);
      stores.push(...moveWords(bytes, Number(at) - memory, bases));
      return ` (data (offset ${sumText(bases[0], Number(at) - memory)}) "${escape(bytes)}")`;
    })
    .replaceAll(/\(i32\.const (\d+)\)/g, (whole, digits) => {
      const n = Number(digits);
      const base = bases.find(({ from, to }) => n >= from && n <= to);
      return base === undefined ? whole : sumText(base, n - base.from);
    })
    .replace(/(\(import "env" "memory" \(memory \$\S+) [^)]*\)/, "$1 1)")
    .replace(/(\(import "env" "table" \(table \$\S+) [^)]*\)/, "$1 1 funcref)")
    .replace(/^ \(export "(__side_end|panic)".*\n/gm, "")
    .replace(/^ \(import /m, ` ${BASE_IMPORTS}\n (import `)
    .replace(/\)\s*$/, ` (func (export "${RELOCATE}") ${stores.join(" ")})\n)\n`);
  return { text: moved, memory_bytes, table_entries: elementsOf(text) };
}

/** A place that numbers are counted from. */
interface Base {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

function sumText({ name }: Base, offset: number): string {
  if (offset === 0) return `(global.get ${name})`;
  return `(i32.add (global.get ${name}) (i32.const ${offset}))`;
}

/** Clears words of data that are addresses, and answers the instructions that write them. */
function moveWords(bytes: Uint8Array, offset: number, bases: readonly Base[]): string[] {
  const stores: string[] = [];
  const view = new DataView(bytes.buffer);
  for (let i = (4 - offset % 4) % 4; i + 4 <= bytes.length; i += 4) {
    const n = view.getUint32(i, true);
    const base = bases.find(({ from, to }) => n >= from && n <= to);
    if (base === undefined) continue;
    view.setUint32(i, 0, true);
    stores.push(`(i32.store ${sumText(bases[0], offset + i)} ${sumText(base, n - base.from)})`);
  }
  return stores;
}

/** The bytes of a string of the text format. */
function unescape(string: string): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  for (const [whole, hex] of string.matchAll(/\\([0-9a-f]{2})|\\?[^]/g)) {
    if (hex !== undefined) bytes.push(parseInt(hex, 16));
    else {bytes.push(
        ({ "\\t": 9, "\\n": 10, "\\r": 13 }[whole]) ?? whole.charCodeAt(whole.length - 1),
      );}
  }
  return new Uint8Array(bytes);
}

function escape(bytes: Uint8Array): string {
  return [...bytes].map((byte) => "\\" + byte.toString(16).padStart(2, "0")).join("");
}

/** The constant that `__side_end` answers. */
function endOf(text: string): number {
  const name = text.match(/\(export "__side_end" \(func \$(\S+?)\)\)/)?.[1];
  const body = text.slice(text.indexOf(`(func $${name} `));
  return Number(body.match(/\(i32\.const (\d+)\)/)?.[1]);
}

/** How many places of the function table the module fills. */
function elementsOf(text: string): number {
  const lists = [...text.matchAll(/^ \(elem \$\S+ \(i32\.const \d+\)(.*)\)$/gm)];
  return lists.reduce((sum, [, names]) => sum + names.trim().split(" ").length, 0);
}
