/** The parts of the AF_XDP driver that need no kernel: options, rings, the program. */

import { assertEquals, assertThrows } from "@std/assert";
import { AfXdpDriver, type AfXdpOptions } from "../../../drivers/af_xdp.ts";
import { redirectProgram } from "../../../drivers/af_xdp_program.ts";
import { ConsumerRing, ProducerRing, ringOffsets } from "../../../drivers/af_xdp_rings.ts";

Deno.test("af_xdp: refuses options that nothing can have", () => {
  const wrong: [Partial<AfXdpOptions>, string][] = [
    [{ interface: "with space" }, "an interface name has 1 to 15 bytes"],
    [{ queue: -1 }, "queue must be a whole number from 0"],
    [{ queue: 0.5 }, "queue must be a whole number"],
    [{ mode: "hardware" as "skb" }, 'mode must be "skb" or "native"'],
    [{ mtu: 70_000 }, "mtu must be"],
    [{ hwaddr: Uint8Array.of(255, 0, 0, 0, 0, 1) }, "no group address"],
  ];
  for (const [options, words] of wrong) {
    assertThrows(() => new AfXdpDriver({ interface: "eth1", ...options }), RangeError, words);
  }
});

Deno.test("af_xdp: the program loads the queue, the map and the fallback, and redirects", () => {
  const hex = (bytes: Uint8Array) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0"));
  assertEquals(hex(redirectProgram(0x1234)).join("").match(/.{16}/g), [
    "6112100000000000",
    "1811000034120000",
    "0000000000000000",
    "b703000002000000",
    "8500000033000000",
    "9500000000000000",
  ]);
});

Deno.test("af_xdp: reads where the parts of a ring are", () => {
  const answer = new DataView(new ArrayBuffer(128));
  for (let i = 0; i < 16; i++) answer.setBigUint64(8 * i, BigInt(64 * i), true);
  const third = { producer: 512, consumer: 576, entries: 640, flags: 704 };
  assertEquals(ringOffsets(answer, 2), third);
});

Deno.test("af_xdp: rings give room and take entries, across the end of 32 bits", () => {
  const offsets = { producer: 0, consumer: 4, flags: 8, entries: 16 };
  const buffer = new ArrayBuffer(16 + 4 * 8);
  const words = new Int32Array(buffer);
  const producer = new ProducerRing(buffer, offsets, 4, 8);
  const consumer = new ConsumerRing(buffer, offsets, 4, 8);
  assertEquals([producer.room, producer.pending, consumer.available], [4, 0, 0]);
  assertEquals([0, 1, 3, 4].map((ahead) => producer.entry(ahead)), [4, 6, 10, 4]);
  producer.publish(3);
  assertEquals([producer.room, producer.pending, consumer.available], [1, 3, 3]);
  assertEquals(producer.entry(0), 10);
  consumer.release(2);
  assertEquals([producer.room, producer.pending, consumer.available], [3, 1, 1]);
  consumer.release(1);
  // On to two entries before the end of 32 bits.
  for (const leap of [0x7fffffff, 0x7fffffff, -3]) {
    producer.publish(leap);
    consumer.release(leap);
  }
  assertEquals(words[0], -2);
  for (let i = 0; i < 4; i++) {
    producer.publish(1);
    assertEquals([producer.room, consumer.available], [3, 1]);
    consumer.release(1);
  }
  assertEquals(words[0], 2);
  producer.publish(2);
  assertEquals([producer.room, consumer.available], [2, 2]);
  consumer.release(2);
  assertEquals([producer.room, producer.pending, consumer.available], [4, 0, 0]);
  assertEquals(words[0], words[1]);
  words[2] = 1;
  assertEquals(producer.needsWakeup, true);
  words[2] = 0;
  assertEquals(producer.needsWakeup, false);
});
