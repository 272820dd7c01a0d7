/** The driver loader beside the rest of the stack: protocols, snapshots, signals. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { NullDriver } from "../../../drivers/null.ts";
import { pipe } from "../../../drivers/pipe.ts";
import type { Kernel } from "../../../runtime/protocol/kernel.ts";
import { SocketError } from "../../../runtime/errors.ts";
import { createStack } from "../../../runtime/stack.ts";
import engine from "../../engine_checked_module.js";
import { cable, hosts, transfer } from "./drivers_swap_kit.ts";
import { manual } from "./manual_stack.ts";

Deno.test("drivers: the interface of a loaded protocol is the protocol's", async () => {
  await using stack = await manual();
  const load = async (kernel: Kernel) => {
    await kernel.attach(new NullDriver(), { name: "tun0" });
  };
  await stack.protocols.load({ name: "tunnel", load });
  assertEquals(stack.drivers.list().map((row) => row.interface), ["tun0"]);
  for (
    const call of [
      () => stack.drivers.unload("tun0"),
      () => stack.drivers.swap("tun0", new NullDriver()),
    ]
  ) {
    const error = await assertRejects(call, SocketError);
    assertEquals([error.code, error.message.includes("a loaded protocol")], ["EBUSY", true]);
  }
  await stack.protocols.unload("tunnel");
  assertEquals(stack.drivers.list(), []);
});

Deno.test("drivers: a snapshot has the interface as its last driver made it", async () => {
  const world = await hosts();
  const [near, far] = cable({ mtu: 9000 });
  await transfer(world, 500_000, [async () => {
    await world.left.drivers.swap("eth0", near);
    await world.right.drivers.swap("eth0", far);
  }]);
  const snapshot = world.left.snapshot();
  await world.left.close();
  const restored = (driver: NullDriver) =>
    createStack({
      clock: world.sim.clock,
      engine,
      snapshot,
      interfaces: [{ driver, name: "eth0" }],
    });
  await assertRejects(() => restored(new NullDriver()), SocketError, "a smaller MTU");
  const stack = await restored(new NullDriver({ mtu: 9000 }));
  const [row] = stack.drivers.list();
  assertEquals([row.interface, row.state, row.statistics!.mtu], ["eth0", "up", 9000]);
  const swapped = await stack.drivers.swap("eth0", pipe()[0]);
  assertEquals([swapped.state, swapped.statistics!.mtu], ["up", 1500]);
  await stack.close();
  await world.right.close();
});

Deno.test("swap: a wait for the new driver can be ended; the old one stays", async () => {
  await using stack = await manual();
  await stack.drivers.load(new NullDriver(), { name: "eth0" });
  const { promise, resolve } = Promise.withResolvers<void>();
  let detached = 0;
  const slow = Object.assign(new NullDriver({ mtu: 900 }), {
    attach: () => promise,
    detach: () => void detached++,
  });
  const control = new AbortController();
  const { signal } = control;
  const swapping = assertRejects(() => stack.drivers.swap("eth0", slow, { signal }), Error, "late");
  await new Promise((done) => setTimeout(done));
  control.abort(new Error("too late"));
  await swapping;
  resolve();
  await new Promise((done) => setTimeout(done));
  const [row] = stack.drivers.list();
  assertEquals([row.state, row.statistics!.mtu, detached], ["up", 1500, 1]);
  await stack.drivers.swap("eth0", new NullDriver({ mtu: 1000 }));
});

Deno.test("drivers: a stack whose engine has stopped refuses, and closes its devices", async () => {
  const stack = await manual();
  let detached = 0;
  const driver = Object.assign(new NullDriver(), { detach: () => void detached++ });
  await stack.drivers.load(driver, { name: "eth0" });
  // An address far outside the memory: only a bug could bring it there.
  assertThrows(() => stack.engine.calls.so_bind(0xfffffff0, 0xfffffff0));
  const panic = stack.engine.panic;
  assert(panic !== undefined);
  const refused = [
    () => stack.drivers.load(new NullDriver()),
    () => stack.drivers.swap("eth0", new NullDriver()),
  ];
  for (const call of refused) assertEquals(await assertRejects(call), panic);
  await stack.drivers.unload("eth0");
  assertEquals(detached, 1);
  await stack.close().catch(() => {});
});
