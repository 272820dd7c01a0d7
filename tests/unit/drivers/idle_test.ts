/** A stack that nobody waits on keeps no process alive, whatever its drivers have open. */

import { assertEquals } from "@std/assert";

const MODULES = ["mod.ts", "drivers/udp_tunnel.ts", "drivers/stream.ts"]
  .map((path) => new URL(`../../../${path}`, import.meta.url).href);

const PROGRAM = `
  const [{ createStack }, { UdpTunnel }, { StreamDriver }] = await Promise.all(
    ${JSON.stringify(MODULES)}.map((url) => import(url)));
  const hostname = "127.0.0.1";
  const listening = new StreamDriver({ listen: { hostname, port: 0 } });
  const drivers = ["deno", "node"].map((api) =>
    new UdpTunnel({ local: { hostname, port: 0 }, learnPeer: true, api }));
  const stack = await createStack();
  for (const driver of [...drivers, listening]) await stack.attach(driver);
  const { port } = listening.address;
  await stack.attach(new StreamDriver({ connect: { hostname, port } }, { reconnect: true }));
  console.log(stack.interfaces.length);`;

Deno.test("a process ends that has only idle tunnels and streams", async () => {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--unstable-net", PROGRAM],
    signal: AbortSignal.timeout(30_000),
    stderr: "inherit",
  }).output();
  assertEquals([code, new TextDecoder().decode(stdout)], [0, "4\n"]);
});
