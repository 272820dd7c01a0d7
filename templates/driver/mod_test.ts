/** The driver keeps the contract of all drivers, and carries a connection between two stacks. */
import { assertEquals } from "@std/assert";
import { createStack } from "@godwit/godwit";
import {
  contractOf,
  type DriverUnderTest,
  FakeIfnet,
  type World,
} from "@godwit/godwit/drivers/contract";
import make, { QUEUE_FRAMES } from "./mod.ts";

/** A driver whose far end is a plain port, in the hands of the test. */
function world(arrivals: readonly Uint8Array[]): World {
  const { port1, port2 } = new MessageChannel();
  const gone: Uint8Array[] = [];
  port2.onmessage = ({ data }) => gone.push(data);
  return {
    driver: make({ port: port1 }),
    ifp: new FakeIfnet("test0"),
    // The far end sends the frames that the case has asked for.
    arrive: () => arrivals.forEach((frame) => port2.postMessage(frame)),
    // What has come out at the far end since the last call.
    gone: () => gone.splice(0),
    // Messages are delivered by rounds of the event loop.
    settle: () => new Promise((resolve) => setTimeout(resolve)),
    close: () => port2.close(),
  };
}

const under: DriverUnderTest = {
  name: "NAME",
  open: world,
  carries: true, // what is sent comes out at the far end
  arrives: true, // frames can arrive
  wakes: true, // it calls ifp.wake() by itself when they do
  keeps: QUEUE_FRAMES, // it drops what comes beyond so many frames, and counts that
};

for (const { name, run } of contractOf(under)) Deno.test(name, run);

Deno.test("NAME: two stacks talk, and go on talking over another wire", async () => {
  await using a = await createStack();
  await using b = await createStack();
  const first = new MessageChannel();
  await a.drivers.load(make, { options: { port: first.port1 }, addresses: ["10.0.0.1/24"] });
  await b.drivers.load(make, { options: { port: first.port2 }, addresses: ["10.0.0.2/24"] });
  using listener = b.listen({ port: 7 });
  using client = await a.connect({ hostname: "10.0.0.2", port: 7 });
  using server = await listener.accept();
  const say = async (words: string) => {
    await client.write(new TextEncoder().encode(words));
    const buffer = new Uint8Array(100);
    const length = await server.read(buffer);
    return new TextDecoder().decode(buffer.subarray(0, length ?? 0));
  };
  assertEquals(await say("hello"), "hello");
  const second = new MessageChannel();
  await a.drivers.swap("NAME0", make, { options: { port: second.port1 } });
  await b.drivers.swap("NAME0", make, { options: { port: second.port2 } });
  assertEquals(await say("still there"), "still there");
  await a.drivers.unload("NAME0");
  assertEquals(a.drivers.list(), []);
});
