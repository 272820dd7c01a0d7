/** Booting: memories from the smallest to the largest, and tables that do not fit. */

import { assert, assertEquals } from "@std/assert";
import { Errno } from "../../../assembly/abi/errno.ts";
import { Af, Sock } from "../../../assembly/abi/socket.ts";
import { BootConfig } from "../../../runtime/wasm/layout.gen.ts";
import engine from "../../engine_checked_module.js";

const MIB = 2 ** 20;
/** The largest memory: 2 GiB less a page. */
const LARGEST = 2 ** 31 - 65536;

type Call = Record<string, (...args: number[]) => number>;

/** Boots an instance in a memory of so many bytes; answers its exports and what boot said. */
function boot(bytes: number, config: Partial<Record<keyof typeof BootConfig, number>> = {}) {
  const pages = bytes / 65536;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const call = new WebAssembly.Instance(engine, { env: { memory } }).exports as unknown as Call;
  const view = new DataView(memory.buffer);
  const at = call.scratch();
  call.seed(at);
  view.setUint32(at + BootConfig.memory_bytes, bytes, true);
  for (const [name, value] of Object.entries(config)) {
    view.setUint32(at + BootConfig[name as keyof typeof BootConfig], value, true);
  }
  return { call, view, at, result: call.boot(at) };
}

for (const bytes of [2 * MIB, 3 * MIB, 64 * MIB, LARGEST]) {
  Deno.test(`boot: an engine of ${bytes} bytes has sockets of every kind, and mbufs`, () => {
    const { call, view, at, result } = boot(bytes);
    assert(result > 0, `boot: ${result}`);
    for (const type of [Sock.STREAM, Sock.DGRAM, Sock.RAW]) {
      const so = call.so_create(Af.INET, type, type === Sock.RAW ? 1 : 0);
      assert(so > 0, `so_create: ${so}`);
      assertEquals(call.so_close(so), 0);
    }
    call.pool_stats(at);
    const [smalls, clusters] = [view.getUint32(at + 8, true), view.getUint32(at + 24, true)];
    assert(smalls >= 256 && clusters >= 256, `${smalls} and ${clusters} mbufs`);
    const last = call.probe_mbuf_getcl(1);
    assert(last > 0 && last < bytes);
  });
}

Deno.test("boot: ENOMEM when the memory is too small for anything at all", () => {
  assertEquals(boot(2 * MIB, { sockets: 1, mbufs_cluster: 2048 }).result, -Errno.ENOMEM);
  assertEquals(boot(2 ** 19).result, -Errno.ENOMEM);
});

Deno.test("boot: ENOMEM for each table that does not fit", () => {
  const tables = Object.keys(BootConfig) as (keyof typeof BootConfig)[];
  // the queue to the runtime has a limit of its own
  const others: string[] = ["size", "memory_bytes", "host_queue"];
  for (const table of tables.filter((name) => !others.includes(name))) {
    for (const limit of [60_000, 2 ** 31]) {
      const small = { sockets: 16, tcbs: 16, timewaits: 16, syncache: 16, routes: 16 };
      const { result } = boot(3 * MIB / 2, { ...small, [table]: limit });
      assertEquals(result, -Errno.ENOMEM, `${table}: ${limit}`);
    }
  }
});
