/** Fast Open as a client: RFC 7413 4.1.3, 4.1.3.1, 4.2.1 and 7.3. */

import { assert, assertEquals } from "@std/assert";
import { IpProto } from "../../assembly/abi/proto.ts";
import { Msg, TcpOpt } from "../../assembly/abi/socket.ts";
import { Stat } from "../../assembly/abi/stat.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { TcpInfo } from "../../runtime/wasm/layout.gen.ts";
import { begun, COOKIE, open, primed, sendFirst } from "./fastopen.ts";
import { Conn, Errno, Host, PEER, PEER_ISN } from "./harness.ts";

const SECOND = 1_000_000;
const SYN_ACK = { flags: "SA", mss: 1460, sackOk: true } as const;
/** The bit of tcpi_options. */
const SYN_DATA = 32;

function options(c: Conn): number {
  const at = c.host.engine.scratch + 1024;
  c.host.call("so_getopt", c.so, IpProto.TCP, TcpOpt.INFO, at, TcpInfo.size);
  return c.host.inspect.u32(at + TcpInfo.options);
}

function connectOption(host: Host): number {
  const so = host.socket();
  host.setopt(so, IpProto.TCP, TcpOpt.FASTOPEN_CONNECT, 1);
  return so;
}

Deno.test("RFC 7413 4.1.3: without a cookie the SYN asks for one, and the call says so", async () => {
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
  assertEquals(options(c) & SYN_DATA, 0);
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
  assertEquals(options(c) & SYN_DATA, SYN_DATA);
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
  assertEquals(options(c) & SYN_DATA, 0);
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

Deno.test("RFC 9293 3.10.7.3: a SYN-ACK beyond the data of the SYN is answered with RST", async () => {
  const host = await primed();
  const c = open(host, "hello");
  c.expect({ flags: "S" });
  c.send({ ...SYN_ACK, ack: 7 });
  c.expect({ flags: "R", seq: 7 });
  c.send({ ...SYN_ACK, seq: 0, ack: 6 });
  c.expect({ flags: "A", seq: 6 });
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

Deno.test("a SYN-ACK for the first SYN that comes after the second still takes the data", async () => {
  const host = await primed();
  const c = open(host, "hello");
  c.expect({ flags: "S", data: "hello" });
  c.expectWithin(2 * SECOND, { flags: "S", len: 0 });
  c.send({ ...SYN_ACK, ack: 6 });
  c.expect({ flags: "A", seq: 6, len: 0 });
  assertEquals(options(c) & SYN_DATA, SYN_DATA);
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

Deno.test("a smaller MSS in the SYN-ACK than was cached: the data goes again in pieces", async () => {
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

Deno.test("RFC 7413 appendix A: if the option is not answered the experiment's is tried", async () => {
  const host = await primed({}, { fo: undefined });
  const a = open(host, "x", -Errno.EINPROGRESS);
  a.expect({ flags: "S", len: 0, fo: "", foExp: true });
  a.send({ ...SYN_ACK, ack: 1, fo: COOKIE, foExp: true });
  a.takeAll();
  const b = open(host, "b");
  b.expect({ flags: "S", data: "b", fo: COOKIE, foExp: true });
  host.end(a.so, b.so);
});

Deno.test("RFC 7413 appendix A: if neither is answered, the option's own kind is used", async () => {
  const host = await primed({}, { fo: undefined });
  const a = open(host, "x", -Errno.EINPROGRESS);
  a.expect({ flags: "S", len: 0, fo: "", foExp: true });
  a.send({ ...SYN_ACK, ack: 1 });
  const b = open(host, "x", -Errno.EINPROGRESS);
  b.expect({ flags: "S", len: 0, fo: "", foExp: false });
  host.end(a.so, b.so);
});

Deno.test("fastopen 4: data without a cookie and without the option", async () => {
  const host = await Host.boot({ tcp: { fastopen: 5 } });
  const c = open(host, "hello");
  c.expect({ flags: "S", data: "hello", fo: null });
  c.send({ ...SYN_ACK, ack: 6 });
  c.expect({ flags: "A", seq: 6 });
  assertEquals(options(c) & SYN_DATA, SYN_DATA);
  c.end();
});

Deno.test("TCP_FASTOPEN_NO_COOKIE does the same for one socket", async () => {
  const host = await Host.boot();
  const so = host.socket();
  host.setopt(so, IpProto.TCP, TcpOpt.FASTOPEN_NO_COOKIE, 1);
  assertEquals(host.getopt(so, IpProto.TCP, TcpOpt.FASTOPEN_NO_COOKIE), 1);
  assertEquals(sendFirst(host, so, "hello"), 5);
  begun(host, so).expect({ flags: "S", data: "hello", fo: null });
  host.end(so);
});

Deno.test("fastopen 0: no client may, and nothing is sent", async () => {
  const host = await Host.boot({ tcp: { fastopen: 0 } });
  const so = host.socket();
  assertEquals(sendFirst(host, so, "hello"), -Errno.EOPNOTSUPP);
  const set = host.trySetopt(so, IpProto.TCP, TcpOpt.FASTOPEN_CONNECT, 1);
  assertEquals(set, -Errno.EOPNOTSUPP);
  assertEquals(host.wire.length, 0);
  assertEquals(host.call("so_connect", so, host.name(PEER, 80)), -Errno.EINPROGRESS);
  host.end(so);
});

Deno.test("MSG_FASTOPEN without an address, or to nowhere, is refused and begins nothing", async () => {
  const host = await primed();
  const so = host.socket();
  const { staging } = host.engine;
  assertEquals(host.call("so_send", so, staging, 1, Msg.FASTOPEN, 0), -Errno.EDESTADDRREQ);
  const group = host.name("224.0.0.1", 80);
  assert(host.call("so_send", so, staging, 1, Msg.FASTOPEN, group) < 0);
  assertEquals(host.wire.length, 0);
  assertEquals(sendFirst(host, so, "x"), 1);
  host.end(so);
});

Deno.test("TCP_FASTOPEN_CONNECT: with a cookie connect returns and the SYN waits for data", async () => {
  const host = await primed();
  const so = connectOption(host);
  assertEquals(host.call("so_connect", so, host.name(PEER, 80)), 0);
  host.step();
  const c = begun(host, so);
  c.silentFor(100 * SECOND);
  assertEquals(c.state(), TcpState.SYN_SENT);
  assertEquals(host.call("so_ready", so) & 2, 2, "writable");
  assertEquals(host.call("so_connect", so, host.name(PEER, 80)), -Errno.EISCONN);
  assertEquals(c.tryWrite("hello"), 5);
  c.expect({ flags: "S", data: "hello", fo: COOKIE });
  assertEquals(host.call("so_ready", so) & 2, 0, "not writable until it stands");
  c.send({ ...SYN_ACK, ack: 6 });
  c.expect({ flags: "A", seq: 6 });
  c.write("more");
  c.expect({ flags: "PA", seq: 6, data: "more" });
  c.end();
});

Deno.test("TCP_FASTOPEN_CONNECT: without a cookie connect begins at once and asks", async () => {
  const host = await Host.boot();
  const so = connectOption(host);
  assertEquals(host.call("so_connect", so, host.name(PEER, 80)), -Errno.EINPROGRESS);
  host.step();
  const c = begun(host, so);
  c.expect({ flags: "S", len: 0, fo: "" });
  c.send({ ...SYN_ACK, ack: 1, fo: COOKIE });
  c.expect({ flags: "A" });
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

Deno.test("a deferred connection can be closed, aborted and outlived", async () => {
  const host = await primed();
  const sockets = [1, 2, 3].map(() => connectOption(host));
  for (const so of sockets) assertEquals(host.call("so_connect", so, host.name(PEER, 80)), 0);
  host.call("so_abort", sockets[0]);
  assertEquals(sendFirst(host, sockets[0], "x", 0) < 0, true);
  host.close(sockets[1]);
  assertEquals(host.wire.length, 0);
  host.end(sockets[0], sockets[2]);
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

Deno.test("RFC 7413 4.1.3.1: a destination that fails twice is left alone for a while", async () => {
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

Deno.test("RFC 7413 7.3: a FIN out of order as all that comes makes Fast Open rest", async () => {
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

Deno.test("MSS and cookie are forgotten with the rest of what is known of a destination", async () => {
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
