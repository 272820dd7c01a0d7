/** The engine as the runtime holds it: sizes, modules, and what is left after a trap. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { guardCalls } from "../../../runtime/engine_calls.ts";
import type { EngineCalls } from "../../../runtime/engine_calls.ts";
import { Engine } from "../../../runtime/engine.ts";
import { SeededEntropy } from "../../../runtime/entropy.ts";
import { EnginePanic, SocketError } from "../../../runtime/errors.ts";
import * as field from "../../../runtime/layout.ts";
import { createStack } from "../../../runtime/stack.ts";
import checkedEngine from "../../engine_checked_module.js";
import { manual, memory } from "./manual_stack.ts";

const entropy = () => new SeededEntropy(1);

Deno.test("the memory has the size asked for, and never moves", async () => {
  const engine = await Engine.create({ entropy: entropy(), memory: { bytes: 3 * 2 ** 20 + 1 } });
  assertEquals(engine.memory.length, 49 * 65536);
  assert(engine.memory.buffer === engine.u32.buffer && !engine.memory.buffer.detached);
  assert(engine.stagingView(100) === engine.stagingView(100));
  assertEquals([engine.stagingView(164).length, engine.stagingView(100).length], [164, 100]);
});

Deno.test("sizes that cannot be are refused before anything is made", async () => {
  for (const bytes of [0, 1000, 2 ** 32, NaN, -1]) {
    await assertRejects(() => createStack({ memory: { bytes } }), RangeError, "memory.bytes");
  }
  for (const sockets of [0, -1, 1.5, 2 ** 30]) {
    await assertRejects(() => createStack({ memory: { ...memory, sockets } }), RangeError);
  }
});

Deno.test("tables that do not fit into the memory are ENOMEM", async () => {
  const mbufs_cluster = 100_000;
  const error = await assertRejects(
    () => createStack({ memory: { ...memory, mbufs_cluster } }),
    SocketError,
  );
  assertEquals([error.code, error.syscall], ["ENOMEM", "boot"]);
});

Deno.test("the sizes of tables are what the engine keeps to", async () => {
  const sizes = { bytes: 16 * 2 ** 20, sockets: 5, mbufs_small: 100, mbufs_cluster: 200 };
  await using stack = await createStack({ memory: sizes });
  const { small, cluster } = stack.netstat().mbufs;
  assertEquals([small.limit, cluster.limit], [100, 200]);
  const open = () => stack.sys.socket(2, 2);
  for (let i = 0; i < 5; i++) open();
  assertEquals(assertThrows(open, SocketError).code, "ENOBUFS");
});

Deno.test("the engine comes as a module, as bytes, or with the package", async () => {
  const url = new URL("../../../runtime/wasm/engine.wasm", import.meta.url);
  const bytes = await Deno.readFile(url);
  for (const engine of [checkedEngine, bytes, bytes.buffer, undefined]) {
    await using stack = await createStack({ engine, memory });
    assertEquals(stack.netstat().interfaces[0].name, "lo0");
  }
  await assertRejects(
    () => createStack({ engine: Uint8Array.of(1, 2, 3) }),
    WebAssembly.CompileError,
  );
});

Deno.test("one seed, one run: two engines do the same, another seed does not", async () => {
  const ports = async (seed: number) => {
    await using stack = await createStack({ seed, memory });
    return Array.from({ length: 8 }, () => stack.listenDatagram({ port: 0 }).addr.port);
  };
  assertEquals(await ports(1), await ports(1));
  assert(String(await ports(1)) !== String(await ports(2)));
});

Deno.test("a trap becomes a panic that is thrown again by every later call", async () => {
  const stack = await manual();
  const waiting = stack.sys.accept(listening());
  const reading = stack.sys.poll([]);
  function listening(): number {
    const fd = stack.sys.socket(2, 1);
    stack.sys.listen(fd);
    return fd;
  }
  const { engine } = stack;
  // An address far outside the memory: only a bug could bring it there.
  const panic = assertThrows(() => engine.calls.so_bind(0xfffffff0, 0xfffffff0), EnginePanic);
  assert(panic.cause instanceof WebAssembly.RuntimeError);
  assertEquals(panic.name, "EnginePanic");
  assert(engine.panic === panic);
  const again: (() => unknown)[] = [
    () => engine.calls.poll(0),
    () => engine.calls.so_create(2, 1, 0),
    () => stack.turn(),
    () => stack.listen({ port: 1 }),
    () => stack.netstat(),
  ];
  for (const call of again) assert(assertThrows(call, EnginePanic) === panic);
  assert(await assertRejects(() => waiting, EnginePanic) === panic);
  assert(await assertRejects(() => reading, EnginePanic) === panic);
  await stack.close();
});

Deno.test("a failed assertion of the engine is told with its place", async () => {
  const { exports } = new WebAssembly.Instance(checkedEngine, {
    env: { memory: new WebAssembly.Memory({ initial: 64, maximum: 64 }) },
  });
  assertEquals(typeof exports.panic_info, "function");
  const engine = await Engine.create({ entropy: entropy(), memory, engine: checkedEngine });
  const { PanicState } = await import("../../../runtime/wasm/layout.gen.ts");
  const info = engine.calls.panic_info();
  field.setU32(engine, info, PanicState.line, 12);
  field.setU32(engine, info, PanicState.column, 34);
  const panic = assertThrows(() => engine.calls.so_bind(0xfffffff0, 0), EnginePanic);
  assertEquals([panic.line, panic.column], [12, 34]);
  assert(/assertion failed at .*:12:34$/.test(panic.message), panic.message);
});

Deno.test("each call is guarded, the hot ones like the others", () => {
  const names = [
    ..."poll nextDeadline so_send so_recv so_want ev_drain if_rx_prepare if_input".split(" "),
    ..."if_tx_prepare if_txdone so_create netstat_of_the_future".split(" "),
  ];
  const live: Record<string, (...args: number[]) => number> = {};
  for (const name of names) live[name] = (...args) => args.reduce((a, b) => a + b, 1);
  const fault = new EnginePanic("stopped");
  const calls = guardCalls(live as unknown as EngineCalls, () => fault);
  const table = calls as unknown as typeof live;
  assertEquals(calls.so_send(1, 2, 3, 4, 5), 16);
  assertEquals(calls.so_create(1, 2, 3), 7);
  for (const name of names) live[name] = () => invalid();
  for (const name of names) assert(assertThrows(() => table[name](1)) === fault, name);
});

function invalid(): never {
  throw new WebAssembly.RuntimeError("unreachable");
}
