/** A stack whose packet buffers lie beyond 2 GiB, where addresses have the sign bit set. */

import { assert, assertEquals } from "@std/assert";
import { pipe, PipeEnd } from "../../../drivers/pipe.ts";
import { createStack, type FrameBatch } from "../../../mod.ts";
import checkedEngine from "../../engine_checked_module.js";

const LENGTH = 300_000;
/** So many control blocks take more than 2 GiB of the room, and hardly any memory. */
const MEMORY = { bytes: 2 ** 32 - 65536, sockets: 64, tcbs: 1_900_000, mbufs_cluster: 4096 };

Deno.test("addresses beyond 2 GiB: a transfer both ways, and counters", async () => {
  const [left, right] = pipe();
  let lowest = Infinity;
  const rx = left.rx;
  left.rx = function (this: PipeEnd, free: FrameBatch): number {
    for (let i = 0; i < free.count; i++) lowest = Math.min(lowest, free.address(i));
    return rx.call(this, free);
  };
  await using large = await createStack({
    engine: checkedEngine,
    memory: MEMORY,
    interfaces: [{ driver: left, name: "eth0", addresses: ["10.0.0.1/24"] }],
  });
  await using small = await createStack({
    engine: checkedEngine,
    interfaces: [{ driver: right, name: "eth0", addresses: ["10.0.0.2/24"] }],
  });
  const listener = large.listen({ port: 80 });
  const [client, server] = await Promise.all([
    small.connect({ hostname: "10.0.0.1", port: 80 }),
    listener.accept(),
  ]);
  const data = Uint8Array.from({ length: LENGTH }, (_, i) => i * 7 + (i >> 8));
  const back = (async () => {
    const buffer = new Uint8Array(50_000);
    for (let total = 0; total < LENGTH;) {
      const count = await server.read(buffer);
      assert(count !== null);
      await server.write(buffer.subarray(0, count));
      total += count;
    }
  })();
  client.write(data);
  const echoed = new Uint8Array(LENGTH);
  for (let at = 0; at < LENGTH;) at += await client.read(echoed.subarray(at)) ?? LENGTH;
  await back;
  assertEquals(echoed, data);
  assert(lowest > 2 ** 31, `frames at ${lowest}`);
  assertEquals(large.netstat().sockets.length, 2);
});
