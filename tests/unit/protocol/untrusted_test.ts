/** Untrusted protocols: they serve sockets from their Worker, and nothing that they do harms. */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { Errno } from "../../../assembly/abi/errno.ts";
import { Af, Sock } from "../../../assembly/abi/socket.ts";
import { SocketError } from "../../../mod.ts";
import { workersRunning } from "../../../runtime/protocol/thread.ts";
import { holdings } from "./net.ts";
import { compile, Do, module, puppet, TYPE } from "./puppet.ts";
import { Station } from "./station.ts";

const NAME = "puppet";
/** For those that are to overrun it. */
const SHORT_MS = 300;

async function failure(call: Promise<unknown>): Promise<[number, string]> {
  const { errno, message } = await assertRejects(() => call, SocketError);
  return [errno, message];
}

/** What a stack holds, but for the descriptor table that has grown. */
function held(station: Station): Record<string, number> {
  return { ...holdings(station.stack), sockets: 0 };
}

Deno.test("untrusted: it is told of its time and its interfaces, and reports", async () => {
  await using station = await Station.create();
  const { protocols } = station.stack;
  const one = puppet({ tick_ms: 1000, interfaces: true });
  const info = await protocols.load(one);
  assertEquals([info.name, info.kind, info.state], [NAME, "untrusted", "loaded"]);
  // lo0 has index 1: up; eth0 is up and carries Ethernet
  assertEquals(one.said.splice(0), ["I257", "I770"]);
  await station.step(1_000_000);
  assertEquals(one.said.splice(0), ["T2000"]);
  station.stack.addAddress("eth0", "10.0.1.1/24");
  await station.step(1_000_000);
  assertEquals(one.said.splice(0), ["I770", "T3000"]);
  await station.stack.detach("eth0");
  await station.step(1_000_000);
  assertEquals(one.said.splice(0), ["I1026", "T4000"]);
  assertEquals(await protocols.unload(NAME), 0);
  assertEquals([protocols.list(), workersRunning()], [[], 0]);
});

Deno.test("untrusted: packets reach it as copies, and its frames leave in our name", async () => {
  await using station = await Station.create();
  const { protocols } = station.stack;
  const one = puppet();
  await protocols.load(one);
  for (const length of [1, 46, 1500]) {
    station.give(TYPE, [Do.TELL_LENGTH, ...new Uint8Array(length - 1)]);
    await station.step();
  }
  assertEquals(one.said, ["E1", "E46", "E1500"]);
  station.give(TYPE, [Do.FRAMES]);
  await station.step();
  assertEquals(station.frames(TYPE).length, 100);
  assertEquals([...station.sent[0].subarray(0, 12)], [
    ...[255, 255, 255, 255, 255, 255],
    ...[2, 0, 0, 0, 0, 1],
  ]);
  const [{ packets, counters }] = protocols.list();
  assertEquals([packets, counters?.refused], [4, 1]);
});

Deno.test("untrusted: what it sends is bounded by its rate", async () => {
  await using station = await Station.create();
  const { protocols } = station.stack;
  await protocols.load(puppet({ sends_per_s: 150 }));
  for (let i = 0; i < 3; i++) {
    station.give(TYPE, [Do.FRAMES]);
    await station.step();
  }
  assertEquals(station.frames(TYPE).length, 150);
  assertEquals(protocols.list()[0].counters?.over_rate, 150);
  station.clock.advance(100_000);
  station.give(TYPE, [Do.FRAMES]);
  await station.step();
  assertEquals(station.frames(TYPE).length, 165);
});

/** What it may do wrong, and what is said of it. */
const WRONGS: readonly (readonly [keyof typeof Do, string])[] = [
  ["SPIN", "Overrun: it took more than 300 ms"],
  ["TRAP", "Trap: unreachable"],
  ["FLOOD", "Breach: it answered more than 256 records"],
  ["NO_RECORD", "Breach: record 0 of 44 bytes has 8 bytes of data"],
  ["NO_KIND", "Breach: record 0 is of kind 5, which there is not"],
  ["CUT_SHORT", "Breach: record 0 is cut short"],
  ["TOO_LONG", "Trap: it answered 131076 bytes"],
  ["REFUSE", "Trap: it refused with -22"],
  ["WRONG_TYPE", "Breach: it sent a frame of type 0x800"],
  ["WRONG_SOURCE", "Breach: it sent a packet from 1.2.3.4, which is not ours"],
  ["WRONG_SOCKETS", "Breach: there are no sockets of protocol 0"],
  ["STATE", "Breach: its manifest asks for no state"],
];

