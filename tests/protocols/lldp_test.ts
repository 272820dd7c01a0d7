/** LLDP (IEEE 802.1AB-2016): what is announced and when, who is heard, and what strangers send. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import lldp, { Capability, type Lldp, type LldpOptions } from "../../protocols/lldp/mod.ts";
import { readReport } from "../../protocols/lldp/reports.ts";
import { SocketError } from "../../mod.ts";
import { workersRunning } from "../../runtime/protocol/thread.ts";
import { holdings } from "../unit/protocol/net.ts";
import { HWADDR, Station } from "../unit/protocol/station.ts";
import { LLDP, mandatory, parts, pdu, text, type Tlv, tlv } from "./lldp_kit.ts";

const SECOND = 1_000_000;
const GROUP = [1, 0x80, 0xc2, 0, 0, 0x0e];
const SEED = 20_260_814;

/** What a station says last (8.5.4). */
const GOOD_BYE: Tlv[] = [
  [1, [4, ...HWADDR]],
  [2, [5, ...text("eth0")]],
  [3, [0, 0]],
  [0, []],
];

/** A station with an agent whose events are noted. */
async function withAgent(options: LldpOptions = {}): Promise<[Station, Lldp, string[]]> {
  const station = await Station.create();
  const agent = lldp(options);
  const events: string[] = [];
  agent.onneighbor = (event, { chassis, port }) => events.push(`${event} ${chassis} ${port}`);
  // the machine may be busy
  await station.stack.protocols.load(Object.assign(agent, { slice_ms: 20_000 }));
  await station.step();
  return [station, agent, events];
}

async function hear(station: Station, bytes: readonly number[]): Promise<void> {
  station.give(LLDP, bytes, GROUP);
  await station.step();
}

Deno.test("lldp: an announcement says who, where and for how long, in order", async () => {
  const options = { systemName: "host", systemDescription: "a stack", interval_s: 10, hold: 3 };
  const [station] = await withAgent(options);
  await using _ = station;
  assertEquals(station.frames(LLDP).length, 1);
  assertEquals([...station.sent[0].subarray(0, 14)], [...GROUP, ...HWADDR, 0x88, 0xcc]);
  const { index } = station.stack.interfaces[0];
  assertEquals(parts(station.sent[0].subarray(14)), [
    [1, [4, ...HWADDR]],
    [2, [5, ...text("eth0")]],
    [3, [0, 31]],
    [4, text("eth0")],
    [5, text("host")],
    [6, text("a stack")],
    [7, [0, 128, 0, 128]],
    [8, [5, 1, 10, 0, 0, 1, 2, 0, 0, 0, index, 0]],
    [0, []],
  ]);
});

Deno.test("lldp: chassis and capabilities can be told, and an address is not needed", async () => {
  const [station] = await withAgent({ chassis: "rack 7", capabilities: Capability.ROUTER });
  await using _ = station;
  station.stack.removeAddress("eth0", "10.0.0.1/24");
  station.sent.length = 0;
  await station.step(SECOND);
  const said = parts(station.sent[0].subarray(14));
  assertEquals(said[0], [1, [7, ...text("rack 7")]]);
  assertEquals(said[2], [3, [0, 121]]);
  assertEquals(said.find(([type]) => type === 7), [7, [0, 16, 0, 16]]);
  assertEquals(said.find(([type]) => type === 8)?.[1].slice(0, 8), [7, 6, ...HWADDR]);
  assertEquals(said.some(([type]) => type === 5 || type === 6), false);
});

Deno.test("lldp: it announces itself every interval, and sooner to somebody new", async () => {
  const [station, agent] = await withAgent({ interval_s: 5 });
  await using _ = station;
  const seconds: number[] = [];
  const run = async (from: number, to: number) => {
    for (let second = from; second <= to; second++) {
      const before = station.frames(LLDP).length;
      await station.step(SECOND);
      const sent = station.frames(LLDP).length - before;
      if (sent > 0) seconds.push(second);
      assert(sent <= 1);
    }
  };
  await run(1, 11);
  assertEquals(seconds.splice(0), [5, 10]);
  await hear(station, pdu(mandatory("switch")));
  assertEquals(station.frames(LLDP).length, 4);
  await run(12, 24);
  assertEquals(seconds, [12, 13, 14, 19, 24]);
  assertEquals(agent.stats.framesOut, station.frames(LLDP).length);
});

