/** Untrusted protocols on odd media and odd days. */
import { assertEquals, assertThrows } from "@std/assert";
import { EnginePanic } from "../../../mod.ts";
import { workersRunning } from "../../../runtime/protocol/thread.ts";
import { Do, puppet, TYPE } from "./puppet.ts";
import { Station } from "./station.ts";

const IPV6 = 0x86dd;

Deno.test("untrusted: a packet without a link header has no sender", async () => {
  await using station = await Station.create({}, "ip");
  const one = puppet({ ethertypes: [IPV6] });
  await station.stack.protocols.load(one);
  for (let i = 0; i < 3; i++) station.giveRaw([0x60, ...new Uint8Array(59).fill(255)]);
  await station.step();
  assertEquals(one.said, ["V0", "V0", "V0"]);
});

Deno.test("untrusted: it cannot send frames on a medium without them", async () => {
  await using station = await Station.create({}, "ip");
  await station.stack.protocols.load(puppet({ ethertypes: [IPV6, TYPE] }));
  station.giveRaw([Do.FRAMES, ...new Uint8Array(59)]);
  await station.step();
  assertEquals(station.sent, []);
});

Deno.test("untrusted: a stack that has stopped ends its Workers", async () => {
  const station = await Station.create();
  const { stack } = station;
  await stack.protocols.load(puppet({ tick_ms: 1000, ports: [4789] }));
  assertThrows(() => stack.engine.calls.so_bind(0xfffffff0, 0xfffffff0), EnginePanic);
  await stack.close().catch(() => {});
  assertEquals([workersRunning(), stack.protocols.list()], [0, []]);
});

Deno.test("untrusted: a stack that is closed while one is being loaded ends it too", async () => {
  const station = await Station.create();
  const loading = station.stack.protocols.load(puppet()).catch(({ code }) => code);
  await station.stack.close();
  assertEquals([await loading, workersRunning()], ["ENETDOWN", 0]);
});
