/**
 * The lines of the tcpdump command against those of the real tcpdump: frames of all protocols that
 * are told, with many switches, on several link types, whole and cut short.
 */

import { assert, assertEquals } from "@std/assert";
import { tcpdump } from "../../commands/tcpdump/run.ts";
import { openCapture, PcapngWriter, PcapWriter } from "../../drivers/capture.ts";
import { FaultDriver } from "../../drivers/fault.ts";
import { pipe } from "../../drivers/pipe.ts";
import { TraceDriver } from "../../drivers/trace.ts";
import { createStack } from "../../mod.ts";
import { allFrames } from "../unit/commands/frames.ts";
import type { Bytes, NamedFrame } from "../unit/commands/packets.ts";
import { requirements } from "./require.ts";

const { ignore } = requirements({ tools: ["tcpdump"] });
const ETHERNET_BYTES = 14;

interface Record {
  readonly name: string;
  readonly data: Bytes;
  readonly originalLength?: number;
}

/**
 * What is told otherwise, and why: RFC 5482 has the granularity of the user timeout in the first
 * bit, where tcpdump takes the last; messages of NTP and LLDP are told in one line.
 */
const OTHERWISE = /\buto 0x|NTPv4, Client|^(\S+ > \S+, ethertype LLDP.*: )?LLDP, /m;

/** Each packet with a number of its own in its time, which finds it again in the output. */
function captureOf(records: readonly Record[], linktype: number): Uint8Array<ArrayBuffer> {
  const pieces: number[] = [];
  const writer = new PcapWriter((bytes) => bytes.forEach((byte) => pieces.push(byte)), {
    linktype,
  });
  records.forEach(({ data, originalLength }, i) => {
    const bytes = Uint8Array.from(data);
    writer.write({ timestamp_us: 1_500_000 * i + 7, data: bytes, originalLength });
  });
  writer.close();
  return Uint8Array.from(pieces);
}

/** What each prints of every frame; lines begin with the number that `-#` gives. */
function split(text: string): string[] {
  return text.split(/^ *\d+ {2}/m).slice(1);
}

