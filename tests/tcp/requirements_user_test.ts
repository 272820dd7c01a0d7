/** Requirements of RFC 9293 and 5681 for connections and users that no other test is about. */

import { assert, assertEquals } from "@std/assert";
import { IpProto } from "../../assembly/abi/proto.ts";
import { So, Sol, TcpOpt } from "../../assembly/abi/socket.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { TcpInfo } from "../../runtime/wasm/layout.gen.ts";
import { SYSCTLS } from "../../runtime/sysctl_table.ts";
import { Conn, Errno, Host, pattern, PEER } from "./harness.ts";
import { icmpError } from "./segment.ts";
import { connecting, established, localPort, synOptions } from "./shake.ts";

const SECOND = 1_000_000;

/** Fields of the settings in the profile that does what the RFCs ask. */
function strict(...names: string[]): Record<string, number> {
  return Object.fromEntries(
    SYSCTLS.filter(({ fields }) => fields.some((field) => names.includes(field)))
      .map(({ fields, strict }) => [fields[0], Number(strict)]),
  );
}

/** A field of TCP_INFO. */
function info(c: Conn, name: keyof typeof TcpInfo): number {
  const at = c.host.engine.staging;
  c.host.call("so_getopt", c.so, IpProto.TCP, TcpOpt.INFO, at, TcpInfo.size);
  return c.host.engine.view.getUint32(at + TcpInfo[name], true);
}

Deno.test("MUST-11: a reset ends an active attempt, and leaves a listener listening", async () => {
  const active = await connecting();
  active.send({ flags: "S", seq: 0, ...synOptions({}, active) });
  active.expect({ flags: "SA" });
  assertEquals(active.state(), TcpState.SYN_RECEIVED);
  active.send({ flags: "R", seq: 1 });
  assertEquals(active.state(), TcpState.CLOSED);
  assertEquals(active.host.error(active.so), Errno.ECONNREFUSED);
  active.end();
  const host = await Host.boot();
  const listener = host.listen(80);
  const first = new Conn(host, 80, 40000);
  first.send({ flags: "S", mss: 1460 });
  first.expect({ flags: "SA" });
  first.send({ flags: "R", seq: 1 });
  first.silentFor(10 * SECOND);
  assertEquals(host.error(listener), 0);
  assertEquals(host.inspect.state(listener), TcpState.LISTEN);
  const second = new Conn(host, 80, 40000);
  second.send({ flags: "S", mss: 1460 });
  second.expect({ flags: "SA" });
  second.send({ flags: "A", ack: 1 });
  second.so = host.accept(listener);
  assert(second.so > 0);
  second.end(listener);
});

Deno.test("MUST-12: the end of the stream and an abort are told apart", async () => {
  const closed = await established();
  closed.send({ flags: "FA", data: "abc" });
  assertEquals(closed.read(), "abc");
  assertEquals(closed.read(), "");
  closed.end();
  const aborted = await established();
  aborted.send({ data: "abc" });
  aborted.send({ flags: "R" });
  assertEquals(aborted.read(), "abc");
  aborted.readFails(Errno.ECONNRESET);
  aborted.end();
});

Deno.test("MUST-23: in the profile strict a SYN is repeated for three minutes", async () => {
  const tcp = strict("syn_retries", "rto_initial_us", "rto_max_us");
  assertEquals(Object.keys(tcp).length, 3);
  const milliseconds = SYSCTLS.find(({ fields }) => fields[0] === "rto_max_us")!.unit === "ms";
  if (milliseconds) tcp.rto_max_us *= 1000;
  const c = await connecting({ host: { tcp } });
  const begin = c.host.now;
  while (c.state() === TcpState.SYN_SENT) c.host.advance(SECOND);
  assert(c.host.now - begin >= 180 * SECOND, `${(c.host.now - begin) / SECOND} s`);
  assertEquals(c.host.error(c.so), Errno.ETIMEDOUT);
  c.end();
});

Deno.test("MUST-40, RFC 5681 4.2-3: no ACK is delayed by half a second", async () => {
  const names = ["quickacks", "delack_us", "delack_min_us", "delack_max_us"];
  for (const tcp of [{}, { quickacks: 16 }, strict(...names), { delack_max_us: 450_000 }]) {
    const c = await established({ host: { tcp } });
    for (let i = 0; i < 40; i++) {
      c.send({ data: "x" });
      if (c.takeAll().length === 0) c.expectWithin(499_999, { flags: "A" });
      c.host.advance((i % 7) * 300_000);
    }
    c.end();
  }
});

