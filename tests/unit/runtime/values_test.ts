/** Values without a stack: addresses, clocks, randomness, errors, deadlines, tables of text. */

import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Errno } from "../../../assembly/abi/errno.ts";
import { ManualClock, RealClock } from "../../../runtime/clock.ts";
import { SeededEntropy, SystemEntropy } from "../../../runtime/entropy.ts";
import { errnoName, EWOULDBLOCK, SocketError } from "../../../runtime/errors.ts";
import { table } from "../../../runtime/netstat_text.ts";
import { Deadlines, type Timed } from "../../../runtime/socket/deadlines.ts";
import * as inet from "../../../runtime/socket/inet_addr.ts";

const SEED = 20250807;

Deno.test("IPv4 addresses: text and number are each other's inverse", () => {
  const address = fc.integer({ min: 0, max: 0xffffffff });
  fc.assert(
    fc.property(address, (n) => assertEquals(inet.parseIpv4(inet.formatIpv4(n)), n)),
    { seed: SEED, numRuns: 2000 },
  );
  assertEquals(inet.formatIpv4(0), "0.0.0.0");
  assertEquals(inet.formatIpv4(0xffffffff), "255.255.255.255");
  assertEquals(inet.formatIpv4(0x0a000001), "10.0.0.1");
});

Deno.test("IPv4 addresses: only the strict form is one", () => {
  const bad = [
    "",
    "1.2.3",
    "1.2.3.4.5",
    "01.2.3.4",
    "256.1.1.1",
    "1.2.3.-4",
    "1.2.3.4 ",
    "a.b.c.d",
    "1.2.3.",
    ".1.2.3",
    "1..2.3",
    "1.2.3.4.",
    "1.2.3.00",
    "1.2.3.256",
    "1.2.3.1000",
    "1.2.3.4\n",
    "1.2.3.４",
  ];
  for (const text of bad) assertEquals(inet.parseIpv4(text), undefined, text);
});

