/** One line about a frame, for any bytes. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { summarize } from "../../../examples/start/frame_summary.ts";

function hex(...parts: string[]): Uint8Array {
  const digits = parts.join("").replaceAll(" ", "");
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

const ETHERNET = "020000000002 020000000001";
const IPV4 = "0800 4500 0028 0000 0000 40";
const PAIR = "0a000001 0a000002";

const FRAMES: [string, Uint8Array][] = [
  [
    "TCP 10.0.0.1:4000 > 10.0.0.2:80 [SYN] seq 1",
    hex(ETHERNET, IPV4, "06 0000", PAIR, "0fa0 0050 00000001 00000000 5002 ffff 0000 0000"),
  ],
  [
    "TCP 10.0.0.1:4000 > 10.0.0.2:80 [PSH ACK] seq 1 ack 2, 4 bytes",
    hex(
      ETHERNET,
      "0800 4500 002c 0000 0000 40",
      "06 0000",
      PAIR,
      "0fa0 0050 00000001 00000002 5018 ffff 0000 0000 61626364",
    ),
  ],
  [
    "UDP 10.0.0.1:53 > 10.0.0.2:4000, 2 bytes",
    // The padding of the frame is not data.
    hex(ETHERNET, "0800 4500 001e 0000 0000 40 11 0000", PAIR, "0035 0fa0 000a 0000 6162 00000000"),
  ],
  [
    "ICMP 10.0.0.1 > 10.0.0.2 echo request, 0 bytes",
    hex(ETHERNET, "0800 4500 001c 0000 0000 40 01 0000", PAIR, "0800 0000 00000000"),
  ],
  [
    "ICMP 10.0.0.1 > 10.0.0.2 unreachable code 3, 0 bytes",
    hex(ETHERNET, "0800 4500 001c 0000 0000 40 01 0000", PAIR, "0303 0000 00000000"),
  ],
  [
    "IPv4 10.0.0.1 > 10.0.0.2 protocol 17, fragment at 1480",
    hex(ETHERNET, "0800 4500 001c 0000 20b9 40 11 0000", PAIR, "0000000000000000"),
  ],
  [
    "IPv4 10.0.0.1 > 10.0.0.2 protocol 17, fragment at 1480, the last",
    hex(ETHERNET, "0800 4500 001c 0000 00b9 40 11 0000", PAIR, "0000000000000000"),
  ],
  [
    "IGMP 10.0.0.1 > 10.0.0.2 report 224.0.0.251",
    hex(ETHERNET, "0800 4500 001c 0000 0000 01 02 0000", PAIR, "1600 0000 e00000fb"),
  ],
  [
    "ARP who has 10.0.0.2? tell 10.0.0.1",
    hex(ETHERNET, "0806 0001 0800 0604 0001 020000000001 0a000001 000000000000 0a000002"),
  ],
  [
    "ARP announce 10.0.0.1",
    hex(ETHERNET, "0806 0001 0800 0604 0001 020000000001 0a000001 000000000000 0a000001"),
  ],
  [
    "ARP 10.0.0.1 is at 02:00:00:00:00:01",
    hex(ETHERNET, "0806 0001 0800 0604 0002 020000000001 0a000001 020000000002 0a000002"),
  ],
  ["ethertype 0x88cc 02:00:00:00:00:01 > 02:00:00:00:00:02", hex(ETHERNET, "88cc 0000")],
  ["802.3 frame of 38 bytes 02:00:00:00:00:01 > 02:00:00:00:00:02", hex(ETHERNET, "0026 4242")],
  ["too short for Ethernet", hex("0200")],
  ["IPv4, short", hex(ETHERNET, "0800 4500")],
];

Deno.test("summary: of every kind of frame", () => {
  for (const [words, frame] of FRAMES) assertEquals(summarize(frame, "ethernet"), words);
});

Deno.test("summary: of bare IP packets", () => {
  const packet = hex("4500 001c 0000 0000 40 11 0000", PAIR, "0035 0fa0 0008 0000");
  assertEquals(summarize(packet, "ip"), "UDP 10.0.0.1:53 > 10.0.0.2:4000, 0 bytes");
  assertEquals(summarize(new Uint8Array(), "ip"), "IP, short");
});

Deno.test("summary: no bytes make it throw, wherever a frame is cut or changed", () => {
  for (const [, frame] of FRAMES) {
    for (let length = 0; length <= frame.length; length++) {
      assert(summarize(frame.subarray(0, length), "ethernet").length > 0);
    }
  }
  const known = fc.constantFrom(...FRAMES.map(([, frame]) => frame));
  const flip = fc.tuple(fc.nat(60), fc.nat(255));
  fc.assert(
    fc.property(known, fc.array(flip, { maxLength: 8 }), fc.boolean(), (frame, flips, ip) => {
      const changed = Uint8Array.from(frame);
      for (const [at, value] of flips) if (at < changed.length) changed[at] = value;
      assert(summarize(changed, ip ? "ip" : "ethernet").length > 0);
    }),
    { seed: 20260102, numRuns: 2000 },
  );
});
