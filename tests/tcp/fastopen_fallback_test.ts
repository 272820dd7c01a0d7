/** When clients do without Fast Open: RFC 7413 4.1.3.1 and 7.3. */

import { assertEquals } from "@std/assert";
import { IpProto } from "../../assembly/abi/proto.ts";
import { Msg, TcpOpt } from "../../assembly/abi/socket.ts";
import { Stat } from "../../assembly/abi/stat.ts";
import { begun, COOKIE, open, primed, SYN_ACK } from "./fastopen.ts";
import { Errno, Host, PEER, PEER_ISN } from "./harness.ts";

const SECOND = 1_000_000;

function connectOption(host: Host): number {
  const so = host.socket();
  host.setopt(so, IpProto.TCP, TcpOpt.FASTOPEN_CONNECT, 1);
  return so;
}

Deno.test("RFC 9293 3.10.7.3: a SYN-ACK beyond the data of the SYN means RST", async () => {
  const host = await primed();
  const c = open(host, "hello");
  c.expect({ flags: "S" });
  c.send({ ...SYN_ACK, ack: 7 });
  c.expect({ flags: "R", seq: 7 });
  c.send({ ...SYN_ACK, seq: 0, ack: 6 });
  c.expect({ flags: "A", seq: 6 });
  c.end();
});

Deno.test("TCP_FASTOPEN_CONNECT: the cookie is forgotten before the data comes", async () => {
  const host = await primed();
  const so = connectOption(host);
  assertEquals(host.call("so_connect", so, host.name(PEER, 80)), 0);
  host.call("tcp_metrics_flush");
  const c = begun(host, so);
  assertEquals(c.tryWrite("hello"), -Errno.EINPROGRESS);
  c.expect({ flags: "S", len: 0, fo: "" });
  c.send({ ...SYN_ACK, ack: 1 });
  c.expect({ flags: "A", seq: 1 });
  c.write("hello");
  c.expect({ flags: "PA", seq: 1, data: "hello" });
  c.end();
});

Deno.test("RFC 7413 7.3: after three timeouts in a row Fast Open rests everywhere", async () => {
  const host = await primed({ tcp: { fastopen_blackhole_s: 60 } });
  const c = open(host, "hello");
  c.expect({ flags: "S", data: "hello" });
  for (const _ of [1, 2]) c.expectWithin(10 * SECOND, { flags: "S", len: 0 });
  const early = open(host, "x");
  early.expect({ flags: "S", data: "x" });
  host.advance(4 * SECOND);
  assertEquals(c.takeAll().length, 1, "the third");
  assertEquals(host.inspect.stat(Stat.TCP_FASTOPEN_BLACK_HOLES), 1);
  const late = open(host, "x", -Errno.EINPROGRESS);
  late.expect({ flags: "S", len: 0, fo: null });
  for (const conn of [c, early, late]) {
    conn.send({ flags: "RA", seq: 0, ack: 1 });
    host.close(conn.so);
  }
  host.advance(50 * SECOND);
  const still = open(host, "x", -Errno.EINPROGRESS);
  host.advance(10 * SECOND);
  host.wire.length = 0;
  const again = open(host, "x");
  again.expect({ flags: "S", data: "x" });
  host.end(still.so, again.so);
});

Deno.test("RFC 7413 4.1.3.1: a destination that fails twice is left alone", async () => {
  const host = await primed({ tcp: { fastopen_blackhole_s: 60 } });
  for (const _ of [1, 2]) {
    const c = open(host, "hello");
    c.expect({ flags: "S", data: "hello" });
    c.expectWithin(2 * SECOND, { flags: "S", len: 0 });
    c.send({ ...SYN_ACK, ack: 1 });
    c.expect({ flags: "PA", data: "hello" });
    host.close(c.so);
    c.send({ flags: "R", seq: 1 });
    host.wire.length = 0;
  }
  const plain = open(host, "x", -Errno.EINPROGRESS);
  plain.expect({ flags: "S", len: 0, fo: null });
  host.advance(60 * SECOND);
  host.wire.length = 0;
  const again = open(host, "x");
  again.expect({ flags: "S", data: "x", fo: COOKIE });
  host.end(plain.so, again.so);
});

Deno.test("RFC 7413 7.3: RST out of order before any data makes Fast Open rest", async () => {
  const host = await primed({ tcp: { fastopen_blackhole_s: 60 } });
  const c = open(host, "hello");
  c.expect({ flags: "S" });
  c.send({ ...SYN_ACK, ack: 6 });
  c.takeAll();
  c.send({ flags: "R", seq: 100 });
  assertEquals(c.stat(Stat.TCP_FASTOPEN_BLACK_HOLES), 1);
  c.end();
});

Deno.test("RFC 7413 7.3: nothing but a FIN out of order makes Fast Open rest", async () => {
  const host = await primed({ tcp: { fastopen_blackhole_s: 60 } });
  const c = open(host, "hello");
  c.expect({ flags: "S" });
  c.send({ ...SYN_ACK, ack: 6 });
  c.takeAll();
  c.send({ flags: "FA", seq: 100 });
  c.takeAll();
  c.end();
  assertEquals(host.inspect.stat(Stat.TCP_FASTOPEN_BLACK_HOLES), 1);
});

Deno.test("MSS and cookie are forgotten with the rest of a destination", async () => {
  const host = await primed();
  host.advance(3600 * SECOND);
  const c = open(host, "x", -Errno.EINPROGRESS);
  c.expect({ flags: "S", len: 0, fo: "" });
  c.end();
});

Deno.test("an unsolicited SYN-ACK cannot plant a cookie for another peer", async () => {
  const host = await primed();
  const so = host.socket();
  const { engine } = host;
  const nam = host.name("192.0.2.77", 80);
  assertEquals(host.call("so_send", so, engine.staging, 1, Msg.FASTOPEN, nam), -Errno.EINPROGRESS);
  host.step();
  const c = begun(host, so);
  c.peer = "192.0.2.77";
  c.isn = PEER_ISN;
  c.expect({ flags: "S", len: 0, fo: "" });
  host.end(so);
});