Deno.test("IPv6 addresses: forms of RFC 4291 in, the form of RFC 5952 out", () => {
  const forms: [string, string][] = [
    ["::", "::"],
    ["::1", "::1"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["2001:db8::1:0:0:1", "2001:db8::1:0:0:1"],
    ["::ffff:10.0.0.1", "::ffff:a00:1"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
  ];
  for (const [text, canonical] of forms) {
    const bytes = inet.parseIpv6(text);
    assert(bytes !== undefined, text);
    assertEquals(inet.formatIpv6(bytes), canonical);
  }
  assertEquals([...inet.parseIpv6("2001:db8::9")!], [
    ...[0x20, 0x01, 0x0d, 0xb8],
    ...new Array(11).fill(0),
    9,
  ]);
  for (const text of ["", "1.2.3.4", ":::", "1::2::3", "12345::", "::1%eth0", "g::", "1:2:3"]) {
    assertEquals(inet.parseIpv6(text), undefined, text);
  }
});

Deno.test("prefixes: every length has its mask, and no other mask has a length", () => {
  for (let bits = 0; bits <= 32; bits++) {
    const prefix = inet.parsePrefix(`10.1.2.3/${bits}`)!;
    const mask = bits === 0 ? 0 : Number(BigInt.asUintN(32, 0xffffffffn << BigInt(32 - bits)));
    assertEquals([prefix.bits, prefix.mask], [bits, mask]);
    assertEquals(inet.bitsOf(prefix.mask), bits);
  }
  assertEquals(inet.parsePrefix("10.1.2.3")?.bits, 32);
  assertEquals(inet.bitsOf(0xff00ff00), undefined);
  for (const text of ["10.0.0.1/33", "10.0.0.1/", "10.0.0.1/8/8", "10.0.0/8", "10.0.0.1/-1"]) {
    assertEquals(inet.parsePrefix(text), undefined, text);
  }
});

Deno.test("a manual clock goes forward only", () => {
  const clock = new ManualClock(5);
  clock.advance(10);
  assertEquals(clock.now_us(), 15);
  clock.set(20);
  assertThrows(() => clock.set(19), RangeError);
  assertThrows(() => clock.advance(-1), RangeError);
  assertThrows(() => clock.advance(NaN), RangeError);
  assertThrows(() => clock.set(Infinity), RangeError);
  assertEquals(clock.now_us(), 20);
  assertEquals([clock.manual, new RealClock().manual], [true, false]);
});

Deno.test("seeded randomness repeats, and differs between seeds", () => {
  const draw = (seed: number | string) => {
    const entropy = new SeededEntropy(seed);
    return Array.from({ length: 64 }, () => entropy.next32());
  };
  assertEquals(draw(7), draw(7));
  assertEquals(draw("a"), draw("a"));
  const all = [draw(7), draw(8), draw(-7), draw(2 ** 40 + 7), draw("a"), draw("b")].flat();
  assertEquals(new Set(all).size, all.length);
  assert(all.every((word) => word >>> 0 === word));
  assertThrows(() => new SeededEntropy(0.5), RangeError);
  const system = new SystemEntropy();
  assertNotEquals([system.next32(), system.next32()], [system.next32(), system.next32()]);
});

Deno.test("a SocketError tells code, number, call, and the name that Deno uses", () => {
  const error = new SocketError(Errno.ECONNREFUSED, "connect");
  assertEquals([error.code, error.errno, error.syscall], ["ECONNREFUSED", 79, "connect"]);
  assertEquals(error.name, "ConnectionRefused");
  assertEquals(error.message, "connect: ECONNREFUSED: nobody listens there");
  assertEquals(new SocketError(Errno.ENOBUFS, "send").name, "SocketError");
  assertEquals(new SocketError(Errno.EINVAL, "bind", "why").message, "bind: EINVAL: why");
  assertEquals(EWOULDBLOCK, Errno.EAGAIN);
  assertEquals(errnoName(4242), "E4242");
  const names = Object.keys(Deno.errors);
  for (let errno = 1; errno < 128; errno++) {
    const { name } = new SocketError(errno, "x");
    assert(name === "SocketError" || names.includes(name), name);
  }
});

Deno.test("deadlines come out in order, whatever goes in and is taken out", () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 50 }), fc.boolean()), {
    maxLength: 200,
  });
  fc.assert(
    fc.property(steps, (list) => {
      const heap = new Deadlines<Timed>();
      const model: Timed[] = [];
      for (const [value, add] of list) {
        if (add || model.length === 0) {
          const item = { deadline_us: value, place: -1 };
          heap.add(item);
          model.push(item);
        } else {
          const [item] = model.splice(value % model.length, 1);
          heap.remove(item);
          heap.remove(item);
          assertEquals(item.place, -1);
        }
        const least = Math.min(Infinity, ...model.map((item) => item.deadline_us));
        assertEquals(heap.next_us, least);
      }
      const left = model.map((item) => item.deadline_us).sort((a, b) => a - b);
      const taken: number[] = [];
      for (let item = heap.takeDue(100); item; item = heap.takeDue(100)) {
        taken.push(item.deadline_us);
      }
      assertEquals(taken, left);
      assertEquals(heap.next_us, Infinity);
    }),
    { seed: SEED, numRuns: 300 },
  );
  const heap = new Deadlines<Timed>();
  heap.add({ deadline_us: 10, place: -1 });
  assertEquals(heap.takeDue(9), undefined);
  assertEquals(heap.takeDue(10)?.deadline_us, 10);
});

Deno.test("tables align text left and numbers right", () => {
  assertEquals(
    table(["name", "n"], [["eth0", 5], ["lo", 123]]),
    "name    n\neth0    5\nlo    123",
  );
  assertEquals(table(["a", "b"], [[1, "x"], [2, ""]]), "a  b\n1  x\n2");
});
