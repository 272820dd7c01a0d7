/**
 * The shape of the built engine: a pure function of its memory. It imports that memory and nothing
 * else, keeps no state outside of it, never grows it, and has no managed runtime.
 */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { HOT } from "../tools/hot.ts";
import { type ModuleShape, readModule } from "./wasm/module.ts";

const MEMORY_GROW = 0x40;
const MANAGED = /^__(new|pin|unpin|collect|renew|visit|retain|release|alloc|free|rtti_base)$/;
const SCALARS = ["i32", "f64"];
/** What loaded protocols are offered: WebAssembly, which can pass 64 bits and read constants. */
const KERNEL = new Set(
  [
    ...Deno.readTextFileSync(new URL("../assembly/kernel/exports.ts", import.meta.url))
      .matchAll(/ as (\w+)/g),
  ].map(([, name]) => name),
);

/** Everything that is wrong with the shape of an engine. */
function faults(bytes: Uint8Array, { imports, exports, functions, globals, opcodes }: ModuleShape) {
  const found: string[] = [];
  const imported = imports.map((i) => `${i.module}.${i.name} ${i.kind} ${i.min}..${i.max}`);
  if (imported.join() !== "env.memory memory 1..65536") found.push(`imports ${imported.join()}`);
  globals.forEach((global, i) => global.mutable && found.push(`global ${i} is mutable`));
  const grows = opcodes.get(MEMORY_GROW) ?? 0;
  if (grows > 0) found.push(`memory.grow occurs ${grows} times`);
  for (const { name, kind, index } of exports) {
    if (MANAGED.test(name)) found.push(`exports ${name} of the managed runtime`);
    if (KERNEL.has(name) && kind !== "memory") continue;
    if (kind === "global" || kind === "memory") found.push(`exports ${kind} ${name}`);
    if (kind !== "function") continue;
    const { params, results } = functions[index];
    const others = [...params, ...results].filter((type) => !SCALARS.includes(type));
    if (others.length > 0) found.push(`${name} takes or returns ${others}`);
    if (results.length > 1) found.push(`${name} has ${results.length} results`);
  }
  const text = new TextDecoder("latin1").decode(bytes);
  const managed = "~lib/rt/";
  for (const encoding of [managed, [...managed].join("\0")]) {
    if (text.includes(encoding)) found.push(`names ${managed}`);
  }
  return found;
}

for (const name of ["engine", "engine_checked"]) {
  Deno.test(`shape: ${name}.wasm is a pure function of its memory`, async () => {
    const path = new URL(`../runtime/wasm/${name}.wasm`, import.meta.url);
    const bytes = await Deno.readFile(path);
    assertEquals(WebAssembly.validate(bytes), true);
    const shape = readModule(bytes);
    assertEquals(faults(bytes, shape), []);
    assertEquals(shape.opcodes.size > 5, true);
  });
}

Deno.test("shape: the release engine has no export for tests", async () => {
  const path = new URL("../runtime/wasm/engine.wasm", import.meta.url);
  const { exports } = readModule(await Deno.readFile(path));
  assertEquals(exports.filter(({ name }) => /^(probe|test)_?/.test(name)), []);
});

Deno.test("shape: the engine is at most 64 KiB when compressed", async () => {
  const bytes = await Deno.readFile(new URL("../runtime/wasm/engine.wasm", import.meta.url));
  const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  const { length } = await new Response(packed).bytes();
  assert(length <= 64 * 1024, `engine.wasm has ${length} bytes with gzip`);
  assert(length > 16 * 1024, "that is not a whole engine");
});

Deno.test("shape: the functions that the optimizer inlines exist", async () => {
  const missing: string[] = [];
  for (const name of HOT) {
    const [, file, call] = /^(.*)\/(\w+)$/.exec(name)!;
    const text = await Deno.readTextFile(new URL(`../${file}.ts`, import.meta.url));
    if (!new RegExp(`^(export )?function ${call}\\b`, "m").test(text)) missing.push(name);
  }
  assertEquals(missing, [], "tools/hot.ts names what is not there");
});

// The checks on small modules, so that each can be seen to fail.

