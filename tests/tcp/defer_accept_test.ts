/** TCP_DEFER_ACCEPT, and TCP_SYNCNT on a listener. */

import { assertEquals } from "@std/assert";
import { IpProto } from "../../assembly/abi/proto.ts";
import { TcpOpt } from "../../assembly/abi/socket.ts";
import { Stat } from "../../assembly/abi/stat.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { Conn, Host } from "./harness.ts";

const SECOND = 1_000_000;
const SYN = { flags: "S", seq: 0, mss: 1460 };

/** A listener that waits for data so long, and a peer that has answered its SYN-ACK with ACK. */
async function answered(seconds: number) {
  const host = await Host.boot();
  const listener = host.listen(80, 5, [[IpProto.TCP, TcpOpt.DEFER_ACCEPT, seconds]]);
  const c = new Conn(host, 80, 40000);
  c.send(SYN);
  c.expect({ flags: "SA" });
  c.send({ flags: "A", seq: 1, ack: 1 });
  return { host, listener, c };
}

Deno.test("TCP_DEFER_ACCEPT: the ACK alone shows nothing, the first data does", async () => {
  const { host, listener, c } = await answered(10);
  assertEquals(host.accept(listener), 0);
  assertEquals(host.inspect.stat(Stat.TCP_DEFERRED_ACCEPTS), 1);
  host.advance(SECOND / 2);
  c.silent();
  c.send({ seq: 1, ack: 1, data: "request" });
  c.so = host.accept(listener);
  assertEquals(c.state(), TcpState.ESTABLISHED);
  assertEquals(c.read(), "request");
  c.end(listener);
});

Deno.test("TCP_DEFER_ACCEPT: a FIN shows the connection, too", async () => {
  const { host, listener, c } = await answered(10);
  c.send({ flags: "FA", seq: 1, ack: 1 });
  c.so = host.accept(listener);
  assertEquals(c.read(), "");
  c.end(listener);
});

Deno.test("TCP_DEFER_ACCEPT: when the time is over, the next ACK will do", async () => {
  // 1 + 2 + 4 seconds are the first sum of the repetitions that is not below 5
  const { host, listener, c } = await answered(5);
  c.silentFor(7 * SECOND - 1);
  assertEquals(c.expectWithin(SECOND, { flags: "SA", seq: 0, ack: 1 }), 1);
  assertEquals(host.accept(listener), 0);
  c.send({ flags: "A", seq: 1, ack: 1 });
  c.so = host.accept(listener);
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.end(listener);
});

Deno.test("TCP_DEFER_ACCEPT: a peer that stays silent is given up", async () => {
  const { host, listener, c } = await answered(1);
  host.advance(200 * SECOND);
  assertEquals(host.call("tcp_count", TcpState.SYN_RECEIVED), 0);
  assertEquals(host.accept(listener), 0);
  c.takeAll();
  c.send({ seq: 1, ack: 1, data: "late" });
  c.expect({ flags: "R" });
  host.end(listener);
});

Deno.test("TCP_DEFER_ACCEPT: longer than the SYN-ACKs last, the record waits", async () => {
  const { host, listener, c } = await answered(120);
  c.silentFor(100 * SECOND);
  c.send({ seq: 1, ack: 1, data: "request" });
  c.so = host.accept(listener);
  assertEquals(c.read(), "request");
  c.end(listener);
});

Deno.test(
  "TCP_DEFER_ACCEPT: seconds are rounded up to what the repetitions add up to",
  async () => {
    const host = await Host.boot();
    const so = host.socket();
    for (const [asked, told] of [[1, 1], [2, 3], [3, 3], [5, 7], [10, 15], [0, 0], [-5, 0]]) {
      host.setopt(so, IpProto.TCP, TcpOpt.DEFER_ACCEPT, asked);
      assertEquals(host.getopt(so, IpProto.TCP, TcpOpt.DEFER_ACCEPT), told);
    }
    host.setopt(so, IpProto.TCP, TcpOpt.DEFER_ACCEPT, 0x7fffffff);
    host.end(so);
  },
);

Deno.test("TCP_SYNCNT on a listener limits its SYN-ACKs", async () => {
  const host = await Host.boot();
  const listener = host.listen(80, 5, [[IpProto.TCP, TcpOpt.SYNCNT, 2]]);
  const c = new Conn(host, 80, 40000);
  c.send(SYN);
  host.advance(200 * SECOND);
  assertEquals(c.takeAll().length, 3);
  host.end(listener);
});
