/** The loop on the machine's clock: who keeps the process alive, waking, watching, fairness. */

import { assert, assertEquals } from "@std/assert";
import { pipe } from "../../../drivers/pipe.ts";
import type { DriverCaps, FrameBatch, Ifnet, NetDriver } from "../../../runtime/device/driver.ts";
import { createStack } from "../../../runtime/stack.ts";
import { memory } from "./manual_stack.ts";

const MOD = new URL("../../../mod.ts", import.meta.url).href;

/** Runs a program of its own; it must end by itself. Answers what it printed. */
async function program(body: string): Promise<string> {
  const source = `import { createStack, So, Sol } from "${MOD}";
const memory = { bytes: ${memory.bytes} };
${body}`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(source));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

Deno.test("a stack that nobody waits on lets the process end", async () => {
  const printed = await program(`
    const stack = await createStack({ memory });
    stack.listen({ port: 80 });
    const conn = await stack.connect({ port: 80 });
    await conn.write(new Uint8Array(5));
    console.log("end of the program");
  `);
  assertEquals(printed, "end of the program");
});

Deno.test("a wait keeps the process alive until it ends", async () => {
  const printed = await program(`
    const stack = await createStack({ memory });
    const fd = stack.listenDatagram({ port: 9 }).fd;
    stack.sys.setsockopt(fd, Sol.SOCKET, So.RCVTIMEO, 30_000);
    stack.sys.recv(fd, new Uint8Array(1)).catch((error) => console.log(error.code));
  `);
  assertEquals(printed, "EAGAIN");
});

Deno.test("a wait on a socket that was unref'd does not keep the process alive", async () => {
  const printed = await program(`
    const stack = await createStack({ memory });
    const listener = stack.listen({ port: 80 });
    listener.accept();
    listener.unref();
    const second = stack.listen({ port: 81 });
    second.unref();
    second.accept();
    console.log("end");
  `);
  assertEquals(printed, "end");
});

Deno.test("ref after unref holds again; closing the stack lets go", async () => {
  const printed = await program(`
    const stack = await createStack({ memory });
    const listener = stack.listen({ port: 80 });
    listener.unref();
    const accepting = listener.accept().catch((error) => console.log(error.name));
    listener.ref();
    setTimeout(() => stack.close(), 20);
    await accepting;
  `);
  assertEquals(printed, "BadResource");
});

Deno.test("two stacks of one process talk; a third party gets its turn meanwhile", async () => {
  const [left, right] = pipe();
  await using a = await createStack({
    memory,
    interfaces: [{ driver: left, addresses: ["10.0.0.1/24"] }],
  });
  await using b = await createStack({
    memory,
    interfaces: [{ driver: right, addresses: ["10.0.0.2/24"] }],
  });
  using listener = b.listen({ port: 80 });
  using client = await a.connect({ hostname: "10.0.0.2", port: 80 });
  using server = await listener.accept();
  client.setNoDelay();
  server.setNoDelay();
  let running = true;
  const echo = (async () => {
    const buffer = new Uint8Array(1);
    while (await server.read(buffer) !== null) await server.write(buffer);
  })();
  const flood = (async () => {
    const buffer = new Uint8Array(1);
    let trips = 0;
    while (running) {
      await client.write(buffer);
      await client.read(buffer);
      trips++;
    }
    client.close();
    return trips;
  })();
  // Neither timers nor rounds of the event loop starve while messages go to and fro.
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setTimeout(resolve, 1));
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
  running = false;
  assert(await flood > 0);
  await echo;
});

/** A device that can only be asked: frames that were put into it can be read when polled. */
class Polled implements NetDriver {
  readonly name = "polled";
  readonly caps: DriverCaps = { mtu: 1500, medium: "ip" };
  frames: Uint8Array[] = [];
  polls = 0;
  attach(_ifp: Ifnet): void {}
  poll(timeout_us: number): boolean {
    assert(timeout_us >= 0 && timeout_us <= 1000 && Number.isInteger(timeout_us));
    this.polls++;
    return this.frames.length > 0;
  }
  rx(free: FrameBatch): number {
    const frame = this.frames.shift();
    if (frame === undefined) return 0;
    free.memory.set(frame, free.address(0));
    free.setLength(0, frame.length);
    return 1;
  }
  start(tx: FrameBatch): number {
    for (let i = 0; i < tx.count; i++) this.onSend(tx.view(i).slice());
    return tx.count;
  }
  onSend: (frame: Uint8Array) => void = () => {};
  detach(): void {}
}

/** An ICMP echo request from 10.0.0.2 to 10.0.0.1 (RFC 792). */
function ping(): Uint8Array {
  const ip = [69, 0, 0, 28, 0, 0, 0, 0, 64, 1, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1];
  const icmp = [8, 0, 0, 0, 0, 1, 0, 1];
  const fill = (bytes: number[], at: number) => {
    let sum = 0;
    for (let i = 0; i < bytes.length; i += 2) sum += bytes[i] << 8 | bytes[i + 1];
    sum = ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
    bytes[at] = sum >> 8;
    bytes[at + 1] = sum & 255;
  };
  fill(ip, 10);
  fill(icmp, 2);
  return Uint8Array.of(...ip, ...icmp);
}

Deno.test("a device that cannot call is polled, also while nobody waits on the stack", async () => {
  const driver = new Polled();
  // The stack alone would let the process end: nobody waits on it.
  const alive = setInterval(() => {}, 1000);
  await using stack = await createStack({
    memory,
    interfaces: [{ driver, addresses: ["10.0.0.1/24"] }],
  });
  for (let i = 0; i < 3; i++) {
    const answer = new Promise<Uint8Array>((resolve) => driver.onSend = resolve);
    driver.frames.push(ping());
    const frame = await answer;
    assertEquals([frame[20], [...frame.subarray(16, 20)]], [0, [10, 0, 0, 2]]);
    // From the second time on the stack has been idle for longer than it watches closely.
    await new Promise((resolve) => setTimeout(resolve, 80));
  }
  const { polls } = driver;
  assert(polls > 3);
  driver.poll = () => {
    throw new Error("poll failed");
  };
  while (stack.interfaces[0].reason === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assertEquals(stack.interfaces[0].reason, "polled driver, poll: Error: poll failed");
  clearInterval(alive);
});

Deno.test("timers of the engine run by themselves: a lost frame is sent again", async () => {
  const [left, right] = pipe();
  let lost = 0;
  const start = left.start.bind(left);
  // The first SYN, an IPv4 frame from 10.0.0.1, never arrives.
  left.start = (tx) => {
    if (lost === 0 && tx.view(0)[12] === 8 && tx.view(0)[13] === 0) return lost = tx.count;
    return start(tx);
  };
  await using a = await createStack({
    memory,
    interfaces: [{ driver: left, addresses: ["10.0.0.1/24"] }],
  });
  await using b = await createStack({
    memory,
    interfaces: [{ driver: right, addresses: ["10.0.0.2/24"] }],
  });
  using _listener = b.listen({ port: 80 });
  using _conn = await a.connect({ hostname: "10.0.0.2", port: 80 });
  assertEquals(lost, 1);
});
