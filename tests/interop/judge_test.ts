/** The judge of the captures must find what it is there to find. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { PcapngWriter } from "../../drivers/pcapng.ts";
import * as packets from "../fuzz/packets.ts";
import { findFaults, judge } from "./kit/judge.ts";
import { requirements } from "./require.ts";

const { ignore } = requirements({ tools: ["tshark"] });

/** An echo request of 8 bytes in IPv4 in Ethernet, all checksums right. */
const ECHO_REQUEST = Uint8Array.of(
  ...[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0],
  ...[0x45, 0, 0, 36, 0, 1, 0, 0, 64, 1, 0x66, 0xd6, 10, 0, 0, 1, 10, 0, 0, 2],
  ...[8, 0, 0xe7, 0xe8, 0, 1, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8],
);

/** A UDP datagram of one byte. */
const DATAGRAM = Uint8Array.of(
  ...[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0],
  ...[0x45, 0, 0, 29, 0, 1, 0, 0, 64, 17, 0x66, 0xcd, 10, 0, 0, 1, 10, 0, 0, 2],
  ...[0, 7, 0, 9, 0, 9, 0xa9, 0xc9, 0x42],
);

/** Runs `use` on a capture of these frames. */
async function withCapture(frames: Uint8Array[], use: (path: string) => Promise<void>) {
  const path = await Deno.makeTempFile({ suffix: ".pcapng" });
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const writer = new PcapngWriter((bytes) => parts.push(Uint8Array.from(bytes)));
  writer.addInterface();
  frames.forEach((data, i) => writer.write({ timestamp_us: i, data }));
  writer.close();
  try {
    await Deno.writeFile(path, await new Blob(parts).bytes());
    await use(path);
  } finally {
    await Deno.remove(path);
  }
}

function changed(frame: Uint8Array, at: number, value: number): Uint8Array {
  const copy = frame.slice();
  copy[at] = value;
  return copy;
}

Deno.test({
  name: "the judge passes good frames, and wants at least one",
  ignore,
  fn: async () => {
    await withCapture([ECHO_REQUEST, DATAGRAM], (path) => judge(path));
    const error = await assertRejects(() => withCapture([], (path) => judge(path)));
    assertStringIncludes(String(error), "has no frame");
  },
});

Deno.test({
  name: "the judge finds bad checksums and malformed frames",
  ignore,
  fn: async () => {
    const frames = [
      ECHO_REQUEST,
      changed(ECHO_REQUEST, 22, 63),
      changed(ECHO_REQUEST, 42, 9),
      DATAGRAM,
      changed(DATAGRAM, 42, 0x43),
      DATAGRAM.subarray(0, 37),
      changed(DATAGRAM, 14, 0x41),
    ];
    await withCapture(frames, async (path) => {
      const faults = await findFaults(path);
      assertEquals(faults.map(({ frame }) => frame), [2, 3, 5, 6, 7]);
      const error = await assertRejects(() => judge(path));
      assertStringIncludes(String(error), "5 frames");
    });
  },
});

Deno.test({
  name: "the judge excuses only what is allowed, and only from whom",
  ignore,
  fn: async () => {
    await withCapture([changed(DATAGRAM, 42, 0x43)], async (path) => {
      const [{ messages }] = await findFaults(path);
      const allowed = { message: messages[0].slice(0, 12), reason: "a test" };
      assertEquals(await findFaults(path, [allowed]), []);
      assertEquals(await findFaults(path, [{ ...allowed, from: "10.0.0.1" }]), []);
      assertEquals((await findFaults(path, [{ ...allowed, from: "10.0.0.2" }])).length, 1);
    });
  },
});

/** A segment whose checksum is 0, with the other zero of ones' complement in its place. */
function otherZero(): Uint8Array {
  const fields = { sport: 7, dport: 9, seq: 1, flags: 0x10 };
  const ends = { src: 0x0a000001, dst: 0x0a000002, protocol: packets.TCP };
  const checksum = packets.u16(packets.ip4(ends, packets.tcp({ ...fields, window: 0 })), 36);
  const packet = packets.ip4(ends, packets.tcp({ ...fields, window: checksum }));
  assertEquals(packets.u16(packet, 36), 0);
  packets.put16(packet, 36, 0xffff);
  const mac = new Uint8Array(6);
  return packets.ether(mac, mac, packets.ETHERTYPE_IP, packet);
}

Deno.test({
  name: "the judge excuses a complaint about a checksum that is no error",
  ignore,
  fn: async () => {
    await withCapture([otherZero()], async (path) => {
      assertEquals((await findFaults(path)).length, 1);
      const allowed = { message: "0xffff instead of 0x0000", from: "10.0.0.1", reason: "a test" };
      assertEquals(await findFaults(path, [allowed]), []);
      assertEquals((await findFaults(path, [{ ...allowed, from: "10.0.0.2" }])).length, 1);
    });
  },
});
