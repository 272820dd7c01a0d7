/** Fast Open as a client: RFC 7413 4.1.3, 4.1.3.1, 4.2.1 and 7.3. */

import { assert, assertEquals } from "@std/assert";
import { Stat } from "../../assembly/abi/stat.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { begun, COOKIE, open, primed, sendFirst, SYN_ACK, synDataTaken } from "./fastopen.ts";
import { Errno, Host, PEER } from "./harness.ts";

const SECOND = 1_000_000;

Deno.test("RFC 7413 4.1.3: without a cookie the SYN asks for one", async () => {
  const host = await Host.boot();
  const so = host.socket();
  assertEquals(sendFirst(host, so, "hello"), -Errno.EINPROGRESS);
  const c = begun(host, so);
  c.expect({ flags: "S", seq: 0, len: 0, fo: "", foExp: false, mss: 1460, ts: true });
  assertEquals(sendFirst(host, so, "hello"), -Errno.EALREADY);
  c.send({ ...SYN_ACK, ack: 1, fo: COOKIE });
  c.expect({ flags: "A", seq: 1, ack: 1, len: 0 });
  assertEquals(sendFirst(host, so, "hello"), -Errno.EISCONN);
  c.write("hello");
  c.expect({ flags: "PA", seq: 1, data: "hello" });
  assertEquals(synDataTaken(c), false);
  c.end();
});

Deno.test("RFC 7413 4.2.1: with a cookie the SYN carries the data", async () => {
  const host = await primed();
  const c = open(host, "hello");
  c.expect({ flags: "S", seq: 0, data: "hello", fo: COOKIE, foExp: false });
  assertEquals(c.state(), TcpState.SYN_SENT);
  assertEquals(c.tryWrite("more"), -Errno.EAGAIN);
  c.readFails(Errno.EAGAIN);
  c.send({ ...SYN_ACK, ack: 6 });
  c.expect({ flags: "A", seq: 6, ack: 1, len: 0 });
  assertEquals(c.state(), TcpState.ESTABLISHED);
  assertEquals(synDataTaken(c), true);
  assertEquals(c.stat(Stat.TCP_FASTOPEN_ACTIVE), 1);
  c.write("world");
  c.expect({ flags: "PA", seq: 6, data: "world" });
  c.send({ ack: 11 });
  c.silentFor(SECOND);
  c.end();
});

Deno.test("RFC 7413 4.2.1: data that the SYN-ACK leaves out goes again at once", async () => {
  const host = await primed();
  const c = open(host, "hello");
  c.expect({ flags: "S", data: "hello" });
  const cwnd = 10 * 1460;
  c.send({ ...SYN_ACK, ack: 1 });
  c.expect({ flags: "PA", seq: 1, ack: 1, data: "hello" });
  c.silent();
  assertEquals(synDataTaken(c), false);
  assertEquals(c.stat(Stat.TCP_FASTOPEN_FAILED), 1);
  assert(c.tcb("cwnd") >= cwnd, "no sign of congestion");
  c.send({ ack: 6 });
  c.silentFor(SECOND);
  c.end();
});

Deno.test("RFC 7413 4.2.1: of data taken in part the rest goes again", async () => {
  const host = await primed();
  const c = open(host, "hello world");
  c.expect({ flags: "S", data: "hello world" });
  c.send({ ...SYN_ACK, ack: 6 });
  c.expect({ flags: "PA", seq: 6, ack: 1, data: " world" });
  c.send({ ack: 12 });
  c.silentFor(SECOND);
  c.end();
});

Deno.test("RFC 7413 4.2.1: the SYN-ACK may carry data", async () => {
  const host = await primed();
  const c = open(host, "hello");
  c.expect({ flags: "S" });
  c.send({ ...SYN_ACK, ack: 6, data: "answer" });
  c.expect({ flags: "A", seq: 6, ack: 7 });
  assertEquals(c.read(), "answer");
  c.end();
});

Deno.test("RFC 7413 4.1.3: a SYN that is repeated has neither data nor option", async () => {
  const host = await primed();
  const c = open(host, "hello");
  c.expect({ flags: "S", data: "hello" });
  c.expectWithin(2 * SECOND, { flags: "S", seq: 0, len: 0, fo: null, mss: 1460 });
  c.send({ ...SYN_ACK, ack: 1 });
  c.expect({ flags: "PA", seq: 1, data: "hello" });
  c.end();
});

Deno.test("a late SYN-ACK for the first SYN still takes the data", async () => {
  const host = await primed();
  const c = open(host, "hello");
  c.expect({ flags: "S", data: "hello" });
  c.expectWithin(2 * SECOND, { flags: "S", len: 0 });
  c.send({ ...SYN_ACK, ack: 6 });
  c.expect({ flags: "A", seq: 6, len: 0 });
  assertEquals(synDataTaken(c), true);
  c.end();
});

Deno.test("the SYN takes what the cached MSS has room for, less 40 bytes of options", async () => {
  for (const [mss, space] of [[1460, 1420], [940, 900], [9000, 1420]] as const) {
    const host = await primed({}, { mss });
    const data = "x".repeat(3000);
    const c = open(host, data, space);
    c.expect({ flags: "S", len: space });
    c.send({ ...SYN_ACK, mss, ack: 1 + space });
    c.expect({ flags: "A", seq: 1 + space, len: 0 });
    c.end();
  }
});

