/**
 * The end that answers, in a process of its own: `cable_child.ts WORK AMOUNT [FILE]`, with a stack
 * that listens on the socket file, or without one by the kernel. Says its port when it listens, and
 * serves one connection.
 */

import { StreamDriver } from "../drivers/stream.ts";
import { createStack } from "../mod.ts";
import { serve, type Work } from "./exchange.ts";
import { listenKernel } from "./kernel.ts";

const [work, amount, path] = Deno.args;
const PORT = 7;

if (path === undefined) {
  const { listener, port } = listenKernel();
  console.log(port);
  const conn = await listener.accept();
  conn.setNoDelay(true);
  await serve(conn, work as Work, Number(amount));
} else {
  const driver = new StreamDriver({ listen: { path } });
  const stack = await createStack({ interfaces: [{ driver, addresses: ["10.9.0.2/24"] }] });
  using listener = stack.listen({ port: PORT });
  console.log(PORT);
  const conn = await listener.accept();
  conn.setNoDelay(true);
  await serve(conn, work as Work, Number(amount));
}
Deno.exit(0);
