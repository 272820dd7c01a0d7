/** Active opens: RFC 9293 3.5, 3.10.7.3 and 3.8.3, RFC 6298 2.1 and 5.7, RFC 5681 3.1. */

import { assertEquals } from "@std/assert";
import { Fate } from "../../assembly/abi/fate.ts";
import { Stat } from "../../assembly/abi/stat.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { Errno, pattern } from "./harness.ts";
import { connecting, established } from "./shake.ts";

const SECOND = 1_000_000;

Deno.test("RFC 9293 3.5: SYN, SYN-ACK, ACK; then data flows both ways", async () => {
  const c = await established();
  c.write("hello");
  c.expect({ flags: "PA", seq: 1, ack: 1, data: "hello" });
  c.send({ ack: 6 });
  c.silent();
  c.send({ data: "world" });
  assertEquals(c.read(), "world");
  assertEquals(c.stat(Stat.TCP_ACTIVE_OPENS), 1);
  assertEquals(c.stat(Stat.TCP_CONNECTED), 1);
  c.end();
});

Deno.test("RFC 9293 3.7.1: the SYN offers MSS, SACK, timestamps and window scale", async () => {
  const c = await connecting();
  c.host.advance(SECOND);
  const again = c.expect({ flags: "S", seq: 0, mss: 1460, wscale: 7, sackOk: true, ts: true });
  assertEquals(again.ts?.[1], 0, "TSecr of a SYN is 0 (RFC 7323 3.2)");
  assertEquals(again.ack, 0);
  assertEquals(again.win, 65535, "never scaled (RFC 7323 2.2)");
  c.end();
});

Deno.test("RFC 9293 3.7.1 (MUST-67): the MSS follows the MTU of the interface", async () => {
  const c = await connecting({ host: { mtu: 576 } });
  c.host.advance(SECOND);
  c.expect({ flags: "S", mss: 536 });
  c.end();
});

// MUST-22
Deno.test("RFC 6298 5.5: SYN is sent again after 1, 2, 4, 8, 16 s; then ETIMEDOUT", async () => {
  const c = await connecting();
  for (const seconds of [1, 2, 4, 8, 16]) {
    assertEquals(c.expectWithin(100 * SECOND, { flags: "S", seq: 0 }), seconds * SECOND);
  }
  c.silentFor(32 * SECOND - 1);
  assertEquals(c.state(), TcpState.SYN_SENT);
  c.silentFor(1);
  assertEquals(c.state(), TcpState.CLOSED);
  assertEquals(c.host.error(c.so), Errno.ETIMEDOUT);
  assertEquals(c.host.error(c.so), 0, "the error is told once");
  c.end();
});

Deno.test("RFC 9293 3.10.7.3: RST that acknowledges the SYN means ECONNREFUSED", async () => {
  const c = await connecting();
  c.send({ flags: "RA", seq: 0, ack: 1 });
  c.silent();
  assertEquals(c.state(), TcpState.CLOSED);
  assertEquals(c.host.error(c.so), Errno.ECONNREFUSED);
  c.end();
});

Deno.test("RFC 9293 3.10.7.3: RST without ACK, or with a wrong one, changes nothing", async () => {
  const c = await connecting();
  for (const rst of [{ flags: "R", seq: 0 }, { flags: "RA", seq: 0, ack: 2 }]) {
    c.send(rst);
    assertEquals(c.fate(), Fate.TCP_SYN_SENT_INVALID);
  }
  c.send({ flags: "RA", seq: 0, ack: 0 });
  assertEquals(c.fate(), Fate.TCP_SYN_SENT_INVALID);
  c.silent();
  assertEquals(c.state(), TcpState.SYN_SENT);
  c.end();
});

Deno.test("RFC 9293 3.10.7.3: an unacceptable ACK is answered with RST at its number", async () => {
  const c = await connecting();
  for (const [flags, ack] of [["SA", 0], ["SA", 2], ["A", 77]] as const) {
    c.send({ flags, seq: 0, ack });
    assertEquals(c.fate(), Fate.TCP_SYN_SENT_INVALID);
    c.expect({ flags: "R", seq: ack, len: 0 });
  }
  assertEquals(c.state(), TcpState.SYN_SENT);
  c.end();
});

Deno.test("RFC 9293 3.10.7.3: neither SYN nor RST is dropped silently", async () => {
  const c = await connecting();
  c.send({ flags: "A", seq: 0, ack: 1 });
  c.send({ flags: "F", seq: 0 });
  assertEquals(c.fate(), Fate.TCP_SYN_SENT_INVALID);
  c.silent();
  assertEquals(c.state(), TcpState.SYN_SENT);
  c.end();
});

Deno.test("RFC 9293 3.10.7.3: a SYN-ACK may carry data and FIN", async () => {
  const c = await connecting();
  c.send({ flags: "FSA", seq: 0, ack: 1, mss: 1460, data: "bye" });
  c.expect({ flags: "A", seq: 1, ack: 5 });
  assertEquals(c.state(), TcpState.CLOSE_WAIT);
  assertEquals(c.read(), "bye");
  assertEquals(c.read(), "");
  c.end();
});

Deno.test("RFC 9293 3.10.4: close in SYN-SENT ends the attempt without a word", async () => {
  const c = await connecting();
  c.close();
  c.silentFor(100 * SECOND);
  c.send({ flags: "SA", seq: 0, ack: 1, mss: 1460 });
  assertEquals(c.fate(), Fate.TCP_NO_CONNECTION);
  c.expect({ flags: "R", seq: 1 });
  c.end();
});

Deno.test("RFC 6298 5.7: after a lost SYN the RTO begins at 3 s", async () => {
  const c = await connecting();
  c.expectWithin(SECOND, { flags: "S" });
  c.host.advance(10_000);
  c.send({ flags: "SA", seq: 0, ack: 1, mss: 1460 });
  c.expect({ flags: "A" });
  c.write("x");
  c.expect({ flags: "A", data: "x" });
  assertEquals(c.expectWithin(10 * SECOND, { flags: "A", data: "x" }), 3 * SECOND);
  c.end();
});

Deno.test("RFC 5681 3.1-4: after a lost SYN the window begins at one segment", async () => {
  const c = await connecting();
  c.expectWithin(SECOND, { flags: "S" });
  c.send({ flags: "SA", seq: 0, ack: 1, mss: 1460 });
  c.expect({ flags: "A" });
  c.write(pattern(10_000));
  c.expect({ seq: 1, len: 1460 });
  c.silent();
  c.end();
});

Deno.test("RFC 6298 2.2: the handshake gives the first sample of the RTT", async () => {
  const c = await connecting();
  c.host.advance(100_000);
  c.send({ flags: "SA", seq: 0, ack: 1, mss: 1460 });
  c.expect({ flags: "A" });
  c.write("x");
  c.expect({ data: "x" });
  assertEquals(c.expectWithin(SECOND, { data: "x" }), 300_000);
  c.end();
});

Deno.test("connect twice: EALREADY while under way, EISCONN when done", async () => {
  const c = await connecting();
  const again = () => c.host.call("so_connect", c.so, c.host.name("192.0.2.1", 80));
  assertEquals(again(), -Errno.EALREADY);
  c.send({ flags: "SA", seq: 0, ack: 1, mss: 1460 });
  c.expect({ flags: "A" });
  assertEquals(again(), -Errno.EISCONN);
  c.end();
});