Deno.test("a smaller MSS than was cached: the data goes again in pieces", async () => {
  const host = await primed();
  const c = open(host, "x".repeat(1420));
  c.expect({ flags: "S", len: 1420 });
  c.send({ ...SYN_ACK, mss: 600, ack: 1 });
  c.expect({ flags: "A", seq: 1, len: 600 });
  c.expect({ flags: "A", seq: 601, len: 600 });
  c.expect({ flags: "PA", seq: 1201, len: 220 });
  c.send({ ack: 1421 });
  c.silentFor(SECOND);
  c.end();
});

Deno.test("a SYN with a cookie may go without data", async () => {
  const host = await primed();
  const c = open(host, "", -Errno.EINPROGRESS);
  c.expect({ flags: "S", len: 0, fo: COOKIE });
  c.send({ ...SYN_ACK, ack: 1 });
  c.expect({ flags: "A", seq: 1, len: 0 });
  c.end();
});

Deno.test("RFC 7413 4.1.3: a new cookie replaces the old one, and only if asked for", async () => {
  const host = await primed();
  const a = open(host, "a");
  a.expect({ flags: "S", fo: COOKIE });
  a.send({ ...SYN_ACK, ack: 1, fo: "aabbccdd" });
  a.takeAll();
  const b = open(host, "b");
  b.expect({ flags: "S", data: "b", fo: "aabbccdd" });
  b.send({ ...SYN_ACK, ack: 2 });
  b.takeAll();
  const plain = host.socket();
  assertEquals(host.call("so_connect", plain, host.name(PEER, 80)), -Errno.EINPROGRESS);
  host.step();
  const c = begun(host, plain);
  c.expect({ flags: "S", fo: null });
  c.send({ ...SYN_ACK, ack: 1, fo: "11111111" });
  c.takeAll();
  const d = open(host, "d");
  d.expect({ flags: "S", data: "d", fo: "aabbccdd" });
  host.end(a.so, b.so, c.so, d.so);
});

Deno.test("RFC 7413 4.1.1: cookies of a wrong length are none", async () => {
  for (const fo of ["aa", "aabbcc", "aabbccddee", "00".repeat(18)]) {
    const host = await primed({}, { fo });
    const c = open(host, "x", -Errno.EINPROGRESS);
    c.expect({ flags: "S", len: 0 });
    c.end();
  }
  const long = "0011223344556677".repeat(2);
  const host = await primed({}, { fo: long });
  const c = open(host, "x");
  c.expect({ flags: "S", data: "x", fo: long });
  c.end();
});

Deno.test("RFC 7413 appendix A: then the option of the experiment is tried", async () => {
  const host = await primed({}, { fo: undefined });
  const a = open(host, "x", -Errno.EINPROGRESS);
  a.expect({ flags: "S", len: 0, fo: "", foExp: true });
  a.send({ ...SYN_ACK, ack: 1, fo: COOKIE, foExp: true });
  a.takeAll();
  const b = open(host, "b");
  b.expect({ flags: "S", data: "b", fo: COOKIE, foExp: true });
  host.end(a.so, b.so);
});

Deno.test("RFC 7413 appendix A: and if that is not answered, the first again", async () => {
  const host = await primed({}, { fo: undefined });
  const a = open(host, "x", -Errno.EINPROGRESS);
  a.expect({ flags: "S", len: 0, fo: "", foExp: true });
  a.send({ ...SYN_ACK, ack: 1 });
  const b = open(host, "x", -Errno.EINPROGRESS);
  b.expect({ flags: "S", len: 0, fo: "", foExp: false });
  host.end(a.so, b.so);
});

Deno.test("RFC 9293 3.5: simultaneous open with data in both SYNs", async () => {
  const host = await primed();
  const c = open(host, "hello");
  c.expect({ flags: "S", data: "hello" });
  c.send({ flags: "S", data: "other", mss: 1040, sackOk: true, fo: "87654321" });
  c.expect({ flags: "SA", seq: 0, ack: 1, len: 0, fo: null });
  c.send({ flags: "SA", seq: 0, ack: 6, mss: 940, sackOk: true });
  c.expect({ flags: "A", seq: 6, ack: 1, len: 0 });
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.send({ seq: 1, ack: 6, data: "other" });
  assertEquals(c.read(), "other");
  c.write("more");
  c.takeAll();
  c.end();
});

Deno.test("RFC 9293 3.5: simultaneous open that leaves our data out", async () => {
  const host = await primed();
  const c = open(host, "hello");
  c.expect({ flags: "S", data: "hello" });
  c.send({ flags: "S", mss: 1040, sackOk: true });
  c.expect({ flags: "SA", seq: 0, ack: 1, len: 0 });
  c.send({ flags: "SA", seq: 0, ack: 1, mss: 940, sackOk: true });
  c.expect({ flags: "PA", seq: 1, ack: 1, data: "hello" });
  c.send({ seq: 1, ack: 6 });
  c.silentFor(SECOND);
  c.end();
});

Deno.test("RST to a SYN with data: ECONNREFUSED, and nothing is left", async () => {
  const host = await primed();
  const c = open(host, "hello");
  c.expect({ flags: "S" });
  c.send({ flags: "RA", seq: 0, ack: 6 });
  assertEquals(host.error(c.so), Errno.ECONNREFUSED);
  c.end();
});
