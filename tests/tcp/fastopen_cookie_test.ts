/** Who gives out cookies, and whose data is taken: RFC 7413 4.1.2 and 4.2.2. */

import { assertEquals, assertNotEquals } from "@std/assert";
import { IpProto } from "../../assembly/abi/proto.ts";
import { TcpOpt } from "../../assembly/abi/socket.ts";
import { Stat } from "../../assembly/abi/stat.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { KEY, LINUX_COOKIE, listening, setBytes, SYN } from "./fastopen.ts";
import { Conn, Errno, Host, type Say } from "./harness.ts";

/** Client, server. */
const ON = { tcp: { fastopen: 3 } };

Deno.test("RFC 7413 4.1.2: a cookie for those who ask, the one that Linux computes", async () => {
  const { host, listener, conn } = await listening();
  const c = conn();
  c.send({ ...SYN, fo: "" });
  c.expect({ flags: "SA", seq: 0, ack: 1, fo: LINUX_COOKIE, foExp: false });
  assertEquals(host.inspect.stat(Stat.TCP_FASTOPEN_COOKIES), 1);
  c.send({ flags: "A", seq: 1, ack: 1 });
  c.so = host.accept(listener);
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.end(listener);
});

Deno.test("RFC 7413 appendix A: who asks in the experiment's form is answered in it", async () => {
  const { host, listener, conn } = await listening();
  const c = conn();
  c.send({ ...SYN, fo: "", foExp: true });
  c.expect({ flags: "SA", fo: LINUX_COOKIE, foExp: true });
  const d = conn(40001);
  d.send({ ...SYN, data: "x", fo: LINUX_COOKIE, foExp: true });
  d.expect({ flags: "SA", ack: 2, fo: null });
  host.end(listener);
});

Deno.test("RFC 7413 4.1.2: cookies are the peer's own, and the key's", async () => {
  const { host, listener, conn } = await listening();
  const other = conn();
  other.peer = "192.0.2.2";
  other.send({ ...SYN, fo: "" });
  const theirs = other.expect({ flags: "SA" }).fo!;
  assertEquals(theirs.length, 16);
  assertNotEquals(theirs, LINUX_COOKIE);
  const c = conn(40001);
  c.send({ ...SYN, data: "x", fo: theirs });
  c.expect({ flags: "SA", ack: 1, fo: LINUX_COOKIE });
  const unkeyed = host.listen(81, 5, [[IpProto.TCP, TcpOpt.FASTOPEN, 5]]);
  const d = new Conn(host, 81, 40002);
  d.send({ ...SYN, fo: "" });
  const random = d.expect({ flags: "SA" }).fo!;
  assertEquals(random.length, 16);
  assertNotEquals(random, LINUX_COOKIE);
  host.end(listener, unkeyed);
});

Deno.test("a wrong, missing or malformed cookie: an ordinary handshake", async () => {
  const { host, listener, conn } = await listening();
  const cases: [Say, string | null][] = [
    [{ fo: "0000000000000000" }, LINUX_COOKIE],
    [{ fo: LINUX_COOKIE.slice(0, 8) }, LINUX_COOKIE],
    [{ fo: LINUX_COOKIE + "0000" }, LINUX_COOKIE],
    [{ fo: "aabbcc" }, null],
    [{}, null],
  ];
  for (const [i, [say, fo]] of cases.entries()) {
    const c = conn(40000 + i);
    c.send({ ...SYN, data: "request", ...say });
    c.expect({ flags: "SA", ack: 1, fo });
    assertEquals(host.accept(listener), 0);
    c.send({ flags: "A", seq: 1, ack: 1, data: "request" });
    c.so = host.accept(listener);
    assertEquals(c.read(), "request");
    host.close(c.so);
  }
  assertEquals(host.inspect.stat(Stat.TCP_FASTOPEN_PASSIVE), 0);
  assertEquals(host.inspect.stat(Stat.TCP_FASTOPEN_FAILED), 3);
  host.end(listener);
});

Deno.test("fastopen 0x200: no cookie is needed, and none given", async () => {
  const { host, listener, conn } = await listening(5, { tcp: { fastopen: 0x202 } });
  for (const [i, say] of [{}, { fo: "" }, { fo: "00000000" }].entries()) {
    const c = conn(40000 + i);
    c.send({ ...SYN, data: "x", ...say });
    c.expect({ flags: "SA", ack: 2, fo: null });
  }
  const plain = conn(41000);
  plain.send(SYN);
  plain.expect({ flags: "SA", ack: 1 });
  assertEquals(host.inspect.stat(Stat.TCP_FASTOPEN_PASSIVE), 3);
  host.end(listener);
});

