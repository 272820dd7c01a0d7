/** Who may listen on a socket file, and what becomes of those that are left behind. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { FakeIfnet, VirtualClock } from "../../../drivers/contract/fake_ifnet.ts";
import { makeFrame } from "../../../drivers/contract/world.ts";
import { StreamDriver } from "../../../drivers/stream.ts";
import type { SocketError } from "../../../runtime/errors.ts";
import { abandonFile } from "./abandoned_file.ts";
import { framed } from "./framed.ts";

/** Lets a driver listen on a path; answers why it cannot, "" if it can. */
async function listens(path: string, mode?: number): Promise<string> {
  const driver = new StreamDriver({ listen: { path, mode } });
  try {
    await driver.attach(new FakeIfnet("eth0", new VirtualClock()));
    const bits = Deno.lstatSync(path).mode! & 0o777;
    assertEquals(bits, mode ?? 0o600);
    await driver.detach();
    return "";
  } catch (error) {
    return (error as SocketError).code;
  }
}

Deno.test("stream: a socket file that nobody uses is removed, and nothing else", async () => {
  const folder = await Deno.makeTempDir({ prefix: "godwit_" });
  const path = `${folder}/stream`;
  await abandonFile(path, "unix");
  assert(Deno.lstatSync(path).isSocket);
  assertEquals(await listens(path), "");
  assertEquals([...Deno.readDirSync(folder)], []);
  assertEquals(await listens(path, 0o660), "");
  Deno.writeTextFileSync(path, "mine");
  assertEquals(await listens(path), "EADDRINUSE");
  assertEquals(Deno.readTextFileSync(path), "mine");
  Deno.removeSync(path);
  await abandonFile(`${folder}/other`, "unix");
  Deno.symlinkSync(`${folder}/other`, path);
  assertEquals(await listens(path), "EADDRINUSE");
  assert(Deno.lstatSync(`${folder}/other`).isSocket);
  assertThrows(() => new StreamDriver({ listen: { path, mode: 0o1000 } }), RangeError, "mode");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("stream: two that want one file: the first keeps it, and its next peer", async () => {
  const folder = await Deno.makeTempDir({ prefix: "godwit_" });
  const path = `${folder}/stream`;
  const ifp = new FakeIfnet("eth0", new VirtualClock());
  const driver = new StreamDriver({ listen: { path } });
  await driver.attach(ifp);
  // The second looks whether the first lives, and so is a visitor without a word.
  for (let i = 0; i < 3; i++) assertEquals(await listens(path), "EADDRINUSE");
  const peer = await Deno.connect({ transport: "unix", path });
  await peer.write(framed([makeFrame("ethernet", 60, 1)]));
  const free = ifp.freeBatch(1, 2048);
  while (driver.rx(free) === 0) await new Promise((resolve) => setTimeout(resolve));
  assertEquals([driver.stats.reconnects, ifp.downs], [0, []]);
  peer.close();
  while (ifp.downs.length === 0) await new Promise((resolve) => setTimeout(resolve));
  assertEquals(ifp.downs, [`${path} has closed the connection`]);
  await driver.detach();
  await Deno.remove(folder, { recursive: true });
});