for (const [wrong, words] of WRONGS) {
  Deno.test(`untrusted: one that does ${wrong} is ended and unloaded`, async () => {
    await using station = await Station.create();
    const { protocols } = station.stack;
    const before = held(station);
    const slice = wrong === "SPIN" ? { slice_ms: SHORT_MS } : {};
    const make = () => puppet({ tick_ms: 10 }, slice);
    const begins = protocols.load(make(), new Uint8Array([Do[wrong]]));
    assertEquals(await failure(begins), [
      Errno.EIO,
      `protocols.load: EIO: protocol puppet, load: ${words}`,
    ]);
    assertEquals([protocols.list(), held(station), workersRunning()], [[], before, 0]);

    await protocols.load(make());
    station.give(TYPE, [Do[wrong]]);
    station.give(TYPE, [Do.TELL_LENGTH]);
    await station.step();
    const [info] = protocols.list();
    assertEquals([info.state, info.error], ["failed", `protocol puppet, handle: ${words}`]);
    assertEquals([info.table_entries, info.memory_bytes], [0, 0]);
    assertEquals([held(station), workersRunning()], [before, 0]);
    await station.step(100_000);

    // its name is free, and the stack works
    const again = puppet();
    await protocols.load(again);
    station.give(TYPE, [Do.TELL_LENGTH]);
    await station.step();
    assertEquals(again.said, ["E1"]);
    assertEquals(await protocols.unload(NAME), 0);
    assertEquals([held(station), workersRunning()], [before, 0]);
  });
}

Deno.test("untrusted: a report that the program cannot take ends it", async () => {
  await using station = await Station.create();
  const { protocols } = station.stack;
  const report = () => {
    throw new TypeError("no");
  };
  await protocols.load(puppet({}, { report }));
  station.give(TYPE, [Do.TELL_LENGTH]);
  await station.step();
  assertEquals(protocols.list()[0].error, "protocol puppet, handle: report: TypeError: no");
  assertEquals(workersRunning(), 0);
  assertEquals(await protocols.unload(NAME), 0);
  assertEquals(protocols.list(), []);
});

Deno.test("untrusted: its memory grows to its limit and no further", async () => {
  await using station = await Station.create();
  const one = puppet();
  await station.stack.protocols.load(one);
  station.give(TYPE, [Do.GROW]);
  await station.step();
  assertEquals(one.said, [`M${16 * 2 ** 20 / 65536}`]);
  assertEquals(station.stack.protocols.list()[0].state, "loaded");
});

Deno.test("untrusted: what cannot be loaded is refused by name and leaves nothing", async () => {
  await using station = await Station.create();
  const { protocols } = station.stack;
  const before = held(station);
  const handle = 'export { input, output } from "godwit/untrusted/record";\n' +
    "export function handle(_length: u32, _now: f64): i32 { return 0; }\n";
  const large = await compile(handle, 32 * 2 ** 20);
  const imports = await compile(
    '@external("env", "now") declare function now(): f64;\n' +
      handle.replace("return 0", "return i32(now())"),
  );
  const elsewhere = await compile(
    handle.replace("input, output", "output") +
      "export function input(): usize { return 0xffffff00; }\n",
  );
  const cases: [string, unknown][] = [
    ["puppet: it has no section godwit.protocol", puppet({}, { wasm: imports })],
    ["puppet: it imports env.now, and may import", puppet({}, { wasm: module({}, imports) })],
    [
      'it exports no function "handle"',
      module({}, await compile('export { input, output } from "godwit/untrusted/record";')),
    ],
    ["godwit.protocol: it is not JSON", puppet("{")],
    ["it is not an object", puppet("[]")],
    ["abi is 2, and this stack has 1", puppet({ abi: 2 })],
    ["ethertypes is a list of different numbers", puppet({ ethertypes: [8] })],
    ["protocols is a list of different numbers", puppet({ protocols: [1, 1] })],
    ["sockets is true or false", puppet({ sockets: 1 })],
    ["sends_per_s is a whole number from 1", puppet({ sends_per_s: 0 })],
    ['nothing is called "colour"', puppet({ colour: "red" })],
    ["it needs tick_ms", puppet({ interfaces: true })],
    ["a name has 1 to 32", module({ name: "a b" })],
    ["slice_ms is from 1", puppet({}, { slice_ms: 0 })],
    ["memory_bytes is from 1", puppet({}, { memory_bytes: -1 })],
    ["too long", puppet({}, { encode: () => new Uint8Array(200_000) })],
    ["no WebAssembly", puppet({}, { wasm: new Uint8Array(3) })],
  ];
  for (const [words, given] of cases) {
    const [errno, message] = await failure(protocols.load(given as never));
    assertStringIncludes(message, words);
    assertEquals(errno, Errno.EINVAL, words);
  }
  const late: [string, unknown][] = [
    ["its memory may grow beyond that", puppet({}, { wasm: module({}, large) })],
    ["its memory has 327680 bytes, and 65536", puppet({}, { memory_bytes: 65536 })],
    ["input() is not in its memory", puppet({}, { wasm: module({}, elsewhere) })],
  ];
  for (const [words, given] of late) {
    const [errno, message] = await failure(protocols.load(given as never));
    assertStringIncludes(message, words);
    assertEquals(errno, Errno.EIO, words);
  }
  assertEquals([protocols.list(), held(station), workersRunning()], [[], before, 0]);
  assertEquals((await failure(protocols.load(module({ ethertypes: [0x0806] }))))[0], Errno.EEXIST);
  assertEquals((await failure(protocols.load(module({ protocols: [6] }))))[0], Errno.EEXIST);
  assertEquals([protocols.list(), held(station), workersRunning()], [[], before, 0]);
});