async function theirLines(path: string, switches: readonly string[]): Promise<string[]> {
  const { success, stdout, stderr } = await new Deno.Command("tcpdump", {
    args: ["-n", "-#", "-r", path, ...switches],
    env: { TZ: "UTC" },
    stderr: "piped",
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return split(new TextDecoder("latin1").decode(stdout));
}

async function ourLines(
  bytes: Uint8Array<ArrayBuffer>,
  switches: readonly string[],
): Promise<string[]> {
  let [out, err] = ["", ""];
  const status = await tcpdump(["-#", "-r", "file", ...switches], {
    read: () => Promise.resolve(bytes),
    create: () => Promise.reject(new Error("nothing is written")),
    out: (text) => out += text,
    err: (text) => err += text,
  });
  assertEquals([status, err], [0, ""]);
  return split(out);
}

interface Difference {
  readonly name: string;
  readonly ours: string;
  readonly theirs: string;
}

/** Prints a capture with both; every frame of which the lines differ. */
async function compared(
  bytes: Uint8Array<ArrayBuffer>,
  names: readonly string[],
  switches: readonly string[],
): Promise<Difference[]> {
  const path = await Deno.makeTempFile({ suffix: ".pcap" });
  try {
    await Deno.writeFile(path, bytes);
    const theirs = await theirLines(path, switches);
    const ours = await ourLines(bytes, switches);
    assertEquals([ours.length, theirs.length], [names.length, names.length]);
    return names.map((name, i) => ({ name, ours: ours[i], theirs: theirs[i] }))
      .filter(({ ours, theirs }) => ours !== theirs && !OTHERWISE.test(ours));
  } finally {
    await Deno.remove(path);
  }
}

function differences(
  records: readonly Record[],
  linktype: number,
  switches: readonly string[],
): Promise<Difference[]> {
  return compared(captureOf(records, linktype), records.map(({ name }) => name), switches);
}

const whole = allFrames().map(([name, data]): Record => ({ name, data }));
const LONG = whole.length;

/** Times are told in UTC: our own would be the machine's. */
const UTC = new Date(0).getTimezoneOffset() === 0;

const SWITCHES: readonly string[] = [
  "-t",
  "-t -v",
  "-t -vv",
  "-t -vvv",
  "-t -e",
  "-t -e -v",
  "-t -q",
  "-t -q -e",
  "-t -S",
  "-t -S -vv",
  "-t -K -v",
  "-t -x",
  "-t -xx",
  "-t -X -e",
  "-t -XX -vv",
  "-t -A",
  "-t -AA",
  "-tt",
  "-ttt",
  "-ttttt",
  ...(UTC ? ["", "-tttt"] : []),
];

for (const switches of SWITCHES) {
  Deno.test({
    name: `tcpdump ${switches || "without switches"}: ${LONG} frames as tcpdump tells them`,
    ignore,
    fn: async () => {
      const args = switches.split(" ").filter((word) => word !== "");
      assertEquals(await differences(whole, 1, args), []);
    },
  });
}

const isIp4 = ([, frame]: NamedFrame) => frame[12] === 0x08 && frame[13] === 0;
const isIp6 = ([, frame]: NamedFrame) => frame[12] === 0x86 && frame[13] === 0xdd;
const COOKED = [0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0];
/** Link types, with the headers of packets of IPv4 and IPv6. */
const LINKS: readonly (readonly [name: string, linktype: number, ip4: Bytes, ip6: Bytes])[] = [
  ["raw IP", 101, [], []],
  ["IPv4", 228, [], []],
  ["BSD loopback", 0, [2, 0, 0, 0], [24, 0, 0, 0]],
  ["BSD loopback of the other order", 0, [0, 0, 0, 2], [0, 0, 0, 30]],
  ["OpenBSD loopback", 108, [0, 0, 0, 2], [0, 0, 0, 24]],
  ["Linux cooked", 113, [...COOKED, 8, 0], [...COOKED, 0x86, 0xdd]],
];

for (const [link, linktype, ip4, ip6] of LINKS) {
  Deno.test({
    name: `tcpdump: packets on ${link} as tcpdump tells them`,
    ignore,
    fn: async () => {
      const records = allFrames().filter((frame) => isIp4(frame) || isIp6(frame)).map((frame) => ({
        name: frame[0],
        data: [...(isIp4(frame) ? ip4 : ip6), ...frame[1].slice(ETHERNET_BYTES)],
      }));
      assert(records.length > 150);
      for (const switches of ["-t", "-t -e", "-t -v", "-t -x", "-t -xx"]) {
        assertEquals(await differences(records, linktype, switches.split(" ")), [], switches);
      }
    },
  });
}

/**
 * Where exactly a line breaks off is tcpdump's own affair: of answers of DNS it tells none that is
 * not whole, without a word. Nearly all lines are the same, and others begin alike.
 */
Deno.test({
  name: "tcpdump: frames cut at every length, nearly all as tcpdump tells them",
  ignore,
  fn: async () => {
    const cut = whole.filter(({ name }) => !name.startsWith("dns")).flatMap(({ name, data }) =>
      data.map((_, i): Record => ({
        name: `${name}, cut to ${i + 1}`,
        data: data.slice(0, i + 1),
        originalLength: data.length,
      }))
    );
    for (const switches of [["-t"], ["-t", "-e", "-S"]]) {
      const odd = await differences(cut, 1, switches);
      assert(cut.length > 10_000);
      assert(odd.length < cut.length * 0.015, `${odd.length} of ${cut.length} differ`);
      for (const { name, ours, theirs } of odd) {
        assertEquals(ours.slice(0, 20), theirs.slice(0, 20), name);
      }
    }
  },
});

const TRANSFER_BYTES = 300_000;

/** What two stacks say over a cable that loses and reorders, and a datagram in fragments. */
async function conversation(): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  const writer = new PcapngWriter((bytes) => pieces.push(bytes));
  const [left, right] = pipe();
  const lossy = new FaultDriver(left, { seed: 7, tx: { loss: 0.03, reorder: 0.03 } });
  const driver = new TraceDriver(lossy, { writer });
  await using one = await createStack({
    interfaces: [{ driver, name: "eth0", addresses: ["10.0.0.1/24"] }],
  });
  await using two = await createStack({
    interfaces: [{ driver: right, name: "eth0", addresses: ["10.0.0.2/24"] }],
  });
  using listener = two.listen({ hostname: "10.0.0.2", port: 80 });
  const [client, server] = await Promise.all([
    one.connect({ hostname: "10.0.0.2", port: 80 }),
    listener.accept(),
  ]);
  using _client = client;
  using _server = server;
  const sent = new Blob([new Uint8Array(TRANSFER_BYTES).fill(65)]).stream().pipeTo(client.writable);
  const got = await new Response(server.readable).bytes();
  await sent;
  assertEquals(got.length, TRANSFER_BYTES);
  using udp = one.listenDatagram({ hostname: "10.0.0.1", port: 4000 });
  await udp.send(new Uint8Array(4000), { hostname: "10.0.0.2", port: 9 });
  writer.close();
  return await new Blob(pieces).bytes();
}

Deno.test({
  name: "tcpdump: what two stacks say, with losses, as tcpdump tells it",
  ignore,
  fn: async () => {
    const bytes = await conversation();
    const names = [...openCapture(bytes)].map(({ offset }) => `frame at ${offset}`);
    assert(names.length > 200);
    assert((await ourLines(bytes, [])).some((line) => line.includes(",sack ")), "nothing was lost");
    for (const switches of [["-t"], ["-t", "-e", "-v"], ["-t", "-S", "-vv", "-X"]]) {
      assertEquals(await compared(bytes, names, switches), []);
    }
  },
});
