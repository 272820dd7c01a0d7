/**
 * The cost of fixed work: the meter counts right, the same each time, and nothing has become worse
 * than what is written down in bench/cost/expected.json.
 */

import { assert, assertEquals } from "@std/assert";
import binaryen from "binaryen";
import { readExpected, worse } from "../../../bench/cost/compare.ts";
import { type Cost, countWork } from "../../../bench/cost/count.ts";
import { meter, type Metered, readFunctions, readMeter } from "../../../bench/cost/meter.ts";
import { WORKS } from "../../../bench/cost/work.ts";

const ENGINE = new URL("../../../runtime/wasm/engine.wasm", import.meta.url);
const HINT = "more than was written down; if that is wanted: deno task bench:cost --write";

const metered = meter(await Deno.readFile(ENGINE));

async function meterText(
  text: string,
): Promise<[exports: Record<string, CallableFunction>, Metered]> {
  const module = binaryen.parseText(text);
  const metered = await meter(module.emitBinary() as Uint8Array<ArrayBuffer>);
  const { exports } = new WebAssembly.Instance(metered.module);
  return [exports as Record<string, CallableFunction>, metered];
}

Deno.test("meter: instructions, those that touch memory, and bytes are counted", async () => {
  const [exports, metered] = await meterText(`(module
    (memory 1)
    (func $sum (export "sum") (param i32) (result i32) (local i32)
      (loop $next
        (local.set 1 (i32.add (local.get 1) (i32.load (local.get 0))))
        (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
      (local.get 1))
    (func $fill (export "fill") (param i32)
      (if (local.get 0)
        (then (memory.fill (i32.const 0) (i32.const 7) (local.get 0)))
        (else (memory.copy (i32.const 0) (i32.const 8) (i32.const 4))))))`);
  exports.sum(10);
  // Each round: two gets, load, add, set; get, const, sub, tee, br_if. One get at the end.
  assertEquals(readMeter(exports, metered), { instructions: 101, accesses: 10, bytes_moved: 0 });
  exports.fill(100);
  exports.fill(0);
  // Get and if, and three constants or so and the move, twice.
  assertEquals(readMeter(exports, metered), {
    instructions: 113,
    accesses: 12,
    bytes_moved: 104,
  });
  assertEquals(readFunctions(exports, metered), [101, 12]);
  assertEquals(exports.sum(2), 0x07070707 + 0x07070707);
});

Deno.test("meter: what a branch leaves out is not counted", async () => {
  const [exports, metered] = await meterText(`(module
    (func (export "early") (param i32) (result i32)
      (block $out
        (br_if $out (local.get 0))
        (return (i32.const 5)))
      (i32.const 6)))`);
  assertEquals([exports.early(0), readMeter(exports, metered).instructions], [5, 4]);
  assertEquals([exports.early(1), readMeter(exports, metered).instructions], [6, 4 + 3]);
});

Deno.test("cost: the same each time, to the unit", async () => {
  const work = WORKS.find(({ name }) => name === "round-trip")!;
  const once = await countWork(work, await metered);
  assertEquals(await countWork(work, await metered), once);
  assert(once.cost.instructions > 1000 && once.cost.packets >= 2);
});

Deno.test("cost: nothing is worse than what is written down", async () => {
  const found: Record<string, Cost> = {};
  for (const work of WORKS) found[work.name] = (await countWork(work, await metered)).cost;
  assertEquals(worse(await readExpected(), found), [], HINT);
});

Deno.test("cost: what is worse is told, and what is better or nearly the same is not", () => {
  const cost = {
    instructions: 1000,
    accesses: 100,
    bytes_moved: 0,
    calls: 10,
    mbufs: 1,
    packets: 1,
  };
  const against = (change: Partial<Cost>) => worse({ w: cost }, { w: { ...cost, ...change } });
  assertEquals(against({}), []);
  assertEquals(against({ instructions: 1049, accesses: 20, bytes_moved: 0.009 }), []);
  assertEquals(against({ instructions: 1051 }), [
    "w: instructions 1051.00, where 1000 is written down",
  ]);
  assertEquals(against({ bytes_moved: 0.02, mbufs: 2 }).length, 2);
  assertEquals(worse({ w: cost }, {}), ["w: is written down, and counted no more"]);
  assertEquals(worse({}, { w: cost }), ["w: is not written down"]);
});
