/**
 * The second kernel: `far_kernel.ts SECONDS`, in a network namespace of its own. Is given a device,
 * sends to who connects, and ends when standard input does.
 *
 * @module
 */

import { ip, PORT, prepareKernel, route, send } from "./result.ts";

const seconds = Number(Deno.args[0]);

console.log("waiting");
const buffer = new Uint8Array(16);
if (await Deno.stdin.read(buffer) === null) Deno.exit(1);
await prepareKernel();
await ip("link", "set", "gw2", "up");
await ip("addr", "add", "10.80.2.1/24", "dev", "gw2");
await route("10.80.1.0/24", "via", "10.80.2.254");
const listener = Deno.listen({ hostname: "10.80.2.1", port: PORT });
console.log("ready");
const conn = await listener.accept();
await send(conn, seconds);
while (await Deno.stdin.read(buffer) !== null);
Deno.exit(0);
