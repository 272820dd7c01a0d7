/** Keepalive: RFC 9293 3.8.4. */

import { assertEquals } from "@std/assert";
import { IpProto } from "../../assembly/abi/proto.ts";
import { So, Sol, TcpOpt } from "../../assembly/abi/socket.ts";
import { Stat } from "../../assembly/abi/stat.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { type Conn, Errno } from "./harness.ts";
import { accepted, established } from "./shake.ts";

const SECOND = 1_000_000;
const KEEP: [number, number, number][] = [
  [Sol.SOCKET, So.KEEPALIVE, 1],
  [IpProto.TCP, TcpOpt.KEEPIDLE, 60],
  [IpProto.TCP, TcpOpt.KEEPINTVL, 10],
  [IpProto.TCP, TcpOpt.KEEPCNT, 3],
];

/** A probe: an ACK one before SND.NXT, nothing else. */
const PROBE = { flags: "A", seq: 0, ack: 1, len: 0 };

function expectProbes(c: Conn): void {
  assertEquals(c.expectWithin(200 * SECOND, PROBE), 60 * SECOND);
  c.silent();
  c.send({});
  c.silent();
  assertEquals(c.expectWithin(200 * SECOND, PROBE), 60 * SECOND);
}

Deno.test("RFC 9293 3.8.4 (MUST-25): off unless asked for", async () => {
  const c = await established();
  c.silentFor(100_000 * SECOND);
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.end();
});

Deno.test("RFC 9293 3.8.4 (MUST-28): two hours by default", async () => {
  const c = await established({ options: [[Sol.SOCKET, So.KEEPALIVE, 1]] });
  assertEquals(c.expectWithin(10_000 * SECOND, PROBE), 7200 * SECOND);
  assertEquals(c.expectWithin(10_000 * SECOND, PROBE), 75 * SECOND);
  c.end();
});

// SHLD-12
Deno.test("RFC 9293 3.8.4: probes without data when idle; an answer helps", async () => {
  const c = await established({ options: KEEP });
  expectProbes(c);
  c.send({});
  assertEquals(c.stat(Stat.TCP_KEEPALIVE), 2);
  c.end();
});

Deno.test("RFC 9293 3.8.4: accepted connections inherit it", async () => {
  const { c } = await accepted({ options: KEEP });
  expectProbes(c);
  c.end();
});

Deno.test("RFC 9293 3.8.4 (MUST-24): it can be switched on and off while connected", async () => {
  const c = await established({ options: KEEP.slice(1) });
  c.silentFor(1000 * SECOND);
  c.host.setopt(c.so, Sol.SOCKET, So.KEEPALIVE, 1);
  c.host.untilSent(1000 * SECOND);
  c.expect(PROBE);
  c.send({});
  c.host.setopt(c.so, Sol.SOCKET, So.KEEPALIVE, 0);
  c.silentFor(1000 * SECOND);
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.end();
});

Deno.test("RFC 9293 3.8.4 (MUST-26): data from the peer puts the probe off", async () => {
  const c = await established({ options: KEEP });
  for (let i = 0; i < 5; i++) {
    c.host.advance(50 * SECOND);
    c.send({ data: "x" });
    c.host.advance(SECOND);
    assertEquals(c.takeAll().every((s) => s.ack > 1), true);
  }
  assertEquals(c.stat(Stat.TCP_KEEPALIVE), 0);
  c.end();
});

// MUST-27, MUST-29
Deno.test("RFC 9293 3.8.4: only after several unanswered probes: ETIMEDOUT", async () => {
  const c = await established({ options: KEEP });
  assertEquals(c.expectWithin(200 * SECOND, PROBE), 60 * SECOND);
  assertEquals(c.expectWithin(200 * SECOND, PROBE), 10 * SECOND);
  assertEquals(c.expectWithin(200 * SECOND, PROBE), 10 * SECOND);
  assertEquals(c.expectWithin(200 * SECOND, { flags: "RA", seq: 1 }), 10 * SECOND);
  assertEquals(c.state(), TcpState.CLOSED);
  c.readFails(Errno.ETIMEDOUT);
  c.end();
});

Deno.test("RFC 9293 3.8.4: a peer that has forgotten answers RST: ECONNRESET", async () => {
  const c = await established({ options: KEEP });
  c.expectWithin(200 * SECOND, PROBE);
  c.send({ flags: "R", seq: 1 });
  c.readFails(Errno.ECONNRESET);
  c.end();
});

Deno.test("RFC 9293 3.8.4: we answer the peer's probes, with and without a byte", async () => {
  const c = await established();
  c.send({ data: "abc" });
  c.host.advance(40_000);
  c.expect({ ack: 4 });
  c.send({ seq: 3 });
  c.expect({ flags: "A", seq: 1, ack: 4, len: 0 });
  c.send({ seq: 3, data: "?" });
  c.expect({ flags: "A", seq: 1, ack: 4, len: 0 });
  assertEquals(c.read(), "abc");
  c.end();
});

Deno.test("RFC 9293 3.8.4: impossible times and counts are refused", async () => {
  const c = await established();
  const bad = [
    [TcpOpt.KEEPIDLE, 0],
    [TcpOpt.KEEPIDLE, -1],
    [TcpOpt.KEEPIDLE, 32_768],
    [TcpOpt.KEEPINTVL, 0],
    [TcpOpt.KEEPCNT, 0],
    [TcpOpt.KEEPCNT, 128],
  ];
  for (const [name, value] of bad) {
    assertEquals(c.host.trySetopt(c.so, IpProto.TCP, name, value), -Errno.EINVAL);
  }
  c.host.setopt(c.so, IpProto.TCP, TcpOpt.KEEPIDLE, 32_767);
  assertEquals(c.host.getopt(c.so, IpProto.TCP, TcpOpt.KEEPIDLE), 32_767);
  c.end();
});

Deno.test("RFC 9293 3.8.4 (MUST-26): no probes while data is outstanding", async () => {
  const c = await established({ options: KEEP });
  c.write("x");
  for (let i = 0; i < 20; i++) {
    c.host.advance(10 * SECOND);
    for (const s of c.takeAll()) assertEquals([s.seq, s.data.length], [1, 1], "sent again");
  }
  assertEquals(c.stat(Stat.TCP_KEEPALIVE), 0);
  c.end();
});
