/** Frames that are larger than an mbuf: what they carry arrives, and nothing is left over. */

import { assertEquals } from "@std/assert";
import { Fate } from "../../../assembly/abi/fate.ts";
import type { Medium } from "../../../runtime/device/driver.ts";
import { pipe, type PipeEnd } from "../../../drivers/pipe.ts";
import { createStack, type MemoryOptions, type Stack } from "../../../mod.ts";

const PORT = 7000;

/** Two stacks on a cable. */
async function twoStacks(
  options: { mtu: number; medium?: Medium; queue?: number },
  memory?: MemoryOptions,
): Promise<{ left: Stack; right: Stack; cable: [PipeEnd, PipeEnd] }> {
  const cable = pipe(options);
  const [left, right] = await Promise.all(cable.map((driver, i) =>
    createStack({
      memory,
      interfaces: [{ driver, name: "big0", addresses: [`10.9.0.${1 + i}/24`] }],
    })
  ));
  return { left, right, cable };
}

function pattern(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => i * 31 + (i >> 8));
}

/** Sends all of it from the left to the right. */
async function transfer(left: Stack, right: Stack, data: Uint8Array): Promise<Uint8Array> {
  using listener = right.listen({ port: PORT });
  const [from, to] = await Promise.all([
    left.connect({ hostname: "10.9.0.2", port: PORT }),
    listener.accept(),
  ]);
  const send = async () => {
    for (let done = 0; done < data.length;) done += await from.write(data.subarray(done));
    from.close();
  };
  const got = new Uint8Array(data.length + 1);
  const receive = async () => {
    let at = 0;
    for (;;) {
      const n = await to.read(got.subarray(at));
      if (n === null) return got.subarray(0, at);
      at += n;
    }
  };
  const [bytes] = await Promise.all([receive(), send()]);
  to.close();
  return bytes;
}

/** Frames that a stack dropped for want of mbufs. */
function unbuffered({ engine }: Stack): number {
  return Number(engine.view.getBigUint64(engine.calls.fates() + 8 * Fate.NO_BUFFERS, true));
}

for (const medium of ["ethernet", "ip"] as const) {
  for (const mtu of [2033, 9000, 65535]) {
    Deno.test(`large frames: 2 MB over ${medium} of MTU ${mtu}`, async () => {
      const { left, right } = await twoStacks({ mtu, medium });
      const data = pattern(2_000_000);
      assertEquals(await transfer(left, right, data), data);
      for (const stack of [left, right]) {
        assertEquals(stack.netstat().interfaces[1].ierrors, 0);
        assertEquals(unbuffered(stack), 0);
      }
      await left.close();
      await right.close();
    });
  }
}

Deno.test("large frames: with few mbufs frames wait in the driver, and none is lost", async () => {
  const memory = { bytes: 64 << 20, mbufs_cluster: 150, mbufs_small: 200 };
  const { left, right, cable } = await twoStacks({ mtu: 65535, queue: 8 }, memory);
  const data = pattern(1_000_000);
  assertEquals(await transfer(left, right, data), data);
  assertEquals(unbuffered(right), 0);
  assertEquals(cable[1].stats.rxDropped, 0);
  await left.close();
  await right.close();
});

Deno.test("large frames: interfaces that come and go leave nothing behind", async () => {
  await using stack = await createStack({ memory: { bytes: 64 << 20 } });
  const before = stack.netstat().mbufs;
  for (let i = 0; i < 100; i++) {
    const [driver] = pipe({ mtu: i % 2 ? 9000 : 65535, queue: 1 });
    await stack.attach(driver, { name: "big0", addresses: ["10.9.0.1/24"] });
    await stack.detach("big0");
  }
  const after = stack.netstat().mbufs;
  assertEquals([after.small.used, after.cluster.used], [before.small.used, before.cluster.used]);
});