Deno.test("lldp: a neighbour is new, changes, ages and says good-bye", async () => {
  const [station, agent, events] = await withAgent();
  await using _ = station;
  const described = (words: string): Tlv[] => [
    ...mandatory("switch", "p1", 3),
    [4, text("uplink")],
    [5, text(words)],
    [6, text("a switch")],
    [7, [0, 0x14, 0, 4]],
    [8, [5, 1, 192, 168, 0, 1, 2, 0, 0, 0, 9, 0]],
    [8, [7, 6, 2, 0, 0, 0, 0, 7, 1, 0, 0, 0, 0, 2, 42, 3]],
  ];
  await hear(station, pdu(described("one")));
  assertEquals(events.splice(0), ["new switch p1"]);
  assertEquals(agent.neighbors, [{
    interface: "eth0",
    index: station.stack.interfaces[0].index,
    hwaddr: "02:00:00:00:00:09",
    chassis: "switch",
    port: "p1",
    ttl_s: 3,
    portDescription: "uplink",
    systemName: "one",
    systemDescription: "a switch",
    capabilities: { supported: 0x14, enabled: Capability.BRIDGE },
    managementAddresses: ["192.168.0.1", "02:00:00:00:00:07"],
  }]);
  await station.step(2 * SECOND);
  await hear(station, pdu(described("one")));
  assertEquals(events, []);
  await hear(station, pdu(described("two")));
  assertEquals(events.splice(0), ["changed switch p1"]);
  assertEquals(agent.neighbors[0].systemName, "two");
  await station.step(2 * SECOND);
  assertEquals(events, []);
  await station.step(SECOND);
  assertEquals(events.splice(0), ["gone switch p1"]);
  assertEquals([agent.neighbors, agent.stats.ageouts], [[], 1]);

  await hear(station, pdu(mandatory("switch", "p1")));
  await hear(station, pdu(mandatory("switch", "p2")));
  await hear(station, pdu(mandatory("switch", "p1", 0)));
  assertEquals(events.splice(0), ["new switch p1", "new switch p2", "gone switch p1"]);
  await station.stack.detach("eth0");
  await station.step(SECOND);
  assertEquals([events, agent.neighbors], [["gone switch p2"], []]);
});

Deno.test("lldp: two stacks hear each other, and of the other's end", async () => {
  const [one, agent] = await withAgent({ systemName: "one" });
  const [two, other] = await withAgent({ systemName: "two", chassis: "2" });
  await using _one = one;
  await using _two = two;
  const before = holdings(one.stack);
  const carry = async (from: Station, to: Station) => {
    for (const frame of from.frames(LLDP)) to.give(LLDP, frame, GROUP);
    from.sent.length = 0;
    await to.step();
  };
  await carry(one, two);
  await carry(two, one);
  assertEquals(other.neighbors[0].systemName, "one");
  assertEquals([agent.neighbors[0].systemName, agent.neighbors[0].chassis], ["two", "2"]);
  assertEquals(other.neighbors[0].managementAddresses, ["10.0.0.1"]);
  await one.step(SECOND);
  one.sent.length = 0;
  assertEquals(await one.stack.protocols.unload("lldp"), 0);
  one.turns();
  assertEquals(one.frames(LLDP).map((frame) => parts(frame)), [GOOD_BYE]);
  await carry(one, two);
  assertEquals(other.neighbors, []);
  const { timers, types, table } = holdings(one.stack);
  assertEquals([before.timers - timers, before.types - types], [1, 1]);
  assertEquals([table, workersRunning()], [0, 1]);
});

Deno.test("lldp: a stack that is closed says good-bye", async () => {
  const [station] = await withAgent();
  station.sent.length = 0;
  await station.stack.close();
  assertEquals(station.frames(LLDP).map((frame) => parts(frame)), [GOOD_BYE]);
  assertEquals(workersRunning(), 0);
});

/** Frames that must be discarded whole (8.2, 8.5.2 to 8.5.4). */
const BAD_FRAMES: readonly (readonly [string, readonly number[]])[] = [
  ["nothing", []],
  ["one byte", [2]],
  ["no chassis ID", pdu(mandatory("x").slice(1))],
  ["another order", pdu([mandatory("x")[1], mandatory("x")[0], mandatory("x")[2]])],
  ["no time to live", pdu(mandatory("x").slice(0, 2))],
  ["an empty chassis ID", pdu([[1, [7]], ...mandatory("x").slice(1)])],
  ["a long chassis ID", pdu([[1, Array(257).fill(7)], ...mandatory("x").slice(1)])],
  ["an empty port ID", pdu([mandatory("x")[0], [2, [5]], mandatory("x")[2]])],
  ["a short time to live", pdu([...mandatory("x").slice(0, 2), [3, [1]]])],
  ["a second chassis ID", pdu([...mandatory("x"), mandatory("x")[0]])],
  ["a second time to live", pdu([...mandatory("x"), mandatory("x")[2]])],
  ["an end with a value", [...mandatory("x").flatMap((part) => tlv(part)), ...tlv([0, [1]])]],
  ["a part beyond the end", [
    ...mandatory("x").flatMap((part) => tlv(part)),
    ...tlv([5, text("abc")], 300),
  ]],
  ["half a part", [...mandatory("x").flatMap((part) => tlv(part)), 10]],
];

Deno.test("lldp: frames in error are discarded and counted", async () => {
  const [station, agent] = await withAgent();
  await using _ = station;
  for (const [i, [what, bytes]] of BAD_FRAMES.entries()) {
    await hear(station, bytes);
    assertEquals([agent.neighbors.length, agent.stats.framesDiscarded], [0, i + 1], what);
  }
  // the end may be missing (8.4), and padding may follow it
  await hear(station, mandatory("bare").flatMap((part) => tlv(part)));
  await hear(station, [...pdu(mandatory("padded")), ...Array(30).fill(255)]);
  assertEquals(agent.neighbors.map(({ chassis }) => chassis), ["bare", "padded"]);
  assertEquals(agent.stats.framesIn, BAD_FRAMES.length + 2);
});