Deno.test("untrusted: packets wait in a bounded queue while it is busy", async () => {
  await using station = await Station.create();
  const { protocols } = station.stack;
  const one = puppet();
  await protocols.load(one);
  const before = held(station).mbufs;
  const packets = 1000;
  for (let i = 0; i < packets; i++) {
    station.give(TYPE, [Do.TELL_LENGTH, ...new Uint8Array(1400)]);
  }
  station.turns(); // answers come between turns
  assertEquals(held(station).mbufs, before);
  await station.step();
  const [{ counters }] = protocols.list();
  assertEquals(one.said.length + counters!.dropped, packets);
  assert(counters!.dropped > 0 && one.said.length > 64);
});

Deno.test("untrusted: unloading and closing end the Worker, whatever waits for it", async () => {
  for (const how of ["unload", "close"] as const) {
    await using station = await Station.create();
    const { protocols } = station.stack;
    const before = held(station);
    await protocols.load(puppet({ tick_ms: 1000, ports: [4789] }, { slice_ms: SHORT_MS }));
    station.give(TYPE, [Do.SPIN]);
    station.turns();
    for (let i = 0; i < 300; i++) station.give(TYPE, [Do.TELL_LENGTH]);
    station.turns();
    const settled = protocols.settled(NAME);
    if (how === "unload") assertEquals(await protocols.unload(NAME), 0);
    else await station.stack.close();
    await settled;
    assertEquals([protocols.list(), workersRunning()], [[], 0]);
    if (how === "unload") assertEquals(held(station), before);
  }
});

Deno.test("untrusted: one that fails with sockets open goes when they are closed", async () => {
  await using station = await Station.create();
  const { protocols, sys } = station.stack;
  const before = held(station);
  await protocols.load(puppet({ sockets: true }));
  const fd = sys.socket(Af.INET, Sock.DGRAM, 253);
  station.give(TYPE, [Do.TRAP]);
  await station.step();
  assertThrows(() => sys.nb.send(fd, new Uint8Array(1)), SocketError, "EIO");
  assertThrows(() => sys.socket(Af.INET, Sock.DGRAM, 253), SocketError, "EIO");
  assertEquals((await failure(protocols.load(puppet())))[0], Errno.EEXIST);
  assertEquals((await failure(protocols.unload(NAME)))[0], Errno.EBUSY);
  await sys.close(fd);
  await station.step();
  assertEquals([held(station), workersRunning()], [before, 0]);
  assertEquals(protocols.list()[0].state, "failed");
  await protocols.load(puppet());
  assertEquals(protocols.list()[0].state, "loaded");
});

Deno.test("untrusted: a snapshot takes what it said last that it wants back", async () => {
  await using station = await Station.create();
  const { protocols, sys } = station.stack;
  await protocols.load(puppet());
  assertThrows(() => station.stack.snapshot(), SocketError, "puppet cannot be part");
  await protocols.unload(NAME);

  const given = { state: true, sockets: true };
  await protocols.load(puppet(given));
  const fd = sys.socket(Af.INET, Sock.DGRAM, 253);
  assertThrows(() => station.stack.snapshot(), SocketError, "it has open sockets");
  await sys.close(fd);
  station.give(TYPE, [Do.STATE]);
  await station.step();
  const snapshot = station.stack.snapshot();
  await station.stack.close();

  await assertRejects(() => Station.create({ snapshot }), SocketError, "needs protocol puppet");
  const again = puppet(given);
  await using resumed = await Station.create({ snapshot, protocols: [again] });
  resumed.give(TYPE, [Do.TELL_STATE]);
  await resumed.step();
  assertEquals(again.said, ["R42"]);
  const second = resumed.stack.snapshot();
  const other = { ...puppet(), wasm: module({ state: false, sockets: true }) };
  const refused = Station.create({ snapshot: second, protocols: [other] });
  assertStringIncludes((await failure(refused))[1], "it has no restore()");
});

/** Runs a program of this folder; answers what it said. */
async function child(name: string, ...may: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", ...may, new URL(name, import.meta.url).pathname],
    env: { NO_COLOR: "1" },
  }).output();
  const [said, complained] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assertEquals([code, complained], [0, ""]);
  return said.trim();
}

Deno.test("untrusted: it needs no permission, and keeps no program from ending", async () => {
  assertEquals(await child("./untrusted_child.ts"), "untrusted loaded");
});

Deno.test({
  name: "untrusted: the thread of one that loops forever is gone, and computes no more",
  ignore: Deno.build.os !== "linux",
  fn: async () =>
    assertEquals(await child("./untrusted_spin_child.ts", "-A"), "it ran, it is gone"),
});