Deno.test("fastopen 0x402: every listener does it, with its backlog as the limit", async () => {
  const host = await Host.boot({ tcp: { fastopen: 0x402 } });
  const listener = host.listen(80, 7);
  assertEquals(host.getopt(listener, IpProto.TCP, TcpOpt.FASTOPEN), 7);
  setBytes(host, listener, TcpOpt.FASTOPEN_KEY, KEY);
  const c = new Conn(host, 80, 40000);
  c.send({ ...SYN, data: "x", fo: LINUX_COOKIE });
  c.expect({ flags: "SA", ack: 2 });
  host.end(listener);
});

Deno.test("without the setting or TCP_FASTOPEN the option means nothing", async () => {
  const off = await listening(5, { tcp: { fastopen: 1 } });
  const none = await listening(0);
  for (const { host, listener, conn } of [off, none]) {
    for (const [i, fo] of ["", LINUX_COOKIE].entries()) {
      const c = conn(40000 + i);
      c.send({ ...SYN, data: "x", fo });
      c.expect({ flags: "SA", ack: 1, fo: null });
    }
    host.end(listener);
  }
});

Deno.test("two keys: the old cookie is good, and the SYN-ACK brings the new", async () => {
  const { host, listener, conn } = await listening();
  const newer = new Uint8Array(16).fill(7);
  const both = Uint8Array.from([...newer, ...KEY]);
  assertEquals(setBytes(host, listener, TcpOpt.FASTOPEN_KEY, both), 0);
  const c = conn();
  c.send({ ...SYN, data: "x", fo: LINUX_COOKIE });
  const { fo } = c.expect({ flags: "SA", ack: 2 });
  assertEquals(fo?.length, 16);
  assertNotEquals(fo, LINUX_COOKIE);
  const d = conn(40001);
  d.send({ ...SYN, data: "x", fo });
  d.expect({ flags: "SA", ack: 2, fo: null });
  setBytes(host, listener, TcpOpt.FASTOPEN_KEY, newer);
  const e = conn(40002);
  e.send({ ...SYN, data: "x", fo: LINUX_COOKIE });
  e.expect({ flags: "SA", ack: 1, fo });
  host.end(listener);
});

Deno.test("the stack's key serves listeners without one of their own", async () => {
  const host = await Host.boot(ON);
  const at = host.engine.scratch + 1024;
  host.engine.memory.set(KEY, at);
  assertEquals(host.call("tcp_fastopen_key", at, 16), 0);
  for (const length of [0, 8, 15, 17, 33]) {
    assertEquals(host.call("tcp_fastopen_key", at, length), -Errno.EINVAL);
  }
  const listener = host.listen(80, 5, [[IpProto.TCP, TcpOpt.FASTOPEN, 5]]);
  const c = new Conn(host, 80, 40000);
  c.send({ ...SYN, fo: "" });
  c.expect({ flags: "SA", fo: LINUX_COOKIE });
  host.end(listener);
});

Deno.test("getsockopt answers what was set, and wrong values are refused", async () => {
  const host = await Host.boot(ON);
  const so = host.socket();
  const get = (name: number) => host.getopt(so, IpProto.TCP, name);
  const set = (name: number, value: number) => host.trySetopt(so, IpProto.TCP, name, value);
  assertEquals(get(TcpOpt.FASTOPEN), 0);
  assertEquals([set(TcpOpt.FASTOPEN, 9), get(TcpOpt.FASTOPEN)], [0, 9]);
  assertEquals(set(TcpOpt.FASTOPEN, -1), -Errno.EINVAL);
  for (const name of [TcpOpt.FASTOPEN_CONNECT, TcpOpt.FASTOPEN_NO_COOKIE]) {
    assertEquals([set(name, 1), get(name), set(name, 0), get(name)], [0, 1, 0, 0]);
    assertEquals([set(name, 2), set(name, -1)], [-Errno.EINVAL, -Errno.EINVAL]);
  }
  for (const length of [0, 8, 17, 33]) {
    const key = new Uint8Array(length);
    assertEquals(setBytes(host, so, TcpOpt.FASTOPEN_KEY, key), -Errno.EINVAL);
  }
  const key = Uint8Array.from({ length: 32 }, (_, i) => i);
  assertEquals(setBytes(host, so, TcpOpt.FASTOPEN_KEY, key), 0);
  const at = host.engine.scratch + 1024;
  host.engine.memory.fill(0, at, at + 64);
  assertEquals(host.call("so_getopt", so, IpProto.TCP, TcpOpt.FASTOPEN_KEY, at, 64), 32);
  assertEquals(host.engine.memory.slice(at, at + 32), key);
  host.end(so);
});
