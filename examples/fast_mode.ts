/**
 * The fast mode: a whole stack in a Worker, which waits inside its TAP device, so that a frame is
 * answered without a thread having to wake another. The main program talks to it as anybody would,
 * through the kernel's sockets, and tells how long that takes.
 *
 * ```sh
 * sudo ip tuntap add dev godwit0 mode tap user $USER
 * sudo ip addr add 10.9.0.1/24 dev godwit0 && sudo ip link set godwit0 up
 * deno run -A examples/fast_mode.ts godwit0
 * ```
 */

import { TapDriver } from "../drivers/tap.ts";
import { createStack } from "../mod.ts";

const PORT = 7;
const ROUNDS = 500;

/** What is different in the Worker: it has a scope that can post messages. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<string>) => void) | null;
  postMessage(message: string): void;
}

/** Echoes what one connection after the other sends; runs in the Worker. */
async function serve(device: string, ready: () => void): Promise<void> {
  const stack = await createStack({
    blocking: true,
    interfaces: [{
      driver: new TapDriver({ name: device, offload: true }),
      addresses: ["10.9.0.2/24"],
    }],
  });
  using listener = stack.listen({ port: PORT });
  ready();
  for (;;) {
    using conn = await listener.accept();
    const buffer = new Uint8Array(4096);
    for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) {
      await conn.write(buffer.subarray(0, n));
    }
  }
}

/** Sends single bytes there and back with pauses, and prints how long they take. */
async function measure(): Promise<void> {
  using conn = await Deno.connect({ hostname: "10.9.0.2", port: PORT });
  conn.setNoDelay(true);
  const byte = Uint8Array.of(42);
  const times_us: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    const began_ms = performance.now();
    await conn.write(byte);
    byte[0] = 0;
    await conn.read(byte);
    if (byte[0] !== 42) throw new Error("another byte came back");
    times_us.push((performance.now() - began_ms) * 1000);
  }
  times_us.sort((a, b) => a - b);
  const at = (share: number) => times_us[Math.floor(share * ROUNDS)].toFixed(0);
  console.log(`${ROUNDS} round trips: median ${at(0.5)} µs, p99 ${at(0.99)} µs`);
}

if (!("WorkerGlobalScope" in globalThis)) {
  const worker = new Worker(import.meta.url, { type: "module" });
  const ready = new Promise((resolve) => worker.onmessage = resolve);
  worker.postMessage(Deno.args[0] ?? "godwit0");
  await ready;
  await measure();
  worker.terminate();
} else {
  const scope = globalThis as unknown as WorkerScope;
  scope.onmessage = ({ data }) => serve(data, () => scope.postMessage("ready"));
}
