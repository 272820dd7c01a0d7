/** Things that end or begin while others do: attaching, detaching, closing. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Af, Sock } from "../../../assembly/abi/socket.ts";
import { NullDriver } from "../../../drivers/null.ts";
import type { DriverCaps, FrameBatch, NetDriver } from "../../../runtime/device/driver.ts";
import { EnginePanic, SocketError } from "../../../runtime/errors.ts";
import { createStack, type Stack } from "../../../runtime/stack.ts";
import { code, manual, memory, settle } from "./manual_stack.ts";

/** A driver that takes a round of the event loop to open its device. */
class Slow implements NetDriver {
  readonly name = "slow";
  caps: DriverCaps = { mtu: 1500, medium: "ethernet" };
  detached = 0;
  onDetach: () => void = () => {};
  async attach(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }
  start(tx: FrameBatch): number {
    return tx.count;
  }
  rx(_free: FrameBatch): number {
    return 0;
  }
  detach(): void {
    this.detached++;
    this.onDetach();
  }
}

function stuck(): never {
  throw new Error("the device is stuck");
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => promise, SocketError)).code;
}

Deno.test("interfaces that are attached at the same time get different names", async () => {
  await using stack = await manual();
  const attached = await Promise.all([stack.attach(new Slow()), stack.attach(new Slow())]);
  assertEquals(attached.map(({ name }) => name), ["slow0", "slow1"]);
});

Deno.test("a driver that opens its device while the stack closes is detached", async () => {
  const stack = await manual();
  const driver = new Slow();
  const attaching = codeOf(stack.attach(driver));
  await stack.close();
  assertEquals(await attaching, "ENETDOWN");
  assertEquals([driver.detached, stack.interfaces.length], [1, 0]);
});

Deno.test("a driver that fails to detach does not hide why it could not be attached", async () => {
  const driver = new Slow();
  driver.onDetach = stuck;
  await using stack = await manual();
  assertEquals(await codeOf(stack.attach(driver, { addresses: ["none"] })), "EINVAL");
  const interfaces = [{ driver, addresses: ["none"] }];
  assertEquals(await codeOf(createStack({ memory, interfaces })), "EINVAL");
  driver.caps = { mtu: 1, medium: "ip" };
  await assertRejects(() => stack.attach(driver), RangeError);
  assertEquals([driver.detached, stack.interfaces.length], [3, 0]);
});

Deno.test("closing detaches every driver, and then tells which one failed", async () => {
  const stack = await manual();
  const [bad, good] = [new Slow(), new Slow()];
  bad.onDetach = stuck;
  await stack.attach(bad);
  await stack.attach(good);
  await assertRejects(() => stack.close(), Error, "the device is stuck");
  assertEquals([bad.detached, good.detached], [1, 1]);
});

Deno.test("drivers are detached also if the engine stops while a stack closes", async () => {
  const stack = await manual();
  const driver = new Slow();
  await stack.attach(driver);
  stack.listen({ port: 80 });
  const { calls } = stack.engine;
  // An address far outside the memory: only a bug could bring it there.
  stack.engine.calls.so_close = () => calls.so_bind(0xfffffff0, 0xfffffff0);
  await assertRejects(() => stack.close(), EnginePanic);
  assertEquals(driver.detached, 1);
});

for (const call of ["rx", "start"] as const) {
  for (const turns of [0, 1]) {
    Deno.test(`an interface goes away from inside ${call}, after ${turns} turns`, async () => {
      await using stack = await manual();
      const driver = new Slow();
      await stack.attach(driver, { name: "eth0", addresses: ["10.0.0.1/24"] });
      await stack.attach(new NullDriver(), { addresses: ["10.1.0.1/24"] });
      settle(stack);
      // Each turn begins with another interface.
      for (let i = 0; i < turns; i++) stack.turn();
      const fd = stack.sys.socket(Af.INET, Sock.DGRAM);
      const send = (address: string) =>
        stack.sys.nb.sendto(fd, new Uint8Array(1), 0, { address, port: 9 });
      let going: Promise<void> | undefined;
      driver[call] = (batch: FrameBatch) => {
        going ??= stack.detach("eth0");
        return call === "rx" ? 0 : batch.count;
      };
      send("10.0.0.9");
      settle(stack);
      assert(going !== undefined);
      await going;
      assertEquals([driver.detached, stack.interfaces.length], [1, 1]);
      assertEquals(send("10.1.0.9"), 1, "the stack lives on");
      assertEquals(code(() => send("10.0.0.9")), "ENETUNREACH");
    });
  }

  Deno.test(`the stack is closed from inside ${call}`, async () => {
    const stack = await manual();
    const driver = new Slow();
    await stack.attach(driver, { name: "eth0", addresses: ["10.0.0.1/24"] });
    await stack.attach(new NullDriver());
    settle(stack);
    const conn = stack.listenDatagram({ port: 9 });
    const waiting = codeOf(conn.receive());
    driver[call] = (batch: FrameBatch) => {
      stack.close();
      return call === "rx" ? 0 : batch.count;
    };
    await conn.send(new Uint8Array(1), { hostname: "10.0.0.9", port: 9 });
    settle(stack);
    assertEquals(await waiting, "EBADF");
    await stack.close();
    assertEquals(driver.detached, 1);
    assertEquals(await codeOf(stack.connect({ port: 1 })), "ENETDOWN");
  });
}

Deno.test("nobody waits on a closed stack", async () => {
  const stack = await createStack({ memory });
  const { sys } = stack;
  await stack.close();
  assertEquals(await codeOf(sys.poll([])), "EBADF");
  assertEquals(await codeOf(sys.poll([], 100_000)), "EBADF");
  assertEquals(await codeOf(sys.select({}, 100_000_000)), "EBADF");
  assertEquals(await sys.poll([], 0), 0);
});

Deno.test("who waits first has what its event brought; to close ends the other waits", async () => {
  await using stack = await manual();
  const listener = stack.listen({ port: 80 });
  const sys = stack.sys;
  const first = sys.accept(listener.fd);
  const second = codeOf(listener.accept());
  const connecting = connectOnce(stack);
  stack.sys.nb.close(listener.fd);
  assertEquals(sys.getpeername((await first).fd).address, "127.0.0.1");
  assertEquals(await second, "EBADF");
  await connecting;
});

/** Lets a connection come to the listener, up to its event. */
function connectOnce(stack: Stack): Promise<unknown> {
  const connecting = stack.connect({ port: 80 }).catch(() => {});
  settle(stack);
  return connecting;
}