Deno.test("lldp: parts in error are left out, and the rest is taken", async () => {
  const [station, agent] = await withAgent();
  await using _ = station;
  const address = [5, 1, 192, 168, 0, 1, 2, 0, 0, 0, 9, 0];
  const wrong: Tlv[] = [
    [4, Array(256).fill(65)],
    [7, [0, 4]],
    [7, [0, 4, 0, 8]], // switched on, but not there
    [8, []],
    [8, [1, ...address.slice(1)]],
    [8, [33, ...address.slice(1)]],
    [8, [9, ...address.slice(1)]],
    [8, [...address.slice(0, -1), 200]],
    [8, [...address, 1]],
  ];
  for (const [i, part] of wrong.entries()) {
    await hear(station, pdu([...mandatory(`n${i}`), part, [5, text("name")]]));
    assertEquals(agent.stats.tlvsDiscarded, i + 1, `part ${i}`);
    const { systemName, managementAddresses, capabilities } = agent.neighbors[i];
    assertEquals([systemName, managementAddresses.length, capabilities], ["name", 0, undefined]);
  }
  await hear(station, pdu([...mandatory("twice"), [5, text("a")], [5, text("b")]]));
  assertEquals(agent.neighbors.at(-1)?.systemName, "a");
  await hear(station, pdu([...mandatory("own"), [127, [0, 18, 15, 1, 0]], [9, []], [126, [1]]]));
  assertEquals([agent.stats.tlvsDiscarded, agent.stats.tlvsUnrecognized], [wrong.length + 1, 3]);
  assertEquals(agent.stats.framesDiscarded, 0);
});

Deno.test("lldp: it keeps 64 neighbours, and those that came first stay", async () => {
  const [station, agent] = await withAgent();
  await using _ = station;
  const sent = station.frames(LLDP).length;
  for (let i = 0; i < 100; i++) station.give(LLDP, pdu(mandatory(`n${i}`)), GROUP);
  await station.step();
  assertEquals(agent.neighbors.length, 64);
  assertEquals([agent.neighbors[63].chassis, agent.stats.tooMany], ["n63", 36]);
  // whoever pretends to be many makes it send no faster
  assertEquals(station.frames(LLDP).length, sent);
});

Deno.test("lldp: it outlives whatever comes", async () => {
  const [station, agent] = await withAgent();
  await using _ = station;
  const good = pdu([...mandatory("x"), [5, text("name")], [7, [0, 4, 0, 4]], [8, [
    ...[5, 1, 192, 168, 0, 1, 2, 0, 0, 0, 9, 0],
  ]]]);
  const mutated = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 6 })
    .map((changes) => {
      const bytes = [...good];
      for (const [at, value] of changes) bytes[at] = value;
      return bytes;
    });
  const frames = fc.oneof(
    mutated,
    fc.tuple(mutated, fc.nat(good.length)).map(([bytes, n]) => bytes.slice(0, n)),
    fc.array(fc.nat(255), { maxLength: 1500 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(frames, { minLength: 20, maxLength: 60 }), async (list) => {
      for (const bytes of list) station.give(LLDP, bytes, GROUP);
      await station.step(SECOND);
      assertEquals(station.stack.protocols.list()[0].error, undefined);
      assert(agent.neighbors.length <= 64);
    }),
    { seed: SEED, numRuns: 60 },
  );
  assert(agent.stats.framesIn > 500 && agent.stats.framesDiscarded > 100);
});

Deno.test("lldp: reports that cannot be read are refused, whatever they are", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        assert(readReport(bytes).kind.length > 0);
      } catch (error) {
        assert(error instanceof RangeError, String(error));
      }
    }),
    { seed: SEED },
  );
});

Deno.test("lldp: wrong options are refused, and it goes on after a snapshot", async () => {
  const station = await Station.create();
  const wrong: [string, LldpOptions][] = [
    ["interval_s", { interval_s: 0 }],
    ["hold", { hold: 101 }],
    ["capabilities", { capabilities: 1.5 }],
    ["systemName", { systemName: "ä".repeat(128) }],
  ];
  for (const [words, options] of wrong) {
    const load = () => station.stack.protocols.load(lldp(options));
    await assertRejects(load, SocketError, words);
  }
  await station.stack.protocols.load(lldp, { systemName: "mover" });
  await station.step(SECOND);
  const snapshot = station.stack.snapshot();
  await station.stack.close();
  const agent = lldp({ systemName: "moved" });
  await using again = await Station.create({ snapshot, protocols: [agent] });
  await again.step(31 * SECOND);
  assertEquals(parts(again.frames(LLDP)[0])[4], [5, text("moved")]);
  await hear(again, pdu(mandatory("switch")));
  assertEquals(agent.neighbors[0].chassis, "switch");
});
