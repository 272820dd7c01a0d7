/** What the drivers leave behind that need no privilege; cleanup_test.ts starts it. */

import { assertEquals, assertRejects } from "@std/assert";
import { NullDriver } from "../../drivers/null.ts";
import { leavesNothing, threadNames, WORKER_THREAD } from "./cleanup_kit.ts";
import { IN_PROCESS_DRIVERS } from "./driver_worlds.ts";
import { FakeIfnet, VirtualClock } from "../../drivers/contract/fake_ifnet.ts";
import { TUNNELS } from "./tunnel_worlds.ts";

for (const { name, open } of [...IN_PROCESS_DRIVERS, ...TUNNELS]) {
  Deno.test(`cleanup: ${name}`, () => leavesNothing(open));
}

Deno.test("cleanup: an open file would be seen", async () => {
  const files: Deno.FsFile[] = [];
  const leaving = leavesNothing(() => ({
    driver: new NullDriver(),
    ifp: new FakeIfnet("near", new VirtualClock()),
    arrive: () => void files.push(Deno.openSync("/dev/null")),
    gone: () => [],
    settle: () => {},
    close: () => {},
  }));
  await assertRejects(() => leaving, Error, "descriptors");
  for (const file of files) file.close();
});

Deno.test("cleanup: a Worker would be seen", async () => {
  const workers = () => threadNames().filter((name) => WORKER_THREAD.test(name)).length;
  const before = workers();
  const url = URL.createObjectURL(new Blob(["postMessage(1)"], { type: "text/javascript" }));
  const worker = new Worker(url, { type: "module" });
  await new Promise((resolve) => worker.onmessage = resolve);
  const during = workers();
  worker.terminate();
  URL.revokeObjectURL(url);
  assertEquals(during, before + 1, threadNames().join());
});
