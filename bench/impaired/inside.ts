/**
 * Runs in a network namespace of its own: `inside.ts SECONDS REPEATS`. Another one, of the second
 * kernel, belongs to a program that this one starts.
 *
 * @module
 */

import { FaultDriver, type FaultOptions } from "../../drivers/fault.ts";
import { TapDriver } from "../../drivers/tap.ts";
import { createStack, type Stack } from "../../runtime/stack.ts";
import { linesOf } from "../lines.ts";
import { ip, PORT, prepareKernel, receive, RESULT, type Result, route, send } from "./result.ts";

const [seconds, repeats] = Deno.args.map(Number);

/** One direction of the bad wire. */
const BAD: FaultOptions = { loss: 0.01, delay_us: 20_000, reorder: 0.005, reorder_us: 3000 };

const MEMORY = { bytes: 256 * 2 ** 20 };

function bad(name: string, seed: number): FaultDriver {
  return new FaultDriver(new TapDriver({ name }), { seed, tx: BAD, rx: BAD, limit: 8192 });
}

function tell(way: Result["way"], mbit_s: number): void {
  const result: Result = { way, mbit_s };
  console.log(RESULT + JSON.stringify(result));
}

/** The stack and the kernel of this namespace, over one bad wire. */
async function withStack(seed: number, work: (stack: Stack) => Promise<void>): Promise<void> {
  await using stack = await createStack({
    memory: MEMORY,
    interfaces: [{ name: "gw0", driver: bad("gw0", seed), addresses: ["10.77.0.2/24"] }],
  });
  await ip("addr", "add", "10.77.0.1/24", "dev", "gw0");
  await route("10.77.0.0/24", "dev", "gw0", "src", "10.77.0.1");
  await work(stack);
}

function toKernel(seed: number): Promise<void> {
  return withStack(seed, async (stack) => {
    const listener = stack.listen({ port: PORT });
    const sending = listener.accept().then((conn) => send(conn, seconds));
    const conn = await Deno.connect({ hostname: "10.77.0.2", port: PORT });
    tell("stack to kernel", await receive(conn));
    await sending;
  });
}

function toStack(seed: number): Promise<void> {
  return withStack(seed, async (stack) => {
    using listener = Deno.listen({ hostname: "10.77.0.1", port: PORT });
    const sending = listener.accept().then((conn) => send(conn, seconds));
    const conn = await stack.connect({ hostname: "10.77.0.1", port: PORT });
    tell("kernel to stack", await receive(conn));
    await sending;
  });
}

/** Two kernels with a stack between them that only forwards. */
async function kernels(seed: number): Promise<void> {
  await using _router = await createStack({
    memory: MEMORY,
    forwarding: true,
    interfaces: [
      { name: "gw1", driver: new TapDriver({ name: "gw1" }), addresses: ["10.80.1.254/24"] },
      { name: "gw2", driver: bad("gw2", seed), addresses: ["10.80.2.254/24"] },
    ],
  });
  await ip("addr", "add", "10.80.1.1/24", "dev", "gw1");
  await route("10.80.2.0/24", "via", "10.80.1.254");
  const far = new Deno.Command("unshare", {
    args: [
      ...["--net", "--", Deno.execPath(), "run", "-A", "--no-check", "--unstable-net"],
      ...[new URL("./far_kernel.ts", import.meta.url).pathname, `${seconds}`],
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = linesOf(far.stdout);
  try {
    await expect(lines, "waiting");
    await ip("link", "set", "gw2", "netns", `${far.pid}`);
    const writer = far.stdin.getWriter();
    await writer.write(new TextEncoder().encode("go\n"));
    await expect(lines, "ready");
    const conn = await Deno.connect({ hostname: "10.80.2.1", port: PORT });
    tell("kernel to kernel", await receive(conn));
    await writer.close();
  } finally {
    await far.status;
  }
}

async function expect(lines: AsyncGenerator<string>, line: string): Promise<void> {
  const { value } = await lines.next();
  if (value !== line) throw new Error(`the far kernel said "${value}" instead of "${line}"`);
}

await prepareKernel();
for (let i = 1; i <= repeats; i++) {
  await kernels(i);
  await toKernel(i);
  await toStack(i);
}
Deno.exit(0);