const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const bytesOf = (text: string) => [text.length, ...new TextEncoder().encode(text)];
const section = (id: number, ...body: number[]) => [id, body.length, ...body];
const MEMORY = section(2, 1, ...bytesOf("env"), ...bytesOf("memory"), 2, 1, 1, 0x80, 0x80, 4);

function judge(...sections: number[][]): string {
  const bytes = new Uint8Array([...HEADER, ...sections.flat()]);
  assertEquals(WebAssembly.validate(bytes), true);
  return faults(bytes, readModule(bytes)).join("; ");
}

/** A module with one function `() → i32` of these instructions, exported under this name. */
function withFunction(name: string, code: number[], types = section(1, 1, 0x60, 0, 1, 0x7f)) {
  const exported = section(7, 1, ...bytesOf(name), 0, 0);
  const body = [0, ...code, 0x0b];
  return judge(types, MEMORY, section(3, 1, 0), exported, section(10, 1, body.length, ...body));
}

Deno.test("shape passes: a module that only uses its memory", () => {
  assertEquals(judge(MEMORY), "");
  assertEquals(withFunction("f", [0x41, 0x40]), "");
  // i32.const 64; v128.load; i8x16.extract_lane_u 0x40 bytes as data, not as memory.grow
  assertEquals(withFunction("f", [0x41, 0xc0, 0, 0xfd, 0, 0, 0xc0, 0, 0xfd, 22, 4]), "");
  const bulk = [0x41, 0, 0x41, 0, 0x41, 0x40, 0xfc, 10, 0, 0, 0x41, 0x40];
  assertEquals(withFunction("f", bulk), "");
  const table = [0x02, 0x40, 0x41, 0, 0x0e, 1, 0, 0, 0x0b, 0x44, 0x40, 0x40, 0x40, 0x40];
  assertEquals(withFunction("f", [...table, 0, 0, 0, 0, 0x1a, 0x41, 0]), "");
});

Deno.test("shape fails: other imports", () => {
  assertStringIncludes(judge(), "imports");
  const clock = [...bytesOf("env"), ...bytesOf("now"), 0, 0];
  const types = section(1, 1, 0x60, 0, 1, 0x7c);
  assertStringIncludes(judge(types, section(2, 1, ...clock)), "env.now function");
  const small = section(2, 1, ...bytesOf("env"), ...bytesOf("memory"), 2, 1, 1, 2);
  assertStringIncludes(judge(small), "1..2");
});

Deno.test("shape fails: mutable globals", () => {
  assertStringIncludes(judge(MEMORY, section(6, 1, 0x7f, 1, 0x41, 0, 0x0b)), "global 0 is mutable");
  assertEquals(judge(MEMORY, section(6, 1, 0x7f, 0, 0x41, 0, 0x0b)), "");
});

Deno.test("shape fails: memory.grow", () => {
  assertStringIncludes(withFunction("f", [0x41, 0, 0x40, 0]), "memory.grow occurs 1 times");
});

Deno.test("shape fails: exports of the managed runtime, of globals, of 64-bit integers", () => {
  assertStringIncludes(withFunction("__new", [0x41, 0]), "__new");
  const global = section(6, 1, 0x7f, 0, 0x41, 0, 0x0b);
  assertStringIncludes(judge(MEMORY, global, section(7, 1, ...bytesOf("g"), 3, 0)), "global g");
  const wide = section(1, 1, 0x60, 0, 1, 0x7e);
  assertStringIncludes(withFunction("f", [0x42, 0], wide), "f takes or returns i64");
});

Deno.test("shape fails: names of the managed runtime", () => {
  const custom = (text: string) => section(0, ...bytesOf("x"), ...new TextEncoder().encode(text));
  assertStringIncludes(judge(MEMORY, custom("~lib/rt/tlsf")), "~lib/rt/");
  assertStringIncludes(judge(MEMORY, custom([..."~lib/rt/stub"].join("\0"))), "~lib/rt/");
});

Deno.test("shape fails: an instruction that it does not know", () => {
  const bytes = new Uint8Array([...HEADER, ...section(10, 1, 3, 0, 0x27, 0x0b)]);
  assertThrows(() => readModule(bytes), Error, "unknown instruction 0x27");
});
