/** What calls and frames cost in turns: when frames leave, how often the loop asks for a turn. */

import { assert, assertEquals } from "@std/assert";
import { pipe } from "../../../drivers/pipe.ts";
import { Af, POLLIN, Sock } from "../../../mod.ts";
import type { DriverCaps, FrameBatch, Ifnet, NetDriver } from "../../../runtime/device/driver.ts";
import { createStack, type Stack } from "../../../runtime/stack.ts";
import { memory } from "./manual_stack.ts";

/** A device that counts the batches it is handed, and takes all of them. */
class Counting implements NetDriver {
  readonly name = "counting";
  readonly caps: DriverCaps = { medium: "ip", mtu: 1500, pointToPoint: true };
  readonly batches: number[] = [];
  /** Thrown by the next `start`. */
  fault: Error | undefined = undefined;
  attach(_ifp: Ifnet): void {}
  detach(): void {}
  start(tx: FrameBatch): number {
    if (this.fault) throw this.fault;
    this.batches.push(tx.count);
    return tx.count;
  }
  rx(_free: FrameBatch): number {
    return 0;
  }
}

async function sender(): Promise<{ stack: Stack; driver: Counting; send: () => Promise<number> }> {
  const driver = new Counting();
  const interfaces = [{ driver, name: "dev0", addresses: ["10.0.0.1/24"] }];
  const stack = await createStack({ memory, interfaces });
  const conn = stack.listenDatagram({ port: 9 });
  const send = () => conn.send(new Uint8Array(8), { hostname: "10.0.0.2", port: 9 });
  await nextRound();
  driver.batches.length = 0;
  return { stack, driver, send };
}

/** Past all microtasks and what the loop has asked of the event loop. */
function nextRound(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

Deno.test("the first message after a turn leaves at once, the others together", async () => {
  const { stack, driver, send } = await sender();
  await using _ = stack;
  const sent = [send(), send(), send(), send()];
  assertEquals(driver.batches, [1]);
  await Promise.all(sent);
  await nextRound();
  assertEquals(driver.batches, [1, 3]);
  const next = send();
  assertEquals(driver.batches, [1, 3, 1]);
  await next;
});

Deno.test("between stacks of one program a connection stands when connect returns", async () => {
  const [one, two] = pipe();
  const left = { driver: one, name: "eth0", addresses: ["10.0.0.1/24"] };
  const right = { driver: two, name: "eth0", addresses: ["10.0.0.2/24"] };
  await using here = await createStack({ memory, interfaces: [left] });
  await using there = await createStack({ memory, interfaces: [right] });
  const listener = there.sys.socket(Af.INET, Sock.STREAM);
  there.sys.bind(listener, { port: 7 });
  there.sys.listen(listener);
  let standing = 0;
  // Where a slice of time ends it does not, but that is not so every time.
  for (let i = 0; i < 100; i++) {
    const fd = here.sys.socket(Af.INET, Sock.STREAM);
    const connecting = here.sys.connect(fd, { address: "10.0.0.2", port: 7 });
    standing += there.sys.nb.poll([{ fd: listener, events: POLLIN }]);
    await connecting;
    const child = (await there.sys.accept(listener)).fd;
    await here.sys.close(fd);
    await there.sys.close(child);
  }
  assert(standing > 0, "none of them");
});

Deno.test("a driver that fails in a call takes its interface down", async () => {
  const { stack, driver, send } = await sender();
  await using _ = stack;
  driver.fault = new Error("gone");
  assertEquals(await send(), 8);
  const [dev0] = stack.interfaces;
  assertEquals(dev0.reason, "counting driver, start: Error: gone");
});

Deno.test("calls and turns by hand pile up no callbacks", async () => {
  const { stack, send } = await sender();
  await using _ = stack;
  const { setImmediate } = globalThis as unknown as { setImmediate: (f: () => void) => unknown };
  let asked = 0;
  const host = globalThis as unknown as { setImmediate: typeof setImmediate };
  host.setImmediate = (callback) => {
    asked++;
    return setImmediate(callback);
  };
  try {
    const begin = performance.now();
    // Long enough for the loop to leave its slice, after which it asks for rounds.
    while (performance.now() - begin < 20) {
      for (let i = 0; i < 50; i++) {
        await send();
        stack.turn();
      }
    }
    for (let i = 0; i < 1000; i++) {
      send();
      stack.turn();
    }
    const busy = asked;
    assert(busy < 200, `${busy} callbacks were asked for`);
  } finally {
    host.setImmediate = setImmediate;
  }
  await nextRound();
});

Deno.test("the engine is not asked for its deadline while nothing is armed sooner", async () => {
  const { stack, send } = await sender();
  await using _ = stack;
  const calls = stack.engine.calls as { nextDeadline: () => number };
  const { nextDeadline } = calls;
  let asked = 0;
  calls.nextDeadline = () => {
    asked++;
    return nextDeadline();
  };
  for (let i = 0; i < 1000; i++) await send();
  assert(asked < 50, `asked ${asked} times`);
  assertEquals(stack.nextDeadline(), nextDeadline());
});
