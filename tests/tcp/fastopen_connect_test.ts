/** How a program asks for Fast Open: options, flags and settings (RFC 7413 appendix A). */

import { assert, assertEquals } from "@std/assert";
import { IpProto } from "../../assembly/abi/proto.ts";
import { Msg, Shut, TcpOpt } from "../../assembly/abi/socket.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { begun, COOKIE, open, primed, sendFirst, SYN_ACK, synDataTaken } from "./fastopen.ts";
import { Errno, Host, PEER } from "./harness.ts";

const SECOND = 1_000_000;

function connectOption(host: Host): number {
  const so = host.socket();
  host.setopt(so, IpProto.TCP, TcpOpt.FASTOPEN_CONNECT, 1);
  return so;
}

Deno.test("fastopen 4: data without a cookie and without the option", async () => {
  const host = await Host.boot({ tcp: { fastopen: 5 } });
  const c = open(host, "hello");
  c.expect({ flags: "S", data: "hello", fo: null });
  c.send({ ...SYN_ACK, ack: 6 });
  c.expect({ flags: "A", seq: 6 });
  assertEquals(synDataTaken(c), true);
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

Deno.test("MSG_FASTOPEN without an address, or to nowhere, begins nothing", async () => {
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

Deno.test("TCP_FASTOPEN_CONNECT: with a cookie the SYN waits for data", async () => {
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

Deno.test("shutdown after the first data: FIN follows when the connection stands", async () => {
  const host = await primed();
  for (const taken of [true, false]) {
    const c = open(host, "hello");
    c.expect({ flags: "S", data: "hello" });
    c.shutdown(Shut.WR);
    c.silent();
    assertEquals(c.tryWrite("more"), -Errno.EPIPE);
    c.send({ ...SYN_ACK, ack: taken ? 6 : 1 });
    if (!taken) c.expect({ seq: 1, data: "hello" });
    c.expect({ flags: "FA", seq: 6 });
    c.send({ ack: 7, data: "answer" });
    assertEquals(c.read(), "answer");
    c.send({ flags: "RA" });
    host.close(c.so);
    host.wire.length = 0;
  }
  host.end();
});