// MUST-41, MUST-42
Deno.test("listening on the port of a connection that is being opened", async () => {
  const first = await connecting({ options: [[Sol.SOCKET, So.REUSEADDR, 1]] });
  const { host } = first;
  const port = localPort(host, first.so);
  const listener = host.listen(port, 5, [[Sol.SOCKET, So.REUSEADDR, 1]]);
  assertEquals(first.state(), TcpState.SYN_SENT);
  const second = host.socket();
  const bound = host.call("so_bind", second, host.name("0.0.0.0", port));
  assertEquals(bound, -Errno.EADDRINUSE, "another passive open is refused");
  assertEquals(host.inspect.state(listener), TcpState.LISTEN);
  const other = new Conn(host, port, 40000);
  other.send({ flags: "S", mss: 1460 });
  other.expect({ flags: "SA" });
  other.send({ flags: "A", ack: 1 });
  other.so = host.accept(listener);
  assertEquals(other.state(), TcpState.ESTABLISHED);
  first.send({ flags: "SA", ack: 1, ...synOptions({}, first) });
  first.expect({ flags: "A" });
  assertEquals(first.state(), TcpState.ESTABLISHED);
  host.setopt(first.so, Sol.SOCKET, So.LINGER, 1, 0);
  other.end(first.so, listener, second);
});

Deno.test("MUST-43: a connection begins at the address that was bound", async () => {
  const host = await Host.boot();
  host.addAddress("192.168.0.9");
  const so = host.socket();
  assertEquals(host.call("so_bind", so, host.name("192.168.0.9", 0)), 0);
  const code = host.call("so_connect", so, host.name("192.0.2.1", 80));
  assertEquals(code, -Errno.EINPROGRESS);
  host.step();
  const [{ packet }] = host.wire;
  assertEquals([...packet.subarray(12, 16)], [192, 168, 0, 9]);
  host.end(so);
});

// MUST-44, MUST-46
Deno.test("IP chooses the address; groups and broadcasts are no peers", async () => {
  const host = await Host.boot();
  const so = host.socket();
  for (const peer of ["224.0.0.1", "255.255.255.255"]) {
    assertEquals(host.call("so_connect", so, host.name(peer, 80)), -Errno.EAFNOSUPPORT);
  }
  assertEquals(host.call("so_connect", so, host.name("192.0.2.1", 80)), -Errno.EINPROGRESS);
  host.step();
  const [{ packet }] = host.wire;
  assertEquals([...packet.subarray(12, 16)], [192, 168, 0, 1]);
  host.end(so);
});

Deno.test("MUST-47, SHLD-9, SHLD-20: soft errors and timeouts are told to who asks", async () => {
  const c = await established({ host: { tcp: { early_retrans: 0 } } });
  c.write("abc");
  const s = c.expect({ data: "abc" });
  const { iss, host } = c;
  const quote = { src: host.ip, dst: PEER, sport: c.lport, dport: c.fport, seq: iss + s.seq };
  host.input(icmpError("192.168.0.254", 3, 1, 0, quote));
  assertEquals(info(c, "soft_error"), Errno.EHOSTUNREACH);
  assertEquals(info(c, "retransmits"), 0);
  host.advance(8 * SECOND);
  assert(info(c, "retransmits") >= 3, "R1 is reached");
  assertEquals(host.error(c.so), 0, "nobody is disturbed who does not ask");
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.send({ ack: 4 });
  assertEquals([info(c, "soft_error"), info(c, "retransmits")], [0, 0]);
  c.end();
});

Deno.test("SHLD-15: into a window that has shrunk goes no new data", async () => {
  const c = await established({ win: 20_000 });
  c.write(pattern(30_000));
  assertEquals(c.takeAll().length, 10);
  c.send({ ack: 1, win: 3000 });
  c.send({ ack: 1461, win: 1540 });
  for (const s of c.takeAll()) assert(s.seq + s.data.length <= 1 + 10 * 1460, `${s.seq}`);
  c.send({ ack: 1 + 10 * 1460, win: 2000 });
  c.expect({ seq: 1 + 10 * 1460, len: 1460 });
  c.end();
});

Deno.test("SHLD-17: data beyond a window that has shrunk ends no connection", async () => {
  const c = await established({ win: 20_000 });
  c.write(pattern(14_600));
  c.takeAll();
  for (let i = 0; i < 60; i++) {
    c.send({ ack: 1, win: 0 });
    c.host.advance(30 * SECOND);
    c.takeAll();
  }
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.send({ ack: 1, win: 20_000 });
  c.expect({ seq: 1, len: 1460 });
  c.end();
});
